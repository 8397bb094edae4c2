package states_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"trade-processing/local/states"
)

func TestRules(t *testing.T) {
	const input = `{"text": "trading.system1", "other": "trading.system2", "n": 10, "m": 1e1, "half": 0.5, "yes": true, "no": false, "none": null,
		"time": "2026-03-02T14:30:00Z", "same": "2026-03-02T15:30:00.000+01:00", "day": "2026-03-02", "list": [3, "x"], "object": {"n": 11},
		"big": 12345678901234567890123456789012345678, "star": "a*b", "slash": "a\\b", "empty": ""}`
	cases := map[string]struct{ rule, want string }{
		"StringEquals of the same text":          {`"Variable": "$.text", "StringEquals": "trading.system1"`, `yes`},
		"StringEquals of another":                {`"Variable": "$.text", "StringEquals": "Trading.system1"`, `no`},
		"StringEquals of a number":               {`"Variable": "$.n", "StringEquals": "10"`, `no`},
		"StringEqualsPath":                       {`"Variable": "$.text", "StringEqualsPath": "$.text"`, `yes`},
		"StringEqualsPath of another":            {`"Variable": "$.text", "StringEqualsPath": "$.other"`, `no`},
		"StringEqualsPath into the context":      {`"Variable": "$.text", "StringEqualsPath": "$$.Execution.Input.text"`, `yes`},
		"StringEqualsPath to a number":           {`"Variable": "$.text", "StringEqualsPath": "$.n"`, `no`},
		"StringEquals of nothing at all":         {`"Variable": "$.nobody", "StringEquals": ""`, `failed: States.Runtime: the path $.nobody leads to nothing`},
		"StringEqualsPath to nothing":            {`"Variable": "$.text", "StringEqualsPath": "$.nobody"`, `failed: States.Runtime: the path $.nobody leads to nothing`},
		"StringLessThan":                         {`"Variable": "$.text", "StringLessThan": "trading.system2"`, `yes`},
		"StringLessThan of itself":               {`"Variable": "$.text", "StringLessThan": "trading.system1"`, `no`},
		"StringLessThanEquals":                   {`"Variable": "$.text", "StringLessThanEquals": "trading.system1"`, `yes`},
		"StringGreaterThan":                      {`"Variable": "$.text", "StringGreaterThan": "trading"`, `yes`},
		"StringGreaterThanEqualsPath":            {`"Variable": "$.text", "StringGreaterThanEqualsPath": "$.other"`, `no`},
		"NumericEquals is of values":             {`"Variable": "$.n", "NumericEquals": 10.0`, `yes`},
		"NumericEquals of another":               {`"Variable": "$.n", "NumericEquals": 11`, `no`},
		"NumericEquals of a text":                {`"Variable": "$.text", "NumericEquals": 10`, `no`},
		"NumericEqualsPath":                      {`"Variable": "$.n", "NumericEqualsPath": "$.m"`, `yes`},
		"NumericLessThan":                        {`"Variable": "$.half", "NumericLessThan": 1`, `yes`},
		"NumericLessThanEquals":                  {`"Variable": "$.n", "NumericLessThanEquals": 9.99`, `no`},
		"NumericGreaterThan":                     {`"Variable": "$.big", "NumericGreaterThan": 1e37`, `yes`},
		"NumericGreaterThanEqualsPath":           {`"Variable": "$.n", "NumericGreaterThanEqualsPath": "$.object.n"`, `no`},
		"BooleanEquals":                          {`"Variable": "$.yes", "BooleanEquals": true`, `yes`},
		"BooleanEquals of the other":             {`"Variable": "$.no", "BooleanEquals": true`, `no`},
		"BooleanEquals of null":                  {`"Variable": "$.none", "BooleanEquals": false`, `no`},
		"BooleanEqualsPath":                      {`"Variable": "$.yes", "BooleanEqualsPath": "$.no"`, `no`},
		"TimestampEquals is of instants":         {`"Variable": "$.time", "TimestampEqualsPath": "$.same"`, `yes`},
		"TimestampEquals of a day":               {`"Variable": "$.day", "TimestampEquals": "2026-03-02T00:00:00Z"`, `no`},
		"TimestampLessThan":                      {`"Variable": "$.time", "TimestampLessThan": "2026-03-02T14:30:00.001Z"`, `yes`},
		"TimestampGreaterThanEquals":             {`"Variable": "$.time", "TimestampGreaterThanEquals": "2026-03-02T14:30:00Z"`, `yes`},
		"TimestampGreaterThan the context's":     {`"Variable": "$.time", "TimestampGreaterThanPath": "$$.Execution.StartTime"`, `yes`},
		"IsNull":                                 {`"Variable": "$.none", "IsNull": true`, `yes`},
		"IsNull of something":                    {`"Variable": "$.n", "IsNull": true`, `no`},
		"IsNull of nothing at all":               {`"Variable": "$.nobody", "IsNull": true`, `failed: States.Runtime: the path $.nobody leads to nothing`},
		"not IsNull":                             {`"Variable": "$.n", "IsNull": false`, `yes`},
		"IsPresent of null":                      {`"Variable": "$.none", "IsPresent": true`, `yes`},
		"IsPresent of nothing at all":            {`"Variable": "$.nobody", "IsPresent": true`, `no`},
		"not IsPresent":                          {`"Variable": "$.nobody.below", "IsPresent": false`, `yes`},
		"IsString":                               {`"Variable": "$.empty", "IsString": true`, `yes`},
		"IsString of a number":                   {`"Variable": "$.n", "IsString": true`, `no`},
		"IsNumeric":                              {`"Variable": "$.big", "IsNumeric": true`, `yes`},
		"IsNumeric of a text":                    {`"Variable": "$.text", "IsNumeric": false`, `yes`},
		"IsBoolean":                              {`"Variable": "$.no", "IsBoolean": true`, `yes`},
		"IsBoolean of null":                      {`"Variable": "$.none", "IsBoolean": true`, `no`},
		"IsTimestamp":                            {`"Variable": "$.same", "IsTimestamp": true`, `yes`},
		"IsTimestamp of a day":                   {`"Variable": "$.day", "IsTimestamp": true`, `no`},
		"IsTimestamp of the input":               {`"Variable": "$", "IsTimestamp": true`, `no`},
		"StringMatches with a star":              {`"Variable": "$.text", "StringMatches": "trading.*"`, `yes`},
		"StringMatches with stars around":        {`"Variable": "$.text", "StringMatches": "*.sys*"`, `yes`},
		"StringMatches with two stars in a row":  {`"Variable": "$.text", "StringMatches": "t**1"`, `yes`},
		"StringMatches of nothing between":       {`"Variable": "$.text", "StringMatches": "trading*.system1"`, `yes`},
		"StringMatches without star":             {`"Variable": "$.text", "StringMatches": "trading"`, `no`},
		"StringMatches whose pieces overlap":     {`"Variable": "$.text", "StringMatches": "trading.sys*system1"`, `no`},
		"StringMatches of a star itself":         {`"Variable": "$.star", "StringMatches": "a\\*b"`, `yes`},
		"StringMatches of a star that is none":   {`"Variable": "$.text", "StringMatches": "trading\\*"`, `no`},
		"StringMatches of a backslash":           {`"Variable": "$.slash", "StringMatches": "a\\\\*"`, `yes`},
		"StringMatches of an empty text":         {`"Variable": "$.empty", "StringMatches": "*"`, `yes`},
		"StringMatches of a number":              {`"Variable": "$.n", "StringMatches": "*"`, `no`},
		"And of what holds":                      {`"And": [{"Variable": "$.n", "NumericEquals": 10}, {"Variable": "$.yes", "BooleanEquals": true}]`, `yes`},
		"And of what does not":                   {`"And": [{"Variable": "$.n", "NumericEquals": 10}, {"Variable": "$.no", "BooleanEquals": true}]`, `no`},
		"And asks no further than need be":       {`"And": [{"Variable": "$.nobody", "IsPresent": true}, {"Variable": "$.nobody", "IsNull": false}]`, `no`},
		"Or of what holds":                       {`"Or": [{"Variable": "$.n", "NumericEquals": 11}, {"Variable": "$.yes", "BooleanEquals": true}]`, `yes`},
		"Or of what does not":                    {`"Or": [{"Variable": "$.n", "NumericEquals": 11}, {"Variable": "$.yes", "BooleanEquals": false}]`, `no`},
		"Or asks no further than need be":        {`"Or": [{"Variable": "$.nobody", "IsPresent": false}, {"Variable": "$.nobody", "IsNull": true}]`, `yes`},
		"Not":                                    {`"Not": {"Variable": "$.n", "NumericEquals": 11}`, `yes`},
		"Not of a failure fails":                 {`"Not": {"Variable": "$.nobody", "IsNull": true}`, `failed: States.Runtime: the path $.nobody leads to nothing`},
		"combinations inside each other":         {`"Not": {"Or": [{"And": [{"Variable": "$.n", "NumericEquals": 10}, {"Not": {"Variable": "$.yes", "BooleanEquals": true}}]}]}`, `yes`},
		"comments are no operators":              {`"Comment": "asks", "And": [{"Comment": "why", "Variable": "$.n", "NumericEquals": 10}]`, `yes`},
		"elements of arrays":                     {`"Variable": "$.list[0]", "NumericEquals": 3`, `yes`},
		"an object is no number":                 {`"Variable": "$.object", "NumericEquals": 11`, `no`},
		"the context's number of retries":        {`"Variable": "$$.State.RetryCount", "NumericEquals": 0`, `yes`},
		"numbers that a double can't tell apart": {`"Variable": "$.big", "NumericEquals": 12345678901234567890123456789012345679`, `yes`},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			got := run(t, machine(`"A": {"Type": "Choice", "Choices": [{`+test.rule+`, "Next": "Y"}], "Default": "N"},
				"Y": {"Type": "Pass", "Result": "yes", "End": true}, "N": {"Type": "Pass", "Result": "no", "End": true}`), input, nil)
			if text := strings.Trim(got.text(), `"`); text != test.want {
				t.Errorf("got %s, want %s", text, test.want)
			}
		})
	}
}

func TestChoice(t *testing.T) {
	const ends = `, "Y": {"Type": "Pass", "OutputPath": "$$.State.Name", "End": true}, "N": {"Type": "Pass", "OutputPath": "$$.State.Name", "End": true}`
	const is = `{"Variable": "$.n", "NumericEquals": %d, "Next": "%s"}`
	rules := func(all ...string) string {
		return `"A": {"Type": "Choice", "Choices": [` + strings.Join(all, ",") + `]`
	}
	cases := map[string]struct{ states, want string }{
		"the first rule that holds decides": {rules(fmt.Sprintf(is, 2, "N"), fmt.Sprintf(is, 1, "Y"), fmt.Sprintf(is, 1, "N")) + `}` + ends, `"Y"`},
		"the default takes the rest":        {rules(fmt.Sprintf(is, 2, "Y")) + `, "Default": "N"}` + ends, `"N"`},
		"without default the rest fails":    {rules(fmt.Sprintf(is, 2, "Y"), fmt.Sprintf(is, 3, "N")) + `}` + ends, `failed: States.NoChoiceMatched: no rule of state A matched, and it has no Default`},
		"rules see what InputPath selected": {rules(`{"Variable": "$", "NumericEquals": 1, "Next": "Y"}`) + `, "InputPath": "$.n", "Default": "N"}` + ends, `"Y"`},
		"the output is what was selected":   {rules(`{"Variable": "$.x", "IsPresent": true, "Next": "Y"}`) + `, "InputPath": "$.o", "OutputPath": "$.x", "Default": "N"}, "Y": {"Type": "Succeed"}, "N": {"Type": "Succeed"}`, `2`},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			if got := run(t, machine(test.states), `{"n": 1, "o": {"x": 2}}`, nil); got.text() != test.want {
				t.Errorf("got %s, want %s", got.text(), test.want)
			}
		})
	}
}

func TestAFailedChoiceMayBeCaughtAroundIt(t *testing.T) {
	got := run(t, parallel(`, "Next": "Z", "Catch": [{"ErrorEquals": ["States.NoChoiceMatched"], "Next": "Z"}]`,
		`{"StartAt": "B", "States": {"B": {"Type": "Choice", "Choices": [{"Variable": "$", "IsNull": true, "Next": "C"}]}, "C": {"Type": "Succeed"}}}`), `1`, nil)
	if want := `{"Cause":"no rule of state B matched, and it has no Default","Error":"States.NoChoiceMatched"}`; got.text() != want {
		t.Errorf("got %s", got.text())
	}
}

func TestALoopGoesOnUntilItsRuleEndsIt(t *testing.T) {
	got := run(t, machine(`"A": {"Type": "Wait", "Seconds": 20, "Next": "B"},
		"B": {"Type": "Choice", "Choices": [{"Variable": "$$.State.EnteredTime", "TimestampGreaterThanPath": "$.until", "Next": "C"}], "Default": "A"},
		"C": {"Type": "Succeed"}`), `{"until": "2026-03-02T12:01:00.000Z"}`, nil)
	if got.err != nil || got.took != 80*time.Second || len(got.visits) != 9 {
		t.Errorf("%s after %s and %d states", got.text(), got.took, len(got.visits))
	}
}

func matcher(t testing.TB, pattern string) func(text string) bool {
	m := compile(t, machine(`"A": {"Type": "Choice", "Choices": [{"Variable": "$", "StringMatches": `+string(states.AppendJSON(nil, pattern))+`, "Next": "Y"}], "Default": "N"},
		"Y": {"Type": "Pass", "Result": true, "End": true}, "N": {"Type": "Pass", "Result": false, "End": true}`))
	return func(text string) bool {
		output, err := m.Run(t.Context(), states.Environment{Clock: &hastyClock{now: noon}}, states.Execution{Input: text})
		if err != nil {
			t.Fatal(err)
		}
		return output == true
	}
}

func TestStringMatchesAgreesWithARegularExpression(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		pattern := rapid.StringMatching(`([ab*]|\\\*|\\\\){0,10}`).Draw(rt, "pattern")
		text := rapid.StringMatching(`[ab*\\]{0,12}`).Draw(rt, "text")
		var expression strings.Builder
		for i := 0; i < len(pattern); i++ {
			switch pattern[i] {
			case '*':
				expression.WriteString(".*")
			case '\\':
				i++
				fallthrough
			default:
				expression.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
			}
		}
		want := regexp.MustCompile("^" + expression.String() + "$").MatchString(text)
		if got := matcher(t, pattern)(text); got != want {
			rt.Errorf("%q matches %q: %t, want %t", pattern, text, got, want)
		}
	})
}

// A matcher that tries every place of every star needs longer than the universe lasts for this.
func TestStringMatchesTriesNothingTwice(t *testing.T) {
	if matcher(t, strings.Repeat("*a", 1000)+"*b")(strings.Repeat("a", 100_000)) {
		t.Error("it matched")
	}
}
