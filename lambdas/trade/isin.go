package trade

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

// otherISINPrefixes are those of ISO 6166 and of the numbering agencies that aren't assigned countries. Most are also
// in the table of python-stdnum (https://github.com/arthurdejong/python-stdnum, stdnum/isin.py).
const otherISINPrefixes = "XS " + // international securities in Euroclear and Clearstream
	"EU " + // institutions of the European Union
	"EZ " + // derivatives, from the Derivatives Service Bureau (https://www.anna-dsb.com)
	"XT " + // crypto assets (https://dtif.org/isin-dti-complementary-standards-bridging-traditional-and-digital-markets)
	"XA XB XC XD " + // numbered by an agency for a country without one
	"QS QT XF " + // numbered by Euroclear France, in Switzerland and by others for their own use
	"XK " + // Kosovo
	"AN CS" // Netherlands Antilles, until 2010; Serbia and Montenegro, until 2006

// isinPrefixes has a bit for each second letter, by the first.
var isinPrefixes = func() (known [26]uint32) {
	for _, prefix := range strings.Fields(assignedCountries + " " + otherISINPrefixes) {
		known[prefix[0]-'A'] |= 1 << (prefix[1] - 'A')
	}
	return known
}()

// HasISINPrefix reports whether a text begins with two letters that an ISIN may begin with.
func HasISINPrefix(s string) bool {
	return len(s) >= 2 && isUpper(s[0]) && isUpper(s[1]) && isinPrefixes[s[0]-'A']&(1<<(s[1]-'A')) != 0
}

// isinLength is how many characters an ISIN has: prefix, number, check digit.
const isinLength = 12

// IssuingCountry returns the ISO 3166 alpha-2 code of the country whose agency numbered a security, and whether the
// ISIN names one. If no country did, it is the prefix from ISO 6166: XS for international securities, EU, EZ for
// derivatives, XT for crypto assets, XA to XD for substitute agencies. The country is where the security was numbered,
// not where its issuer is based. Checking the check digit is up to Rules.
func IssuingCountry(isin string) (string, bool) {
	if len(isin) != isinLength || !HasISINPrefix(isin) {
		return "", false
	}
	return isin[:2], true
}
