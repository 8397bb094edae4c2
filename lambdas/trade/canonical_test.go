package trade_test

import (
	"encoding/json"
	"maps"
	"math/rand"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/gowebpki/jcs"
	"pgregory.net/rapid"

	"trade-processing/lambdas/trade"
)

func TestCanonical(t *testing.T) {
	for name, test := range map[string]struct{ detail, want string }{
		"names are sorted, white space goes": {
			"{ \"b\" : 1,\n\"tradeId\":\"t\" , \"a\":[ 1 , 2 ] }",
			`{"a":[1,2],"b":1,"tradeId":"t"}`,
		},
		"numbers are spelled by their value as doubles": {
			`{"tradeId":"t","a":[1.10,1E5,-0,0.000,1e-6,0.0000001,1e20,1e21,-2.50e-10,9007199254740993,0.10000000000000001,1e-400]}`,
			`{"a":[1.1,100000,0,0,0.000001,1e-7,100000000000000000000,1e+21,-2.5e-10,9007199254740992,0.1,0],"tradeId":"t"}`,
		},
		"a number beyond the doubles keeps its spelling, as does any string": {
			`{"tradeId":"t","a":[1E400,-1.0e309,"1.10","1E5"]}`,
			`{"a":[1E400,-1.0e309,"1.10","1E5"],"tradeId":"t"}`,
		},
		"arrays keep their order": {
			`{"tradeId":"t","a":[{"y":2,"x":1},null,true,false,"b","a"]}`,
			`{"a":[{"x":1,"y":2},null,true,false,"b","a"],"tradeId":"t"}`,
		},
		"escapes get one spelling": {
			`{"tradeId":"t","a":"\u0041\/\u00e9\u003c\u2028\ud83d\ude00\u0022\u005C\u0009\u000a\u000D\u0008\u000c\u0000\u001F\u007f"}`,
			"{\"a\":\"A/é<\u2028😀\\\"\\\\\\t\\n\\r\\b\\f\\u0000\\u001f\u007f\",\"tradeId\":\"t\"}",
		},
		"names are escaped too, and sorted by their characters": {
			`{"tradeId":"t","\u00e9":1,"z\n":2,"z":3,"":4}`,
			"{\"\":4,\"tradeId\":\"t\",\"z\":3,\"z\\n\":2,\"é\":1}",
		},
		"names sort by UTF-16 unit, not by code point": {
			`{"tradeId":"t","\uff5e":2,"\ud83d\ude00":1,"\ue000":3,"\ud7ff":4}`,
			"{\"tradeId\":\"t\",\"\ud7ff\":4,\"😀\":1,\"\ue000\":3,\"～\":2}",
		},
		"the replacement character is a character": {
			`{"tradeId":"t","a":"\ufffd"}`,
			`{"a":"` + "\ufffd" + `","tradeId":"t"}`,
		},
		"empty containers stay": {
			`{"tradeId":"t","a":{},"b":[]}`,
			`{"a":{},"b":[],"tradeId":"t"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := string(mustParse(t, test.detail).Canonical()); got != test.want {
				t.Errorf("canonical form\n%s, want\n%s", got, test.want)
			}
		})
	}
}

// The value was computed with sha256sum: an auditor doesn't need our code.
func TestDigestIsTheSHA256OfTheCanonicalForm(t *testing.T) {
	parsed := mustParse(t, `{"tradeId":"t-1","amount":"35158.2"}`)
	const want = "dd7945890c9113b431e709a3753825557d8a210c5c752172233d5e6065ff7003"
	if got := parsed.Digest(); got != want {
		t.Errorf("digest %s, want %s", got, want)
	}
}

// drawValue draws a JSON value in Go's own types, with json.Number for numbers.
func drawValue(t *rapid.T, levels int) any {
	kinds := []string{"null", "boolean", "number", "string", "array", "object"}
	if levels == 0 {
		kinds = kinds[:4]
	}
	switch rapid.SampledFrom(kinds).Draw(t, "kind") {
	case "null":
		return nil
	case "boolean":
		return rapid.Bool().Draw(t, "boolean")
	case "number":
		return json.Number(rapid.StringMatching(`-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?`).Draw(t, "number"))
	case "string":
		return rapid.String().Draw(t, "string")
	case "array":
		elements := make([]any, rapid.IntRange(0, 4).Draw(t, "length"))
		for i := range elements {
			elements[i] = drawValue(t, levels-1)
		}
		return elements
	default:
		members := map[string]any{}
		for range rapid.IntRange(0, 4).Draw(t, "size") {
			members[rapid.String().Draw(t, "name")] = drawValue(t, levels-1)
		}
		return members
	}
}

func drawDetail(t *rapid.T) map[string]any {
	members := map[string]any{}
	for range rapid.IntRange(0, 8).Draw(t, "members") {
		members[rapid.String().Draw(t, "name")] = drawValue(t, 3)
	}
	members["tradeId"] = rapid.StringMatching(`[A-Za-z0-9._:-]{1,64}`).Draw(t, "tradeId")
	return members
}

// spell writes a JSON value in one of its many forms: names in any order, white space anywhere, characters escaped or
// not.
func spell(r *rand.Rand, v any) string {
	space := func() string { return []string{"", "", " ", "\n\t", "\r\n"}[r.Intn(5)] }
	var text string
	switch v := v.(type) {
	case nil:
		text = "null"
	case bool:
		text = strconv.FormatBool(v)
	case json.Number:
		text = v.String()
	case string:
		text = spellString(r, v)
	case []any:
		var elements []string
		for _, e := range v {
			elements = append(elements, spell(r, e))
		}
		text = "[" + space() + strings.Join(elements, ",") + "]"
	case map[string]any:
		var members []string
		for name, e := range v {
			members = append(members, space()+spellString(r, name)+space()+":"+spell(r, e))
		}
		r.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
		text = "{" + space() + strings.Join(members, ",") + "}"
	}
	return space() + text + space()
}

func spellString(r *rand.Rand, s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range s {
		plain, _ := json.Marshal(string(c))
		switch {
		case c > 0xffff && r.Intn(2) == 0:
			b.WriteString(`\u` + hex4(0xd800+(c-0x10000)>>10) + `\u` + strings.ToUpper(hex4(0xdc00+(c-0x10000)&0x3ff)))
		case c <= 0xffff && r.Intn(2) == 0:
			b.WriteString(`\u` + hex4(c))
		case c == '/' && r.Intn(2) == 0:
			b.WriteString(`\/`)
		default:
			b.Write(plain[1 : len(plain)-1])
		}
	}
	b.WriteByte('"')
	return b.String()
}

func hex4(unit rune) string {
	digits := strconv.FormatInt(int64(unit), 16)
	return strings.Repeat("0", 4-len(digits)) + digits
}

func TestEverySpellingOfATradeHasTheSameCanonicalForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		detail := drawDetail(t)
		r := rand.New(rand.NewSource(rapid.Int64().Draw(t, "spelling")))
		one, another := spell(r, detail), spell(r, detail)
		a, err := trade.Parse([]byte(one))
		if err != nil {
			t.Fatalf("%s: %v", one, err)
		}
		b, err := trade.Parse([]byte(another))
		if err != nil {
			t.Fatalf("%s: %v", another, err)
		}
		if string(a.Canonical()) != string(b.Canonical()) {
			t.Fatalf("two spellings, two forms:\n%s\n%s", a.Canonical(), b.Canonical())
		}
		if a.Digest() != b.Digest() {
			t.Fatal("one form, two digests")
		}
	})
}

func TestTheCanonicalFormIsItsOwnCanonicalForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewSource(rapid.Int64().Draw(t, "spelling")))
		once, err := trade.Parse([]byte(spell(r, drawDetail(t))))
		if err != nil {
			t.Fatal(err)
		}
		twice, err := trade.Parse(once.Canonical())
		if err != nil {
			t.Fatal(err)
		}
		if string(once.Canonical()) != string(twice.Canonical()) {
			t.Fatalf("once\n%s, twice\n%s", once.Canonical(), twice.Canonical())
		}
	})
}

// jcs is an implementation of RFC 8785 by others.
func TestTheCanonicalFormIsThatOfRFC8785(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		detail := spell(rand.New(rand.NewSource(rapid.Int64().Draw(t, "spelling"))), drawDetail(t))
		want, err := jcs.Transform([]byte(detail))
		if err != nil {
			t.Skip("a number beyond the doubles: ", err)
		}
		parsed, err := trade.Parse([]byte(detail))
		if err != nil {
			t.Fatal(err)
		}
		if got := parsed.Canonical(); string(got) != string(want) {
			t.Fatalf("%s\nhas the form %s\nRFC 8785 says %s", detail, got, want)
		}
	})
}

// Go's encoding/json plays the service that reads numbers as doubles and writes them in its own way.
func TestTheDigestSurvivesNumbersThatBecomeDoublesOnTheWay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sent := spell(rand.New(rand.NewSource(rapid.Int64().Draw(t, "spelling"))), drawDetail(t))
		var doubles any
		if json.Unmarshal([]byte(sent), &doubles) != nil {
			t.Skip("a number beyond the doubles")
		}
		arrived, err := json.Marshal(doubles)
		if err != nil {
			t.Fatal(err)
		}
		before, errBefore := trade.Parse([]byte(sent))
		after, errAfter := trade.Parse(arrived)
		if errBefore != nil || errAfter != nil {
			t.Fatal(errBefore, errAfter)
		}
		if before.Digest() != after.Digest() {
			t.Fatalf("sent    %s\narrived %s", before.Canonical(), after.Canonical())
		}
	})
}

func TestTheCanonicalFormLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		detail := drawDetail(t)
		parsed, err := trade.Parse([]byte(spell(rand.New(rand.NewSource(1)), detail)))
		if err != nil {
			t.Fatal(err)
		}
		if back := decode(t, parsed.Canonical()); !reflect.DeepEqual(byValue(back), byValue(detail)) {
			t.Fatalf("sent %v, kept %v", detail, back)
		}
	})
}

func TestTradesThatDifferHaveDifferentDigests(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		one, another := drawDetail(t), drawDetail(t)
		if rapid.Bool().Draw(t, "nearly the same") {
			another = maps.Clone(one)
			name := rapid.String().Filter(func(s string) bool { return s != "tradeId" }).Draw(t, "name")
			another[name] = drawValue(t, 1)
		}
		r := rand.New(rand.NewSource(1))
		a, errA := trade.Parse([]byte(spell(r, one)))
		b, errB := trade.Parse([]byte(spell(r, another)))
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		if same := reflect.DeepEqual(byValue(one), byValue(another)); same != (a.Digest() == b.Digest()) {
			t.Fatalf("the same trade: %v, digests %s and %s", same, a.Digest(), b.Digest())
		}
	})
}

// byValue turns the numbers in a JSON value into doubles, as far as they fit.
func byValue(v any) any {
	switch v := v.(type) {
	case json.Number:
		if f, err := v.Float64(); err == nil {
			return f
		}
		return v
	case []any:
		out := make([]any, len(v))
		for i, element := range v {
			out[i] = byValue(element)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, member := range v {
			out[name] = byValue(member)
		}
		return out
	default:
		return v
	}
}

func decode(t interface{ Fatal(...any) }, data []byte) any {
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}
