package table

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/aws/smithy-go"
	"pgregory.net/rapid"
)

func TestNumbersReadBackInNormalForm(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"an integer stays", "42", "42"},
		{"zero in any spelling is 0", "-000.000e7", "0"},
		{"a leading plus goes", "+7", "7"},
		{"leading zeros go", "007", "7"},
		{"trailing zeros of a fraction go", "1.500", "1.5"},
		{"trailing zeros of an integer stay", "1500", "1500"},
		{"an exponent is written out", "1e3", "1000"},
		{"a negative exponent is written out", "-12.5E-3", "-0.0125"},
		{"a bare fraction gets its zero", ".5", "0.5"},
		{"a bare point is dropped", "5.", "5"},
		{"38 digits are kept", "12345678901234567890123456789012345678", "12345678901234567890123456789012345678"},
		{"zeros beyond 38 places are no digits", "1" + strings.Repeat("0", 100), "1" + strings.Repeat("0", 100)},
		{"the largest magnitude", "9.9e125", "99" + strings.Repeat("0", 124)},
		{"the smallest magnitude", "1e-130", "0." + strings.Repeat("0", 129) + "1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n, err := parseNumber(tc.text)
			if err != nil {
				t.Fatal(err)
			}
			if got := n.String(); got != tc.want {
				t.Errorf("%s reads back as %s, want %s", tc.text, got, tc.want)
			}
		})
	}
}

func TestNumbersThatDynamoDBRefuses(t *testing.T) {
	const notNumeric = "The parameter cannot be converted to a numeric value: "
	for _, tc := range []struct{ name, text, want string }{
		{"no digits at all", "", notNumeric},
		{"a word", "abc", notNumeric + "abc"},
		{"a space before", " 1", notNumeric + " 1"},
		{"a space after", "1 ", notNumeric + "1 "},
		{"two points", "1.2.3", notNumeric + "1.2.3"},
		{"an empty exponent", "1e", notNumeric + "1e"},
		{"a signed empty exponent", "1e-", notNumeric + "1e-"},
		{"a broken exponent", "1e5x", notNumeric + "1e5x"},
		{"not a number", "NaN", notNumeric + "NaN"},
		{"infinity", "Infinity", notNumeric + "Infinity"},
		{"hexadecimal", "0x10", notNumeric + "0x10"},
		{"39 digits", "123456789012345678901234567890123456789", "Attempting to store more than 38 significant digits in a Number"},
		{"39 digits around a point", "-1.23456789012345678901234567890123456789", "Attempting to store more than 38 significant digits in a Number"},
		{"too large", "1e126", "Number overflow. Attempting to store a number with magnitude larger than supported range"},
		{"too small", "1e-131", "Number underflow. Attempting to store a number with magnitude smaller than supported range"},
		{"an exponent beyond any integer", "1e99999999999999999999999", "Number overflow. Attempting to store a number with magnitude larger than supported range"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := parseNumber(tc.text)
			wantValidation(t, err, tc.want)
		})
	}
}

func TestNumbersKeepTheirValueAndTheirOrder(t *testing.T) {
	literal := rapid.Custom(func(t *rapid.T) string {
		digits := rapid.StringMatching(`[0-9]{1,18}(\.[0-9]{1,18})?`).Draw(t, "digits")
		sign := rapid.SampledFrom([]string{"", "-", "+"}).Draw(t, "sign")
		return sign + digits + fmt.Sprintf("e%d", rapid.IntRange(-100, 100).Draw(t, "exponent"))
	})
	rapid.Check(t, func(t *rapid.T) {
		var values [2]*big.Rat
		var numbers [2]*number
		for i := range values {
			text := literal.Draw(t, "text")
			n, err := parseNumber(text)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			values[i], _ = new(big.Rat).SetString(text)
			back, _ := new(big.Rat).SetString(n.String())
			if back.Cmp(values[i]) != 0 {
				t.Fatalf("%s became %s", text, n.String())
			}
			again, err := parseNumber(n.String())
			if err != nil || again.String() != n.String() {
				t.Fatalf("normal form %s of %s is not stable: %v", n.String(), text, err)
			}
			numbers[i] = n
		}
		want := values[0].Cmp(values[1])
		if got := numbers[0].Cmp(&numbers[1].Decimal); got != want {
			t.Fatalf("%s to %s is %d, want %d", numbers[0], numbers[1], got, want)
		}
		if got := bytes.Compare(numbers[0].appendKey(nil), numbers[1].appendKey(nil)); got != want {
			t.Fatalf("the keys of %s and %s compare as %d, want %d", numbers[0], numbers[1], got, want)
		}
	})
}

func FuzzNumberIsReadOrRefused(f *testing.F) {
	for _, seed := range []string{"0", "-1.50e-7", "1e126", "..", "9999999999999999999999999999999999999999", "+.0E+0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := parseNumber(text)
		if err != nil {
			wantValidation(t, err, "")
			return
		}
		again, err := parseNumber(n.String())
		if err != nil || again.String() != n.String() {
			t.Fatalf("%q reads as %s, which reads as %s: %v", text, n, again, err)
		}
		if n.IsZero() {
			return // math/big would write out its exponent
		}
		sent, _ := new(big.Rat).SetString(text)
		if kept, _ := new(big.Rat).SetString(n.String()); sent == nil || kept.Cmp(sent) != 0 {
			t.Fatalf("%q reads as %s", text, n)
		}
	})
}

// wantValidation expects a ValidationException that contains a text.
func wantValidation(t testing.TB, err error, contains string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != "ValidationException" {
		t.Fatalf("got %v, want a ValidationException", err)
	}
	if !strings.Contains(api.ErrorMessage(), contains) {
		t.Fatalf("got %q, want it to contain %q", api.ErrorMessage(), contains)
	}
}
