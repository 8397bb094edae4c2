package pattern_test

import (
	"encoding/json"
	"strings"
	"testing"

	"trade-processing/local/pattern"
)

// decode reads JSON as events are read, keeping number literals.
func decode(t testing.TB, text string) map[string]any {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var event map[string]any
	if err := decoder.Decode(&event); err != nil {
		t.Fatalf("the event %s: %v", text, err)
	}
	return event
}

func matches(t testing.TB, text, event string) bool {
	t.Helper()
	p, err := pattern.Compile([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p.Match(decode(t, event))
}

// trade is an event as a source system sends it.
const trade = `{
	"version": "0", "id": "6f1c", "detail-type": "Trade Executed", "source": "trading.system1",
	"account": "123456789012", "time": "2026-03-02T14:30:00Z", "region": "us-east-1",
	"resources": ["arn:aws:trading:desk/rates", "arn:aws:trading:desk/equities/which-is-longer-than-an-address"],
	"detail": {
		"tradeId": "T-1", "amount": 1500.50, "currency": "USD", "venue": "XNYS", "urgent": true, "note": null, "desk": "",
		"client": {"address": "10.0.0.33", "address6": "2001:db8::1"},
		"legs": [{"side": "BUY", "quantity": 10}, {"side": "SELL", "quantity": 20, "price": 5}],
		"books": [["A", "B"], ["C"]], "tags": [], "prices": [1, 2.5]
	}
}`

// AWS's matcher compares paths, whose names it joins with dots: LocalStack's dot_joining_event, and event-ruler.
func TestANameWithADotIsAPath(t *testing.T) {
	for name, test := range map[string]struct {
		pattern, event string
		want           bool
	}{
		"to a value":                            {`{"detail": {"state": {"status": ["up"]}}}`, `{"detail": {"state.status": "up"}}`, true},
		"to an object":                          {`{"detail": {"state": {"status": ["up"]}}}`, `{"detail": {"state.status": {"status": "up"}}}`, false},
		"from the top":                          {`{"detail": {"state": {"status": ["up"]}}}`, `{"detail.state": {"status": "up"}}`, true},
		"over several names":                    {`{"detail": {"state": {"status": ["up"]}}}`, `{"detail.state.status": "up"}`, true},
		"beside the object it is a path of":     {`{"a": {"b": [1], "c": [2]}}`, `{"a.b": 1, "a": {"c": 2}}`, true},
		"beside another value of the same path": {`{"a": {"b": [1]}}`, `{"a.b": 2, "a": {"b": 1}}`, true},
		"beside an array, into each element":    {`{"a": {"b": [2], "c": [3]}}`, `{"a": [{"b": 1}, {"b": 2}], "a.c": 3}`, true},
		"beside an array of values":             {`{"a": {"b": [{"exists": true}]}}`, `{"a": [1, [2]], "a.b": 3}`, true},
		"beside a value":                        {`{"a": {"b": [1]}}`, `{"a": "x", "a.b": 1}`, true},
		"to what must not be there":             {`{"a": {"b": [{"exists": false}]}}`, `{"a.b": 1}`, false},
		"to something else":                     {`{"a": {"b": [{"exists": false}]}}`, `{"a.c": 1, "ab": 1, "a": [{"c.b": 1}]}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := matches(t, test.pattern, test.event); got != test.want {
				t.Errorf("%s matches %s: %t, want %t", test.pattern, test.event, got, test.want)
			}
		})
	}
}

func TestMatch(t *testing.T) {
	cases := map[string]struct {
		pattern string
		want    bool
	}{
		"a value of the list is the field's value":         {`{"source": ["trading.system9", "trading.system1"]}`, true},
		"no value of the list is":                          {`{"source": ["trading.system9"]}`, false},
		"texts are compared with case":                     {`{"source": ["Trading.system1"]}`, false},
		"all fields must match":                            {`{"source": ["trading.system1"], "region": ["eu-west-1"]}`, false},
		"a nested field is reached by nested objects":      {`{"detail": {"currency": ["USD"]}}`, true},
		"a field that is not there matches no value":       {`{"detail": {"book": ["A"]}}`, false},
		"a text is no number":                              {`{"account": [123456]}`, false},
		"a number is no text":                              {`{"detail": {"amount": ["1500.50"]}}`, false},
		"numbers are equal by value, not by spelling":      {`{"detail": {"amount": [1.5005e3]}}`, true},
		"true matches true":                                {`{"detail": {"urgent": [true]}}`, true},
		"true does not match false":                        {`{"detail": {"urgent": [false]}}`, false},
		"true does not match the text true":                {`{"detail": {"urgent": ["true"]}}`, false},
		"null matches null":                                {`{"detail": {"note": [null]}}`, true},
		"null does not match a field that is not there":    {`{"detail": {"book": [null]}}`, false},
		"null does not match an empty text":                {`{"detail": {"desk": [null]}}`, false},
		"an empty text matches an empty text":              {`{"detail": {"desk": [""]}}`, true},
		"one element of an array is enough":                {`{"resources": ["arn:aws:trading:desk/equities/which-is-longer-than-an-address"]}`, true},
		"an array without the value does not match":        {`{"resources": ["arn:aws:trading:desk/fx"]}`, false},
		"arrays in arrays are looked through":              {`{"detail": {"books": ["C"]}}`, true},
		"an empty array has no value":                      {`{"detail": {"tags": ["x", null]}}`, false},
		"an object is no value":                            {`{"detail": ["T-1", null, {"exists": true}]}`, false},
		"a field below a scalar is not there":              {`{"source": {"system": ["trading"]}}`, false},
		"fields of one element match together":             {`{"detail": {"legs": {"side": ["SELL"], "quantity": [20]}}}`, true},
		"fields of different elements never do":            {`{"detail": {"legs": {"side": ["BUY"], "quantity": [20]}}}`, false},
		"prefix of a text":                                 {`{"time": [{"prefix": "2026-03-02"}]}`, true},
		"prefix of another text":                           {`{"time": [{"prefix": "2026-03-03"}]}`, false},
		"an empty prefix matches any text":                 {`{"detail": {"tradeId": [{"prefix": ""}]}}`, true},
		"a number has no prefix":                           {`{"detail": {"amount": [{"prefix": "15"}]}}`, false},
		"a prefix regards case":                            {`{"source": [{"prefix": "TRADING"}]}`, false},
		"a prefix regardless of case":                      {`{"source": [{"prefix": {"equals-ignore-case": "TRADING."}}]}`, true},
		"a prefix regardless of case that is longer":       {`{"detail": {"tradeId": [{"prefix": {"equals-ignore-case": "t-12"}}]}}`, false},
		"suffix of a text":                                 {`{"detail-type": [{"suffix": "Executed"}]}`, true},
		"suffix of another text":                           {`{"detail-type": [{"suffix": "Cancelled"}]}`, false},
		"a suffix regardless of case":                      {`{"detail-type": [{"suffix": {"equals-ignore-case": "executed"}}]}`, true},
		"a suffix regardless of case of another text":      {`{"detail-type": [{"suffix": {"equals-ignore-case": "exekuted"}}]}`, false},
		"equal regardless of case":                         {`{"detail-type": [{"equals-ignore-case": "TRADE executed"}]}`, true},
		"a part regardless of case is not equal":           {`{"detail-type": [{"equals-ignore-case": "TRADE"}]}`, false},
		"anything but another text":                        {`{"detail": {"venue": [{"anything-but": "XLON"}]}}`, true},
		"anything but the text":                            {`{"detail": {"venue": [{"anything-but": "XNYS"}]}}`, false},
		"anything but a list without the text":             {`{"detail": {"venue": [{"anything-but": ["XLON", "XETR"]}]}}`, true},
		"anything but a list with the text":                {`{"detail": {"venue": [{"anything-but": ["XLON", "XNYS"]}]}}`, false},
		"anything but the number":                          {`{"detail": {"amount": [{"anything-but": 1500.5}]}}`, false},
		"anything but numbers, none of them the value":     {`{"detail": {"amount": [{"anything-but": [1, 2]}]}}`, true},
		"a number is anything but a text":                  {`{"detail": {"amount": [{"anything-but": "1500.50"}]}}`, true},
		"a boolean is anything but a text":                 {`{"detail": {"urgent": [{"anything-but": "true"}]}}`, true},
		"null is anything but a text":                      {`{"detail": {"note": [{"anything-but": "x"}]}}`, true},
		"a field that is not there is nothing at all":      {`{"detail": {"book": [{"anything-but": "A"}]}}`, false},
		"one other element makes an array anything but":    {`{"resources": [{"anything-but": "arn:aws:trading:desk/rates"}]}`, true},
		"anything but a prefix":                            {`{"source": [{"anything-but": {"prefix": "trading."}}]}`, false},
		"anything but prefixes of others":                  {`{"source": [{"anything-but": {"prefix": ["aws.", "custom."]}}]}`, true},
		"anything but a suffix":                            {`{"source": [{"anything-but": {"suffix": "system1"}}]}`, false},
		"anything but suffixes of others":                  {`{"source": [{"anything-but": {"suffix": ["2", "3"]}}]}`, true},
		"anything but a text regardless of case":           {`{"detail": {"currency": [{"anything-but": {"equals-ignore-case": ["eur", "usd"]}}]}}`, false},
		"anything but another regardless of case":          {`{"detail": {"currency": [{"anything-but": {"equals-ignore-case": "eur"}}]}}`, true},
		"anything but a wildcard that fits":                {`{"source": [{"anything-but": {"wildcard": "*.system*"}}]}`, false},
		"anything but wildcards that don't fit":            {`{"source": [{"anything-but": {"wildcard": ["*.desk*", "x*"]}}]}`, true},
		"a number equal to the value":                      {`{"detail": {"amount": [{"numeric": ["=", 1500.5]}]}}`, true},
		"a number in the range":                            {`{"detail": {"amount": [{"numeric": [">", 1500, "<=", 1500.5]}]}}`, true},
		"a number at an open bound is out":                 {`{"detail": {"amount": [{"numeric": [">", 1500.5]}]}}`, false},
		"a number at a closed bound is in":                 {`{"detail": {"amount": [{"numeric": [">=", 1500.5, "<", 1501]}]}}`, true},
		"a number a millionth below the bound":             {`{"detail": {"amount": [{"numeric": ["<", 1500.500001]}]}}`, true},
		"a text is in no range":                            {`{"account": [{"numeric": [">", 0]}]}`, false},
		"any element in the range is enough":               {`{"detail": {"prices": [{"numeric": [">", 2]}]}}`, true},
		"the field exists":                                 {`{"detail": {"currency": [{"exists": true}]}}`, true},
		"a field that is null exists":                      {`{"detail": {"note": [{"exists": true}]}}`, true},
		"the field does not exist":                         {`{"detail": {"book": [{"exists": true}]}}`, false},
		"the field must not exist, and doesn't":            {`{"detail": {"book": [{"exists": false}]}}`, true},
		"the field must not exist, and does":               {`{"detail": {"currency": [{"exists": false}]}}`, false},
		"an object is no leaf, so it does not exist":       {`{"detail": {"client": [{"exists": false}]}}`, true},
		"an empty array has no leaf, so it does not exist": {`{"detail": {"tags": [{"exists": false}]}}`, true},
		"a leaf below a missing object does not exist":     {`{"detail": {"audit": {"by": [{"exists": false}]}}}`, true},
		"a leaf below a scalar does not exist":             {`{"source": {"by": [{"exists": false}]}}`, true},
		"a value or no field at all: the value":            {`{"detail": {"venue": ["XNYS", {"exists": false}]}}`, true},
		"a value or no field at all: no field":             {`{"detail": {"book": ["A", {"exists": false}]}}`, true},
		"a value or no field at all: another value":        {`{"detail": {"venue": ["XLON", {"exists": false}]}}`, false},
		"absent from every element":                        {`{"detail": {"legs": {"fee": [{"exists": false}]}}}`, true},
		"absent from one element only":                     {`{"detail": {"legs": {"price": [{"exists": false}]}}}`, false},
		"absence whose name comes before the value's name": {`{"detail": {"legs": {"price": [{"exists": false}], "aside": [{"exists": false}], "side": ["BUY"]}}}`, false},
		"absent after the value that picked the element":   {`{"detail": {"legs": {"side": ["BUY"], "zone": [{"exists": false}], "quantity": [10]}}}`, true},
		"present in another element than the picked one":   {`{"detail": {"legs": {"quantity": [10], "side": ["BUY"], "sideprice": [{"exists": false}]}}}`, true},
		"an address in the block":                          {`{"detail": {"client": {"address": [{"cidr": "10.0.0.0/24"}]}}}`, true},
		"an address out of the block":                      {`{"detail": {"client": {"address": [{"cidr": "10.0.1.0/24"}]}}}`, false},
		"an IPv6 address in the block":                     {`{"detail": {"client": {"address6": [{"cidr": "2001:db8::/32"}]}}}`, true},
		"a text that is no address is in no block":         {`{"source": [{"cidr": "0.0.0.0/0"}]}`, false},
		"a text longer than any address is in no block":    {`{"resources": [{"cidr": "::/0"}], "source": [{"cidr": "0.0.0.0/0"}]}`, false},
		"IPv6 addresses are equal by value":                {`{"detail": {"client": {"address6": ["2001:0db8:0:0:0:0:0:1"]}}}`, true},
		"a wildcard at the end":                            {`{"source": [{"wildcard": "trading.*"}]}`, true},
		"a wildcard at the start":                          {`{"source": [{"wildcard": "*1"}]}`, true},
		"wildcards on both sides":                          {`{"source": [{"wildcard": "*.sys*"}]}`, true},
		"wildcards between":                                {`{"source": [{"wildcard": "t*.s*m1"}]}`, true},
		"a wildcard stands for nothing too":                {`{"source": [{"wildcard": "trading*.system1"}]}`, true},
		"the pieces of a wildcard must not overlap":        {`{"detail": {"tradeId": [{"wildcard": "T-*-1"}]}}`, false},
		"a wildcard without asterisk is the text":          {`{"detail": {"tradeId": [{"wildcard": "T-1"}]}}`, true},
		"a wildcard of other pieces":                       {`{"source": [{"wildcard": "t*x*1"}]}`, false},
		"an escaped asterisk is an asterisk":               {`{"source": [{"wildcard": "trading.\\*"}]}`, false},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			if got := matches(t, test.pattern, trade); got != test.want {
				t.Errorf("%s: %t, want %t", test.pattern, got, test.want)
			}
		})
	}
}

func TestMatchingNumbers(t *testing.T) {
	cases := map[string]struct {
		pattern, number string
		want            bool
	}{
		"zero is zero":       {`["=", 0]`, `-0.000e7`, true},
		"the largest number": {`["=", 5.0e9]`, `5000000000`, true},
		"a number out of EventBridge's range compares to none":  {`["<=", 5e9]`, `5000000000.000001`, false},
		"a huge number compares to none":                        {`[">", 0]`, `1e999999999999`, false},
		"a tiny number compares to none":                        {`[">=", 0]`, `1e-999999999999`, false},
		"an exponent that no integer holds":                     {`[">", 0]`, `1e99999999999999999999`, false},
		"an exponent far below that":                            {`[">=", 0]`, `1e-99999999999999999999`, false},
		"a number of more than six decimals compares to none":   {`[">", 0]`, `0.1234567`, false},
		"zeros behind the sixth decimal do not count":           {`["=", 0.123456]`, `0.12345600000`, true},
		"an exponent moves the point":                           {`["=", 0.000001]`, `1E-6`, true},
		"a binary fraction would be off by a millionth":         {`["=", 4999999999.999999]`, `4999999999.999999`, true},
		"and its neighbour is not equal":                        {`["=", 4999999999.999999]`, `4999999999.999998`, false},
		"negative numbers are ordered":                          {`[">", -2, "<", -1]`, `-1.5`, true},
		"an amount as a decimal of a coin's smallest unit":      {`["=", 0.5]`, `0.500000000000000000`, true},
		"an amount that is smaller than what can be compared":   {`["<", 1]`, `0.0000586105`, false},
		"digits above the range are refused even behind zeros ": {`[">", 0]`, `000.1e20`, false},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			p, err := pattern.Compile([]byte(`{"n": [{"numeric": ` + test.pattern + `}]}`))
			if err != nil {
				t.Fatal(err)
			}
			if got := p.Match(map[string]any{"n": json.Number(test.number)}); got != test.want {
				t.Errorf("numeric %s matches %s: %t, want %t", test.pattern, test.number, got, test.want)
			}
		})
	}
}

// What EventBridge can't compare, such as an account number, still matches if written the same way.
func TestNumbersBeyondComparisonMatchAsTheyAreWritten(t *testing.T) {
	cases := map[string]struct {
		pattern, number string
		want            bool
	}{
		"an account's number":                       {`123456789012`, `123456789012`, true},
		"another one":                               {`123456789012`, `123456789013`, false},
		"the same number in another spelling":       {`123456789012`, `1.23456789012e11`, false},
		"seven decimals":                            {`0.1234567`, `0.1234567`, true},
		"seven decimals that end in another one":    {`0.1234567`, `0.1234568`, false},
		"seven decimals, six of which are the same": {`0.1234567`, `0.123456`, false},
		"an exponent beyond all":                    {`1e999`, `1e999`, true},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			if got := matches(t, `{"a": [`+test.pattern+`]}`, `{"a": `+test.number+`}`); got != test.want {
				t.Errorf("%s matches %s: %t, want %t", test.pattern, test.number, got, test.want)
			}
			if matches(t, `{"a": [`+test.pattern+`]}`, `{"a": "`+test.number+`"}`) {
				t.Error("a text of it matches too")
			}
		})
	}
}

func TestCaseIsIgnoredCharacterByCharacter(t *testing.T) {
	cases := map[string]struct {
		pattern, text string
		want          bool
	}{
		"an accented letter":               {"ÉTÉ", "été", true},
		"Greek's two small sigmas":         {"ΣΑΣ", "σας", true},
		"a sharp s is not two":             {"STRASSE", "straße", false},
		"the Kelvin sign is a letter k":    {"k", "\u212a", true},
		"a dotless i is not the letter l":  {"ı", "l", false},
		"an emoji is itself":               {"🙂x", "🙂X", true},
		"a text that ends before":          {"abc", "ab", false},
		"a text that goes on":              {"ab", "abc", false},
		"an empty text":                    {"", "", true},
		"a broken character is not a text": {"é", "\xc3", false},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			operand, err := json.Marshal(test.pattern)
			if err != nil {
				t.Fatal(err)
			}
			for _, operator := range []string{
				`{"equals-ignore-case": ` + string(operand) + `}`,
				`{"anything-but": {"equals-ignore-case": ` + string(operand) + `}}`,
			} {
				p, err := pattern.Compile([]byte(`{"a": [` + operator + `]}`))
				if err != nil {
					t.Fatal(err)
				}
				want := test.want != strings.Contains(operator, "anything-but")
				if got := p.Match(map[string]any{"a": test.text}); got != want {
					t.Errorf("%s matches %q: %t, want %t", operator, test.text, got, want)
				}
			}
		})
	}
}

func BenchmarkMatch(b *testing.B) {
	event := decode(b, trade)
	for name, text := range map[string]string{
		"source":     `{"source": ["trading.system1"]}`,
		"usual":      `{"source": ["trading.system1"], "detail-type": ["Trade Executed"], "detail": {"amount": [{"numeric": [">", 0]}], "currency": ["EUR", "USD"]}}`,
		"everything": `{"source": [{"prefix": "trading."}], "detail": {"legs": {"side": ["SELL"], "quantity": [{"numeric": [">", 15]}]}, "client": {"address": [{"cidr": "10.0.0.0/8"}]}, "venue": [{"anything-but": ["XLON"]}], "book": [{"exists": false}]}}`,
	} {
		b.Run(name, func(b *testing.B) {
			p, err := pattern.Compile([]byte(text))
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if !p.Match(event) {
					b.Fatal("no match")
				}
			}
		})
	}
}
