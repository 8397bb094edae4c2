package sample

import (
	"math/bits"
	"math/rand/v2"
)

// chance draws from a seeded generator, using only integers.
type chance struct{ from *rand.PCG }

func newChance(seed uint64) *chance {
	return &chance{from: rand.NewPCG(seed, 0x7472616465_73)} // the second half is "trades" in ASCII
}

// below returns a number from 0 to n-1. The bias of taking the high half of a product is below n/2^64.
func (c *chance) below(n int64) int64 {
	high, _ := bits.Mul64(c.from.Uint64(), uint64(n))
	return int64(high)
}

// between returns a number from low to high, both included.
func (c *chance) between(low, high int64) int64 { return low + c.below(high-low+1) }

// oneIn is true once in n times.
func (c *chance) oneIn(n int64) bool { return c.below(n) == 0 }

// pick returns one of the values.
func pick[T any](c *chance, from []T) T { return from[c.below(int64(len(from)))] }

// logNormal returns a size around the median: like trade sizes, most are near it and a few are many times larger. It
// never returns less than 1.
func (c *chance) logNormal(median int64) int64 {
	at := c.below(int64(len(logNormalQuantiles)-1) << 16)
	i, fraction := at>>16, at&0xffff
	low, high := logNormalQuantiles[i], logNormalQuantiles[i+1]
	factor := low + (high-low)*fraction>>16
	return max(1, median*factor/1000)
}

// logNormalQuantiles are the 64-quantiles of the log-normal distribution with a median of 1 and σ = 1.2, in
// thousandths; the ends are those of 0.1 % and 99.9 %.
var logNormalQuantiles = [65]int64{
	25, 75, 107, 134, 159, 182, 206, 229, 251, 274, 298, 321, 345, 369, 394, 419,
	445, 472, 499, 527, 556, 586, 617, 649, 682, 717, 752, 789, 828, 868, 910, 954,
	1000, 1048, 1099, 1152, 1208, 1267, 1329, 1395, 1466, 1541, 1620, 1706, 1798, 1897, 2004, 2120,
	2247, 2386, 2539, 2709, 2900, 3115, 3360, 3644, 3977, 4375, 4863, 5481, 6302, 7472, 9349, 13259,
	40784,
}
