package pattern_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"trade-processing/local/pattern"
)

// decode reads JSON as events are read: with numbers as their literals.
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
	"resources": ["arn:aws:trading:desk/rates", "arn:aws:trading:desk/equities"],
	"detail": {
		"tradeId": "T-1", "amount": 1500.50, "currency": "USD", "venue": "XNYS", "urgent": true, "note": null, "desk": "",
		"client": {"address": "10.0.0.33", "address6": "2001:db8::1"},
		"legs": [{"side": "BUY", "quantity": 10}, {"side": "SELL", "quantity": 20, "price": 5}],
		"books": [["A", "B"], ["C"]], "tags": [], "prices": [1, 2.5]
	}
}`

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
		"one element of an array is enough":                {`{"resources": ["arn:aws:trading:desk/equities"]}`, true},
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
		"one alternative of $or matches":                   {`{"$or": [{"region": ["eu-west-1"]}, {"source": [{"prefix": "trading"}]}]}`, true},
		"no alternative of $or matches":                    {`{"$or": [{"region": ["eu-west-1"]}, {"source": [{"prefix": "x"}]}]}`, false},
		"$or stands beside other fields":                   {`{"account": ["0"], "$or": [{"region": ["us-east-1"]}, {"source": ["x"]}]}`, false},
		"$or stands inside a field":                        {`{"detail": {"$or": [{"venue": ["XLON"]}, {"amount": [{"numeric": [">", 1000]}]}]}}`, true},
		"$or stands inside $or":                            {`{"$or": [{"region": ["x"]}, {"source": ["trading.system1"], "$or": [{"id": ["6f1c"]}, {"account": ["0"]}]}]}`, true},
		"$or within one element of an array":               {`{"detail": {"legs": {"side": ["BUY"], "$or": [{"quantity": [20]}, {"price": [5]}]}}}`, false},
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
		"zero with a huge exponent is zero":                     {`["=", 0]`, `0e999999999999`, true},
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

// choices is an $or of n alternatives.
func choices(name string, n int) string {
	alternatives := make([]string, n)
	for i := range alternatives {
		alternatives[i] = fmt.Sprintf(`{"%s": [%d]}`, name, i)
	}
	return `"$or": [` + strings.Join(alternatives, ", ") + `]`
}

func TestAThousandCombinationsAreTaken(t *testing.T) {
	text := `{"a": {` + choices("b", 10) + `}, "c": {` + choices("d", 10) + `}, ` + choices("e", 10) + `}`
	if !matches(t, text, `{"a": {"b": 9}, "c": {"d": 0}, "e": 5}`) || matches(t, text, `{"a": {"b": 9}, "c": {"d": 10}, "e": 5}`) {
		t.Error("they do not match as they must")
	}
}

func TestCompileRefuses(t *testing.T) {
	cases := map[string]struct{ pattern, want string }{
		"an operator that is not known":           {`{"detail": {"amount": [{"foo": 1}]}}`, `event pattern: detail.amount: operator "foo" is not known`},
		"the matcher's own operator exactly":      {`{"a": [{"exactly": "x"}]}`, `event pattern: a: operator "exactly" is not known`},
		"an operator with capital letters":        {`{"a": [{"Prefix": "x"}]}`, `event pattern: a: operator "Prefix" is not known`},
		"text that is not JSON":                   {`{"a": [1]`, `event pattern: not valid JSON: unexpected EOF`},
		"nothing at all":                          {``, `event pattern: not valid JSON: unexpected EOF`},
		"two patterns":                            {`{"a":[1]} {"b":[1]}`, `event pattern: not valid JSON: something follows after the pattern`},
		"text that is not UTF-8":                  {"{\"a\": [\"\xff\"]}", `event pattern: not valid UTF-8`},
		"a pattern that is too long":              {`{"a": ["` + strings.Repeat("é", 4096) + `"]}`, `event pattern: it has 4107 characters, and EventBridge takes at most 4096`},
		"an array":                                {`[1]`, `event pattern: must be an object, not an array`},
		"an empty pattern":                        {`{}`, `event pattern: an empty object selects nothing; leave the field out`},
		"an empty object":                         {`{"detail": {}}`, `event pattern: detail: an empty object selects nothing; leave the field out`},
		"an empty array":                          {`{"detail": {"a": []}}`, `event pattern: detail.a: an empty array selects nothing; leave the field out`},
		"a leaf that is no array":                 {`{"source": "aws.ec2"}`, `event pattern: source: must be an object or an array, not a string`},
		"a leaf that is null":                     {`{"source": null}`, `event pattern: source: must be an object or an array, not null`},
		"an array in an array":                    {`{"a": [["x"]]}`, `event pattern: a: the array must hold strings, numbers, true, false, null and operators, and holds an array`},
		"a name that stands twice":                {`{"detail": {"a": [1], "a": [2]}}`, `event pattern: detail.a: stands twice`},
		"an operator without a name":              {`{"a": [{}]}`, `event pattern: a: an operator must have one key, and has 0: []`},
		"two operators in one object":             {`{"a": [{"prefix": "x", "suffix": "y"}]}`, `event pattern: a: an operator must have one key, and has 2: ["prefix" "suffix"]`},
		"a number above the range":                {`{"a": [{"numeric": ["=", 5000000001]}]}`, `event pattern: a: 5000000001: EventBridge compares numbers from -5.0e9 to 5.0e9 only`},
		"a name with a dot":                       {`{"detail": {"a.b": [1]}}`, `event pattern: detail."a.b": a name with a dot; AWS's matcher takes it for the path of a nested field`},
		"a name with a dot of an object":          {`{"detail.a": {"b": [1]}}`, `event pattern: "detail.a": a name with a dot; AWS's matcher takes it for the path of a nested field`},
		"an $or of too many combinations":         {`{"a": {` + choices("b", 10) + `}, "c": {` + choices("d", 10) + `}, ` + choices("e", 11) + `}`, `event pattern: its $or make 1100 combinations, and EventBridge takes at most 1000`},
		"a number below the range":                {`{"a": [{"numeric": ["<", -6e9]}]}`, `event pattern: a: -6e9: EventBridge compares numbers from -5.0e9 to 5.0e9 only`},
		"a number of seven decimals":              {`{"a": [{"anything-but": 0.1234567}]}`, `event pattern: a: 0.1234567: EventBridge compares numbers to six digits right of the point only`},
		"exists with a text":                      {`{"a": [{"exists": "true"}]}`, `event pattern: a: exists must be true or false, not a string`},
		"numeric without an array":                {`{"a": [{"numeric": 5}]}`, `event pattern: a: numeric must be an array such as [">", 0, "<=", 5], not a number`},
		"numeric with one term":                   {`{"a": [{"numeric": ["="]}]}`, `event pattern: a: numeric must be one or two comparisons of an operator and a number each, and has 1 terms`},
		"numeric with three terms":                {`{"a": [{"numeric": [">", 1, "<"]}]}`, `event pattern: a: numeric must be one or two comparisons of an operator and a number each, and has 3 terms`},
		"numeric with an unknown operator":        {`{"a": [{"numeric": ["!=", 1]}]}`, `event pattern: a: numeric: operator "!=" is not known`},
		"numeric with a number as operator":       {`{"a": [{"numeric": [1, 1]}]}`, `event pattern: a: numeric: a number stands where an operator must`},
		"numeric with a text as number":           {`{"a": [{"numeric": [">", "1"]}]}`, `event pattern: a: numeric: a string stands where a number must`},
		"numeric with the upper bound first":      {`{"a": [{"numeric": ["<", 5, ">", 1]}]}`, `event pattern: a: numeric: a range is a lower bound (>, >=) followed by an upper bound (<, <=)`},
		"numeric with two lower bounds":           {`{"a": [{"numeric": [">", 1, ">=", 5]}]}`, `event pattern: a: numeric: a range is a lower bound (>, >=) followed by an upper bound (<, <=)`},
		"numeric with an equal sign in a range":   {`{"a": [{"numeric": [">", 1, "=", 5]}]}`, `event pattern: a: numeric: a range is a lower bound (>, >=) followed by an upper bound (<, <=)`},
		"a range that holds no number":            {`{"a": [{"numeric": [">", 5, "<", 5]}]}`, `event pattern: a: numeric: no number lies between the bounds`},
		"anything-but with a boolean":             {`{"a": [{"anything-but": true}]}`, `event pattern: a: anything-but takes strings and numbers, not a boolean`},
		"anything-but with null in a list":        {`{"a": [{"anything-but": [null]}]}`, `event pattern: a: anything-but takes strings and numbers, not null`},
		"anything-but of texts and numbers":       {`{"a": [{"anything-but": ["x", 1]}]}`, `event pattern: a: anything-but: a list holds either strings or numbers, not both`},
		"anything-but of nothing":                 {`{"a": [{"anything-but": []}]}`, `event pattern: a: anything-but: an empty list excludes nothing`},
		"anything-but with an unknown operator":   {`{"a": [{"anything-but": {"numeric": ["=", 1]}}]}`, `event pattern: a: anything-but: operator "numeric" is not known`},
		"anything-but with two operators":         {`{"a": [{"anything-but": {"prefix": "x", "suffix": "y"}}]}`, `event pattern: a: anything-but must have one key, and has 2: ["prefix" "suffix"]`},
		"anything-but with an empty prefix":       {`{"a": [{"anything-but": {"prefix": ""}}]}`, `event pattern: a: anything-but: prefix: an empty string excludes everything`},
		"anything-but with no prefixes":           {`{"a": [{"anything-but": {"prefix": []}}]}`, `event pattern: a: anything-but: prefix: an empty list excludes nothing`},
		"anything-but with a number for a suffix": {`{"a": [{"anything-but": {"suffix": [1]}}]}`, `event pattern: a: anything-but: suffix must be a string, not a number`},
		"a prefix that is a number":               {`{"a": [{"prefix": 1}]}`, `event pattern: a: prefix must be a string, not a number`},
		"a prefix with another operator":          {`{"a": [{"prefix": {"wildcard": "x*"}}]}`, `event pattern: a: prefix: operator "wildcard" is not known`},
		"a suffix regardless of the case of 1":    {`{"a": [{"suffix": {"equals-ignore-case": 1}}]}`, `event pattern: a: suffix: equals-ignore-case must be a string, not a number`},
		"a prefix with two operators":             {`{"a": [{"prefix": {"equals-ignore-case": "x", "x": 1}}]}`, `event pattern: a: prefix must have one key, and has 2: ["equals-ignore-case" "x"]`},
		"equals-ignore-case with a list":          {`{"a": [{"equals-ignore-case": ["x"]}]}`, `event pattern: a: equals-ignore-case must be a string, not an array`},
		"a block that is an address":              {`{"a": [{"cidr": "10.0.0.0"}]}`, `event pattern: a: cidr: "10.0.0.0" is no block of addresses such as 10.0.0.0/24`},
		"a block that is a number":                {`{"a": [{"cidr": 10}]}`, `event pattern: a: cidr must be a string, not a number`},
		"two asterisks in a row":                  {`{"a": [{"wildcard": "x**y"}]}`, `event pattern: a: wildcard: "x**y" has two asterisks in a row`},
		"a backslash before another character":    {`{"a": [{"wildcard": "x\\y"}]}`, `event pattern: a: wildcard: "x\\y" has a backslash that stands before neither * nor \`},
		"a backslash at the end":                  {`{"a": [{"wildcard": "x\\"}]}`, `event pattern: a: wildcard: "x\\" has a backslash that stands before neither * nor \`},
		"$or with one object":                     {`{"$or": [{"a": [1]}]}`, `event pattern: $or: must be an array of at least two objects`},
		"$or that is no array":                    {`{"$or": 1}`, `event pattern: $or: must be an object or an array, not a number`},
		"$or with a text":                         {`{"detail": {"$or": [{"a": [1]}, "b"]}}`, `event pattern: detail.$or: must be an array of objects, and holds a string`},
		"$or with an empty object":                {`{"$or": [{"a": [1]}, {}]}`, `event pattern: an empty object selects nothing; leave the field out`},
		"an operator's name as a field in $or":    {`{"$or": [{"numeric": [1]}, {"a": [1]}]}`, `event pattern: numeric: "numeric" is an operator's name, which no field inside $or may have`},
		"an operator's name deep in $or":          {`{"$or": [{"b": {"prefix": {"c": [1]}}}, {"a": [1]}]}`, `event pattern: b.prefix: "prefix" is an operator's name, which no field inside $or may have`},
		"a path beside an $or and inside it":      {`{"a": {"b": [1]}, "$or": [{"a": {"b": [2]}}, {"c": [1]}]}`, `event pattern: a.b: stands twice, beside an $or and inside it`},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := pattern.Compile([]byte(test.pattern))
			if err == nil {
				t.Fatalf("%s was taken", test.pattern)
			}
			if err.Error() != test.want {
				t.Errorf("%s:\n got %s\nwant %s", test.pattern, err, test.want)
			}
		})
	}
}

// What EventBridge can't compare, such as an account's number, it still finds
// when it is written in the same way.
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

func TestCompileReportsAllProblemsAtOnce(t *testing.T) {
	_, err := pattern.Compile([]byte(`{"source": "x", "detail": {"a": [{"foo": 1}, {"bar": 2}], "b": {}}}`))
	want := `event pattern: source: must be an object or an array, not a string
event pattern: detail.a: operator "foo" is not known
event pattern: detail.a: operator "bar" is not known
event pattern: detail.b: an empty object selects nothing; leave the field out`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
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

func TestNumbersCompareAsTheirExactValues(t *testing.T) {
	number := rapid.Custom(func(t *rapid.T) string {
		whole := rapid.Int64Range(-5_000_000_000, 5_000_000_000).Draw(t, "whole")
		text := big.NewInt(whole).String()
		if decimals := rapid.StringMatching(`[0-9]{1,6}`).Draw(t, "decimals"); whole != 5_000_000_000 && whole != -5_000_000_000 {
			text += "." + decimals
		}
		return text
	})
	rapid.Check(t, func(t *rapid.T) {
		bound, value := number.Draw(t, "bound"), number.Draw(t, "value")
		a, _ := new(big.Rat).SetString(value)
		b, _ := new(big.Rat).SetString(bound)
		order := a.Cmp(b)
		for operator, want := range map[string]bool{
			"=": order == 0, "<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0,
		} {
			p, err := pattern.Compile([]byte(`{"n": [{"numeric": ["` + operator + `", ` + bound + `]}]}`))
			if err != nil {
				t.Fatal(err)
			}
			if got := p.Match(map[string]any{"n": json.Number(value)}); got != want {
				t.Errorf("%s %s %s: %t", value, operator, bound, got)
			}
		}
	})
}

func TestWildcardsAgreeWithARegularExpression(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pieces := rapid.SliceOfN(rapid.StringMatching(`[ab]{1,3}`), 1, 4).Draw(t, "pieces")
		wildcard := strings.Join(pieces, "*")
		if rapid.Bool().Draw(t, "open start") {
			wildcard = "*" + wildcard
		}
		if rapid.Bool().Draw(t, "open end") {
			wildcard += "*"
		}
		text := rapid.StringMatching(`[ab]{0,12}`).Draw(t, "text")
		want := regexp.MustCompile("^" + strings.ReplaceAll(wildcard, "*", ".*") + "$").MatchString(text)
		p, err := pattern.Compile([]byte(`{"a": [{"wildcard": "` + wildcard + `"}]}`))
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Match(map[string]any{"a": text}); got != want {
			t.Errorf("%q matches %q: %t, want %t", wildcard, text, got, want)
		}
	})
}

// scalar, value and object draw small events from few names and values, so
// that patterns drawn from the same match often enough.
var (
	scalar = rapid.SampledFrom([]any{"x", "y", json.Number("1"), json.Number("2.0"), true, nil})
	names  = rapid.SampledFrom([]string{"a", "b", "c"})
)

func drawObject(t *rapid.T, depth int) map[string]any {
	object := map[string]any{}
	for range rapid.IntRange(0, 3).Draw(t, "members") {
		object[names.Draw(t, "name")] = drawValue(t, depth-1)
	}
	return object
}

func drawValue(t *rapid.T, depth int) any {
	kind := rapid.IntRange(0, 3).Draw(t, "kind")
	switch {
	case depth <= 0 || kind <= 1:
		return scalar.Draw(t, "scalar")
	case kind == 2:
		return drawObject(t, depth)
	default:
		array := []any{}
		for range rapid.IntRange(0, 3).Draw(t, "elements") {
			array = append(array, drawValue(t, depth-1))
		}
		return array
	}
}

var leaves = rapid.SampledFrom([]string{
	`["x"]`, `["y", 1]`, `[true, null]`, `[{"exists": true}]`, `[{"exists": false}]`, `["x", {"exists": false}]`,
	`[{"anything-but": "x"}]`, `[{"numeric": [">", 1]}]`, `[{"prefix": "x"}]`,
})

func drawPattern(t *rapid.T, depth int) string {
	members := []string{}
	for _, name := range rapid.SliceOfNDistinct(names, 1, 2, rapid.ID).Draw(t, "names") {
		value := leaves.Draw(t, "leaf")
		if depth > 1 && rapid.Bool().Draw(t, "nested") {
			value = drawPattern(t, depth-1)
		}
		members = append(members, `"`+name+`": `+value)
	}
	return "{" + strings.Join(members, ", ") + "}"
}

func TestOrIsTheUnionOfItsAlternatives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		one, other := drawPattern(t, 3), drawPattern(t, 3)
		event := drawObject(t, 4)
		match := func(text string) bool {
			p, err := pattern.Compile([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			return p.Match(event)
		}
		if got, want := match(`{"$or": [`+one+`, `+other+`]}`), match(one) || match(other); got != want {
			t.Errorf("$or of %s and %s on %v: %t, want %t", one, other, event, got, want)
		}
	})
}

func TestAnArrayOfOneIsItsElement(t *testing.T) {
	var wrap func(any) any
	wrap = func(value any) any {
		switch value := value.(type) {
		case map[string]any:
			wrapped := map[string]any{}
			for name, member := range value {
				wrapped[name] = []any{wrap(member)}
			}
			return wrapped
		case []any:
			wrapped := []any{}
			for _, element := range value {
				wrapped = append(wrapped, []any{wrap(element)})
			}
			return wrapped
		}
		return value
	}
	rapid.Check(t, func(t *rapid.T) {
		text := drawPattern(t, 3)
		event := drawObject(t, 4)
		p, err := pattern.Compile([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := p.Match(wrap(event).(map[string]any)), p.Match(event); got != want {
			t.Errorf("%s on %v: %t wrapped, %t not", text, event, got, want)
		}
	})
}

func TestManyElementsInManyArraysAreNoDetour(t *testing.T) {
	// Twelve arrays of a hundred elements that match all but for the last:
	// trying every combination would take longer than the universe lasts.
	var fields, members []string
	for _, name := range strings.Split("abcdefghijkl", "") {
		fields = append(fields, `"`+name+`": {"x": [1], "y": [2]}`)
		members = append(members, `"`+name+`": [`+strings.TrimSuffix(strings.Repeat(`{"x": 1, "y": 2},`, 100), ",")+`]`)
	}
	text := `{"detail": {` + strings.Join(fields, ",") + `, "z": ["no"]}}`
	event := `{"detail": {` + strings.Join(members, ",") + `, "z": "yes"}}`
	if matches(t, text, event) {
		t.Error("it matched")
	}
}

// Asked of each element anew, an absence would look through all elements for
// each: a quarter of a mebibyte of them then takes minutes.
func TestAnAbsenceIsLookedForOnce(t *testing.T) {
	p, err := pattern.Compile([]byte(`{"legs": {"fee": [{"exists": false}], "parts": {"fee": [{"exists": false}]}}}`))
	if err != nil {
		t.Fatal(err)
	}
	legs := make([]any, 100_000)
	for i := range legs {
		legs[i] = map[string]any{}
	}
	legs[len(legs)-1] = map[string]any{"fee": json.Number("1")}
	if p.Match(map[string]any{"legs": legs}) {
		t.Error("the fee of the last leg was not seen")
	}
	legs[len(legs)-1] = map[string]any{}
	if !p.Match(map[string]any{"legs": legs}) {
		t.Error("no leg has a fee, and yet one was seen")
	}
}

func FuzzCompileAndMatch(f *testing.F) {
	for _, seed := range []string{
		`{"source": ["trading.system1"], "detail": {"amount": [{"numeric": [">", 0, "<=", 5]}]}}`,
		`{"$or": [{"a": [{"prefix": {"equals-ignore-case": "x"}}]}, {"b": [{"anything-but": {"wildcard": ["*x", "y"]}}]}]}`,
		`{"a": [{"exists": false}, null, true, "10.0.0.1", "::1", {"cidr": "10.0.0.0/8"}, {"suffix": "z"}, -1.5e3]}`,
	} {
		f.Add([]byte(seed), []byte(trade))
	}
	f.Fuzz(func(t *testing.T, text, event []byte) {
		p, err := pattern.Compile(text)
		if (p == nil) == (err == nil) {
			t.Fatalf("pattern %v, error %v", p, err)
		}
		if err != nil {
			if !strings.HasPrefix(err.Error(), "event pattern: ") {
				t.Errorf("the error does not say what it is about: %v", err)
			}
			return
		}
		decoder := json.NewDecoder(strings.NewReader(string(event)))
		decoder.UseNumber()
		var object map[string]any
		if decoder.Decode(&object) == nil {
			p.Match(object)
		}
	})
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
