package trade_test

import (
	"encoding/json"
	"maps"
	"math/rand"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"trade-processing/lambdas/trade"
)

func TestEveryPlantedViolationIsListedAndNoOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		detail := validDetail()
		planted := map[string]trade.Code{} // by field
		taken := map[string]bool{}         // two examples with one field would overwrite each other
		for _, d := range rapid.SliceOfN(rapid.SampledFrom(trade.Codes()), 0, 12).Draw(t, "planted") {
			var changed map[string]json.RawMessage
			if err := json.Unmarshal([]byte(d.Example), &changed); err != nil {
				t.Fatal(err)
			}
			isTaken := func(field string) bool { return taken[field] }
			if slices.ContainsFunc(slices.Collect(maps.Keys(changed)), isTaken) || d.Code == trade.AmountMismatch {
				continue
			}
			for field, v := range changed {
				detail[field], taken[field] = v, true
			}
			planted[d.Field] = d.Code
		}
		got := codesOf(check(t, detail, arrival))
		for field, code := range planted {
			if !slices.Contains(got, code) {
				t.Fatalf("%s of %s is not among %v", code, field, got)
			}
		}
		expected := slices.Collect(maps.Values(planted))
		expected = append(expected, trade.AmountMismatch) // another amount, price or quantity may well disagree
		if planted["sourceSystem"] == trade.SourceSystemUnknown {
			expected = append(expected, trade.SourceSystemMismatch)
		}
		for _, code := range got {
			if !slices.Contains(expected, code) {
				t.Fatalf("%s was not planted, only %v", code, planted)
			}
		}
	})
}

func TestTheViolationsDoNotDependOnTheSpelling(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		detail := drawTradeLike(t)
		r := rand.New(rand.NewSource(rapid.Int64().Draw(t, "spelling")))
		one, errOne := trade.Parse([]byte(spell(r, detail)))
		another, errAnother := trade.Parse([]byte(spell(r, detail)))
		if errOne != nil || errAnother != nil {
			t.Fatal(errOne, errAnother)
		}
		a, b := rules.Check(one, arrival), rules.Check(another, arrival)
		if !slices.Equal(a.Violations, b.Violations) {
			t.Fatalf("%v\n%v", a.Violations, b.Violations)
		}
	})
}

func TestAnythingIsJudgedByTheTable(t *testing.T) {
	table := trade.Codes()
	rapid.Check(t, func(t *rapid.T) {
		parsed, err := trade.Parse([]byte(spell(rand.New(rand.NewSource(1)), drawTradeLike(t))))
		if err != nil {
			t.Fatal(err)
		}
		verdict := rules.Check(parsed, trade.Arrival{Source: rapid.String().Draw(t, "source"), Time: time.Time{}, Now: arrived})
		if verdict.Valid != (len(verdict.Violations) == 0) {
			t.Fatalf("%+v", verdict)
		}
		last := -1
		for _, v := range verdict.Violations {
			at := slices.IndexFunc(table, func(d trade.Description) bool { return d.Code == v.Code && d.Field == v.Field })
			if at <= last {
				t.Fatalf("%s of %s is not in the table, or not in its order", v.Code, v.Field)
			}
			last = at
		}
	})
}

// drawTradeLike draws a detail whose known fields may be anything.
func drawTradeLike(t *rapid.T) map[string]any {
	detail := map[string]any{}
	for field, valid := range validDetail() {
		switch rapid.IntRange(0, 3).Draw(t, field) {
		case 0: // left out
		case 1:
			detail[field] = drawValue(t, 2)
		case 2:
			detail[field] = decimalTexts().Draw(t, field+" as a decimal")
		default:
			if s, ok := valid.(string); ok {
				detail[field] = s
			}
		}
	}
	detail["tradeId"] = "t-1"
	return detail
}
