package trade_test

import (
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"trade-processing/lambdas/trade"
)

func TestParseDecimal(t *testing.T) {
	nines := strings.Repeat("9", 38)
	zeros := strings.Repeat("0", 60_000)
	for name, test := range map[string]struct {
		text string
		want string // the decimal's plain value, or empty if there is an error
		err  error
	}{
		"a whole number":                             {text: "33466", want: "33466"},
		"a fraction":                                 {text: "35158.2", want: "35158.2"},
		"a fraction of a cent":                       {text: "0.0000586105", want: "0.0000586105"},
		"below zero":                                 {text: "-37.63", want: "-37.63"},
		"an exponent, as some exchanges write":       {text: "3.844E-5", want: "0.00003844"},
		"an exponent with a plus":                    {text: "1e+3", want: "1000"},
		"an exponent with leading zeros":             {text: "1e0000000000000000000003", want: "1000"},
		"zero":                                       {text: "0", want: "0"},
		"zero with a minus":                          {text: "-0", want: "0"},
		"zero with decimals":                         {text: "0.000", want: "0"},
		"zero with an enormous exponent":             {text: "0e999999999999", want: "0"},
		"38 digits":                                  {text: nines, want: nines},
		"38 digits below one":                        {text: "0." + nines, want: "0." + nines},
		"38 digits and zeros behind them":            {text: nines + "000", want: nines + "000"},
		"38 digits and zeros before them":            {text: "0.000" + nines, want: "0.000" + nines},
		"one digit and 60,000 zeros after the point": {text: "1." + zeros, want: "1"},
		"60,000 zeros that an exponent takes back":   {text: "0." + zeros + "1e60001", want: "1"},
		"the largest":                                {text: "9." + nines[1:] + "e125", want: nines + strings.Repeat("0", 88)},
		"the smallest":                               {text: "1e-130", want: "0." + strings.Repeat("0", 129) + "1"},
		"39 digits":                                  {text: nines + "9", err: trade.ErrTooManyDigits},
		"39 digits around the point":                 {text: "1" + strings.Repeat("0", 37) + ".1", err: trade.ErrTooManyDigits},
		"60,000 digits":                              {text: strings.Repeat("1", 60_000), err: trade.ErrTooManyDigits},
		"one above the largest":                      {text: "1e126", err: trade.ErrOutOfRange},
		"one below the smallest":                     {text: "9e-131", err: trade.ErrOutOfRange},
		"minus the largest and more":                 {text: "-1e126", err: trade.ErrOutOfRange},
		"an enormous exponent":                       {text: "1e999999999", err: trade.ErrOutOfRange},
		"an enormous negative exponent":              {text: "1e-999999999", err: trade.ErrOutOfRange},
		"an exponent that overflows 64 bits":         {text: "1e99999999999999999999", err: trade.ErrOutOfRange},
		"a negative exponent that overflows 64 bits": {text: "1e-99999999999999999999", err: trade.ErrOutOfRange},
		"60,000 zeros before the point":              {text: "1" + zeros, err: trade.ErrOutOfRange},
		"60,000 zeros after the point":               {text: "0." + zeros + "1", err: trade.ErrOutOfRange},
		"nothing":                                    {text: "", err: trade.ErrNotDecimal},
		"a minus alone":                              {text: "-", err: trade.ErrNotDecimal},
		"a point alone":                              {text: ".", err: trade.ErrNotDecimal},
		"nothing before the point":                   {text: ".5", err: trade.ErrNotDecimal},
		"nothing after the point":                    {text: "5.", err: trade.ErrNotDecimal},
		"nothing after the e":                        {text: "5e", err: trade.ErrNotDecimal},
		"only a sign after the e":                    {text: "5e-", err: trade.ErrNotDecimal},
		"a fraction in the exponent":                 {text: "5e1.5", err: trade.ErrNotDecimal},
		"a plus in front":                            {text: "+5", err: trade.ErrNotDecimal},
		"two minuses":                                {text: "--5", err: trade.ErrNotDecimal},
		"a leading zero":                             {text: "007", err: trade.ErrNotDecimal},
		"white space in front":                       {text: " 5", err: trade.ErrNotDecimal},
		"white space behind":                         {text: "5\n", err: trade.ErrNotDecimal},
		"a comma for thousands":                      {text: "1,000", err: trade.ErrNotDecimal},
		"a comma for the point":                      {text: "12,5", err: trade.ErrNotDecimal},
		"underscores as in Go":                       {text: "1_000", err: trade.ErrNotDecimal},
		"hexadecimal":                                {text: "0x10", err: trade.ErrNotDecimal},
		"two points":                                 {text: "1.2.3", err: trade.ErrNotDecimal},
		"NaN":                                        {text: "NaN", err: trade.ErrNotDecimal},
		"Infinity":                                   {text: "Infinity", err: trade.ErrNotDecimal},
		"-Inf":                                       {text: "-Inf", err: trade.ErrNotDecimal},
		"a currency sign":                            {text: "$5", err: trade.ErrNotDecimal},
		"digits of another script":                   {text: "٣", err: trade.ErrNotDecimal},
		"a minus that is not a hyphen":               {text: "−5", err: trade.ErrNotDecimal},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := trade.ParseDecimal(test.text)
			if !errors.Is(err, test.err) {
				t.Fatalf("error %v, want %v", err, test.err)
			}
			if test.err != nil {
				return
			}
			if got, want := rational(t, d.String()), rational(t, test.want); got.Cmp(want) != 0 {
				t.Errorf("%s, want %s", d, test.want)
			}
		})
	}
}

// An exponent takes a few bytes to send but, taken literally, gigabytes to write out.
func TestHostileDecimalsCostNothing(t *testing.T) {
	started := time.Now()
	for _, text := range []string{"1e999999999", "1e-999999999", "0e999999999", strings.Repeat("9", 65_000), "1" + strings.Repeat("0", 65_000)} {
		allocated := testing.AllocsPerRun(10, func() { _, _ = trade.ParseDecimal(text) })
		if allocated > 20 {
			t.Errorf("%.20s...: %v allocations", text, allocated)
		}
	}
	if took := time.Since(started); took > time.Second {
		t.Errorf("took %s", took)
	}
}

// rational reads a number with math/big, which shares no code with the decimals under test.
func rational(t interface{ Fatalf(string, ...any) }, text string) *big.Rat {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		t.Fatalf("%q is not a number", text)
	}
	return r
}

// decimalTexts draws strings that ParseDecimal accepts.
func decimalTexts() *rapid.Generator[string] {
	return rapid.StringMatching(`-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?`)
}

func TestDecimalsAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := decimalTexts().Draw(t, "text")
		d, err := trade.ParseDecimal(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if rational(t, d.String()).Cmp(rational(t, text)) != 0 {
			t.Fatalf("%s became %s", text, d)
		}
		again, err := trade.ParseDecimal(strings.ToLower(d.String()))
		if err != nil || again.Cmp(d) != 0 {
			t.Fatalf("%s came back from its own text as %s, %v", d, again, err)
		}
	})
}

func TestDecimalsCompareAsNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		one, another := decimalTexts().Draw(t, "one"), decimalTexts().Draw(t, "another")
		if rapid.Bool().Draw(t, "equal") {
			another = one + "e0"
			if strings.ContainsAny(one, "eE") {
				another = one
			}
		}
		a, errA := trade.ParseDecimal(one)
		b, errB := trade.ParseDecimal(another)
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		if want := rational(t, one).Cmp(rational(t, another)); a.Cmp(b) != want {
			t.Fatalf("%s against %s is %d, want %d", one, another, a.Cmp(b), want)
		}
		if a.Sign() != rational(t, one).Sign() {
			t.Fatalf("the sign of %s is %d", one, a.Sign())
		}
	})
}
