package value

import (
	"slices"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"pgregory.net/rapid"
)

var (
	unknown = Of(property.New(property.Computed))
	missing = Value{}
)

func text(given string) Value { return Of(property.New(given)) }

func TestQuestionsHaveThreeAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		given                               Value
		unset, isSet, isTrue, lacksTruth    bool
		isA, lacksA, lacksFive, holdsSecret bool
	}{
		"what isn't there":    {given: missing, unset: true, lacksTruth: true, lacksA: true, lacksFive: true},
		"what isn't known":    {given: unknown},
		"null":                {given: Of(property.New(property.Null)), unset: true, lacksTruth: true, lacksA: true, lacksFive: true},
		"an empty text":       {given: text(" "), unset: true, lacksTruth: true, lacksA: true, lacksFive: true},
		"an empty list":       {given: Any([]any{}), unset: true, lacksTruth: true, lacksA: true, lacksFive: true},
		"an empty object":     {given: Any(map[string]any{}), unset: true, lacksTruth: true, lacksA: true, lacksFive: true},
		"true":                {given: Any(true), isSet: true, isTrue: true, lacksA: true, lacksFive: true},
		"true as a text":      {given: text("true"), isSet: true, isTrue: true, lacksA: true, lacksFive: true},
		"false":               {given: Any(false), isSet: true, lacksTruth: true, lacksA: true, lacksFive: true},
		"a text":              {given: text("a"), isSet: true, isA: true, lacksTruth: true, lacksFive: true},
		"a secret text":       {given: Of(property.New("a").WithSecret(true)), isSet: true, isA: true, lacksTruth: true, lacksFive: true, holdsSecret: true},
		"a number":            {given: Any(5.0), isSet: true, lacksTruth: true, lacksA: true},
		"a number as a text":  {given: text("6"), isSet: true, lacksTruth: true, lacksA: true},
		"a smaller number":    {given: Any(4.0), isSet: true, lacksTruth: true, lacksA: true, lacksFive: true},
		"a list":              {given: Any([]any{"a"}), isSet: true, lacksTruth: true, lacksA: true, lacksFive: true},
		"a list of a secret":  {given: Of(property.New([]property.Value{property.New("a").WithSecret(true)})), isSet: true, lacksTruth: true, lacksA: true, lacksFive: true, holdsSecret: true},
		"an unknown secret":   {given: Of(property.New(property.Computed).WithSecret(true)), holdsSecret: true},
		"a list of something": {given: Of(property.New([]property.Value{property.New(property.Computed)})), isSet: true, lacksTruth: true, lacksA: true, lacksFive: true},
	} {
		t.Run(name, func(t *testing.T) {
			for question, answer := range map[string][2]bool{
				"Unset": {c.given.Unset(), c.unset}, "IsSet": {c.given.IsSet(), c.isSet}, "IsTrue": {c.given.IsTrue(), c.isTrue},
				"LacksTruth": {c.given.LacksTruth(), c.lacksTruth}, "Is a": {c.given.Is("b", "a"), c.isA}, "LacksText a": {c.given.LacksText("b", "a"), c.lacksA},
				"LacksNumber 5": {c.given.LacksNumber(5), c.lacksFive}, "HoldsSecret": {c.given.HoldsSecret(), c.holdsSecret},
			} {
				if answer[0] != answer[1] {
					t.Errorf("%s: %v", question, answer[0])
				}
			}
		})
	}
}

func TestAPath(t *testing.T) {
	given := Any(map[string]any{"a": map[string]any{"b": "deep", "x.y": "dotted"}, "l": []any{map[string]any{"b": "in a list"}}, "m": []any{"1", "2"}})
	for path, want := range map[string]string{"a.b": "deep", "l.b": "in a list", "a.c": "", "a.b.c": "", "m.b": "", "nothing.at.all": ""} {
		if got := given.At(path).Text(); got != want {
			t.Errorf("%s: %q instead of %q", path, got, want)
		}
	}
	if got := given.Get("a").Get("x.y").Text(); got != "dotted" {
		t.Errorf("a name with a dot: %q", got)
	}
	if !unknown.At("a.b").IsUnknown() || given.At("a.b").IsUnknown() {
		t.Error("what is behind an unknown value is unknown, and nothing else")
	}
	secret := Of(property.New(map[string]property.Value{"a": property.New("b")}).WithSecret(true))
	if !secret.At("a").IsSecret() || !secret.At("c").IsSecret() {
		t.Error("what is in a secret is secret")
	}
	if !Of(property.New([]property.Value{property.New(property.Computed)})).At("a").IsUnknown() {
		t.Error("what is behind the one element of a list that isn't known is unknown")
	}
}

func TestEach(t *testing.T) {
	for name, c := range map[string]struct {
		given Value
		want  []string
	}{
		"a list":                  {Any([]any{"a", 2.0, true}), []string{"a", "2", "true"}},
		"a single value":          {text("a"), []string{"a"}},
		"what isn't there":        {missing, nil},
		"a list that isn't known": {unknown, []string{""}},
	} {
		var got []string
		for _, element := range c.given.Each() {
			got = append(got, element.Text())
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestKeysAreSorted(t *testing.T) {
	if keys := Any(map[string]any{"b": 1.0, "a": 2.0}).Keys(); !slices.Equal(keys, []string{"a", "b"}) {
		t.Errorf("%q", keys)
	}
	if keys := text("a").Keys(); keys != nil {
		t.Errorf("a text has %q", keys)
	}
}

func TestADocumentIsATextOrAnObject(t *testing.T) {
	for name, given := range map[string]Value{
		"a text":    text(`{"a": {"b": "c"}}`),
		"an object": Any(map[string]any{"a": map[string]any{"b": "c"}}),
	} {
		if got := given.Document().At("a.b").Text(); got != "c" {
			t.Errorf("%s: %q", name, got)
		}
	}
	if !text("{").Document().Unset() || !unknown.Document().IsUnknown() {
		t.Error("half a text is no document, and what isn't known isn't known")
	}
	if !Of(property.New(`{"a": "b"}`).WithSecret(true)).Document().At("a").IsSecret() {
		t.Error("what is in a secret document is secret")
	}
}

// anything draws a property of any kind.
func anything() *rapid.Generator[property.Value] {
	leaf := rapid.OneOf(
		rapid.Just(property.New(property.Null)), rapid.Just(property.New(property.Computed)), rapid.Just(property.New("s").WithSecret(true)),
		rapid.Map(rapid.Bool(), func(b bool) property.Value { return property.New(b) }),
		rapid.Map(rapid.Float64(), func(n float64) property.Value { return property.New(n) }),
		rapid.Map(rapid.SampledFrom([]string{"", "true", "1", "{", `{"a":1}`, "[]"}), func(s string) property.Value { return property.New(s) }),
	)
	return rapid.OneOf(leaf,
		rapid.Map(rapid.SliceOfN(leaf, 0, 2), func(all []property.Value) property.Value { return property.New(all) }),
		rapid.Map(rapid.MapOfN(rapid.SampledFrom([]string{"a", "b"}), leaf, 0, 2), func(all map[string]property.Value) property.Value { return property.New(all) }))
}

func TestNoAnswerIsBothYesAndNo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		given := Of(anything().Draw(t, "value")).At(rapid.SampledFrom([]string{"", "a", "a.b"}).Draw(t, "path"))
		if given.Unset() && given.IsSet() || given.IsTrue() && given.LacksTruth() || given.Is("1") && given.LacksText("1") {
			t.Errorf("%#v", given)
		}
		if given.IsUnknown() && (given.Unset() || given.IsSet() || given.LacksTruth() || given.LacksText("x") || given.LacksNumber(1) || given.Text() != "") {
			t.Errorf("an answer about an unknown value: %#v", given)
		}
		if !given.IsUnknown() && given.Unset() == given.IsSet() {
			t.Errorf("no answer about a known value: %#v", given)
		}
		given.Each()
		given.Keys()
		given.Document().Each()
	})
}
