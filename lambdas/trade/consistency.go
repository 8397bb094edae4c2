package trade

import "github.com/cockroachdb/apd/v3"

// agree reports whether price times quantity equals the amount within one minor unit of the currency or 0.01 % of the
// amount, whichever is larger: sources round to the minor unit, or quote an average price with fewer digits than they
// settle.
//
// Everything is computed exactly, because a context of precision 0 never rounds. The range of decimals, 38 digits
// between 1E-130 and 1E+126, keeps it cheap and far from apd's own limits; at those, the answer would be no.
func agree(amount, price, quantity *Decimal, currency Currency) bool {
	compute := apd.MakeErrDecimal(&apd.BaseContext)
	var difference apd.Decimal
	compute.Mul(&difference, &price.value, &quantity.value)
	compute.Sub(&difference, &difference, &amount.value)
	compute.Abs(&difference, &difference)
	switch {
	case compute.Err() != nil:
		return false
	case difference.IsZero():
		return true
	case currency.HasMinorUnit && difference.Cmp(apd.New(1, -int32(currency.MinorUnit))) <= 0:
		return true
	}
	tolerance := amount.value
	tolerance.Negative = false
	tolerance.Exponent -= 4 // 0.01 %
	return difference.Cmp(&tolerance) <= 0
}
