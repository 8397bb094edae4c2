package sample

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestDecimals(t *testing.T) {
	for want, d := range map[string]decimal{
		"0": {0, 5}, "1": {100, 2}, "0.01": {1, 2}, "0.00000921": {921, 8}, "-1.5": {-150, 2}, "12345.6": {123456, 1}, "7": {7, 0}, "-0.001": {-1, 3},
	} {
		if got := d.String(); got != want {
			t.Errorf("%+v: got %s, want %s", d, got, want)
		}
	}
}

func TestProductsAreExact(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		number := func(name string) decimal {
			return decimal{rapid.Int64Range(-3_000_000_000, 3_000_000_000).Draw(r, name), rapid.IntRange(0, 8).Draw(r, name+"'s scale")}
		}
		a, b := number("a"), number("b")
		product := new(big.Rat).Mul(rational(t, a), rational(t, b))
		if got := rational(t, a.times(b)); got.Cmp(product) != 0 {
			t.Errorf("%s × %s = %s, not %s", a, b, product, got)
		}
	})
}

func rational(t *testing.T, d decimal) *big.Rat {
	t.Helper()
	r, ok := new(big.Rat).SetString(d.String())
	if !ok {
		t.Fatalf("%+v is written %q", d, d)
	}
	return r
}

func TestTheQuantilesAreThoseOfALogNormalDistribution(t *testing.T) {
	for i, got := range logNormalQuantiles {
		p := min(max(float64(i)/64, 0.001), 0.999)
		z := math.Sqrt2 * math.Erfinv(2*p-1)
		if want := 1000 * math.Exp(1.2*z); math.Abs(want-float64(got)) > 0.51 {
			t.Errorf("quantile %d: %d, want %.1f", i, got, want)
		}
	}
}

func TestTimetablesAscendAndStayWithinTheirHours(t *testing.T) {
	for name, hours := range map[string][]stretch{
		"equities": equityHours(calendar()), "crypto": cryptoHours(calendar()), "gold": goldHours(calendar()),
	} {
		const n = 50_000
		c, table := newChance(1), newTimetable(hours, n)
		previous := hours[0].from
		perStretch := make(map[int64]int64)
		for range n {
			at, _ := table.next(c)
			if at.Before(previous) {
				t.Fatalf("%s: %v comes after %v", name, at, previous)
			}
			previous = at
			perStretch[int64(table.at)]++
		}
		for i, s := range hours {
			want := float64(n) * float64(s.weight) / float64(table.total)
			if got := float64(perStretch[int64(i)]); math.Abs(got-want) > 0.02*want+2 {
				t.Errorf("%s: %v trades from %v on, want %.0f", name, got, s.from, want)
			}
		}
		if end := hours[len(hours)-1]; previous.After(end.from.Add(end.length)) {
			t.Errorf("%s: the last trade is at %v", name, previous)
		}
	}
}

// Products must stay below 2^63: the largest block at the highest price.
func TestNoAmountOverflows(t *testing.T) {
	c := newChance(1)
	for _, m := range []*market{equities(c, 30_000), crypto(c, 30_000), gold(c, 30_000)} {
		for m.left > 0 {
			d := m.next(c, 1)
			product := new(big.Int).Mul(big.NewInt(d.price.units), big.NewInt(d.quantity.units))
			if product.BitLen() > 59 { // a factor of 16 below the limit, for what 30,000 trades didn't show
				t.Fatalf("%s × %s needs %d bits", d.price, d.quantity, product.BitLen())
			}
		}
	}
}
