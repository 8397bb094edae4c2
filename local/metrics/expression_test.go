package metrics

import "testing"

// Whatever an expression is, it is evaluated over every period or refused.
func FuzzMetricMathIsEvaluatedOrRefused(f *testing.F) {
	for _, seed := range []string{
		"(m1/m2)*100", "FILL(m1,REPEAT)", "IF(m1>m2 AND NOT m2,1,-m1^2)", "AVG([m1,m2])", "SUM(METRICS())", "m1 m2", "((((", "1.2.3", "ABS(", "",
	} {
		f.Add(seed)
	}
	series := map[string]points{"m1": {{1, true}, {}, {3, true}}, "m2": {{}, {0, true}, {2, true}}}
	f.Fuzz(func(t *testing.T, text string) {
		compiled, ids, err := parseExpression(text)
		if err != nil {
			return
		}
		for _, id := range ids {
			if series[id] == nil {
				return // an alarm with such a query is refused
			}
		}
		if got := compiled(series, 3); len(got) != 3 {
			t.Fatalf("%q has %d values for 3 periods", text, len(got))
		}
	})
}

func FuzzAlarmRuleIsEvaluatedOrRefused(f *testing.F) {
	for _, seed := range []string{
		`ALARM("a") AND NOT (OK(b) OR INSUFFICIENT_DATA(c))`, "TRUE", `ALARM(")")`, "ALARM(", "NOT NOT FALSE", "((((", `ALARM("arn:aws:cloudwatch:x:y:alarm:z")`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		compiled, needs, err := parseRule(text)
		if err != nil {
			return
		}
		asked := map[string]bool{}
		compiled(func(alarm string) State { asked[alarm] = true; return OK })
		known := map[string]bool{}
		for _, need := range needs {
			known[need] = true
		}
		for alarm := range asked {
			if !known[alarm] {
				t.Fatalf("%q asks for %q, which it does not name", text, alarm)
			}
		}
	})
}
