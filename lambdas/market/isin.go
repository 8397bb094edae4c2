package market

import "strings"

// assignedCountries are the 249 officially assigned codes of ISO 3166-1 alpha-2. golang.org/x/text/language knows them
// too, but can't tell them from reserved and withdrawn ones such as UK, FX and DD.
const assignedCountries = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR " +
	"BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ " +
	"EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW " +
	"GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY " +
	"KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV " +
	"MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY " +
	"QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG " +
	"TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM " +
	"ZW"

// otherIssuers are the ISIN prefixes that aren't assigned countries: those of ISO 6166 and of the numbering agencies
// (ANNA), Kosovo's user-assigned code, and a country that no longer exists but whose ISINs do.
const otherIssuers = "XS " + // international securities in Euroclear and Clearstream
	"EU " + // institutions of the European Union
	"EZ " + // derivatives, from the Derivatives Service Bureau
	"XA XB XC XD " + // numbered by an agency for a country without one
	"QS " + // numbered by Euroclear France for its own use
	"XK " + // Kosovo
	"AN" // Netherlands Antilles, until 2010

// isinLength is how many characters an ISIN has: prefix, number, check digit.
const isinLength = 12

// issuers are the prefixes that an ISIN may have.
type issuers map[string]struct{}

func loadIssuers() issuers {
	known := issuers{}
	for _, code := range strings.Fields(assignedCountries + " " + otherIssuers) {
		known[code] = struct{}{}
	}
	return known
}

// IssuingCountry returns the ISO 3166 alpha-2 code of the country whose agency numbered a security, and whether the
// ISIN names one. If no country did, it is the prefix from ISO 6166: XS for international securities, EU, EZ for
// derivatives, XA to XD for substitute agencies. The country is where the security was numbered, not where its issuer
// is based. Checking the check digit is up to the validator.
func (r *Reference) IssuingCountry(isin string) (string, bool) {
	if len(isin) != isinLength {
		return "", false
	}
	_, known := r.issuers[isin[:2]]
	return isin[:2], known
}
