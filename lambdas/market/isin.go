package market

import "trade-processing/lambdas/trade"

// isinLength is how many characters an ISIN has: prefix, number, check digit.
const isinLength = 12

// IssuingCountry returns the ISO 3166 alpha-2 code of the country whose agency numbered a security, and whether the
// ISIN names one. If no country did, it is the prefix from ISO 6166: XS for international securities, EU, EZ for
// derivatives, XT for crypto assets, XA to XD for substitute agencies. The country is where the security was numbered,
// not where its issuer is based. Checking the check digit is up to the validator.
func (r *Reference) IssuingCountry(isin string) (string, bool) {
	if len(isin) != isinLength || !trade.HasISINPrefix(isin) {
		return "", false
	}
	return isin[:2], true
}
