package states_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"trade-processing/local/states"
)

var errEnough = errors.New("enough states")

// survey runs a machine for at most 300 states and sleeps, with randomly failing tasks, and checks what must hold for
// every machine.
func survey(t interface{ Fatalf(string, ...any) }, m *states.Machine, input states.Data, dice func(n int) int) {
	ctx, stop := context.WithCancelCause(context.Background())
	defer stop(nil)
	var steps, rolls atomic.Int64
	step := func() {
		if steps.Add(1) > 300 {
			stop(errEnough)
		}
	}
	env := states.Environment{
		Clock:  &hastyClock{now: noon, slept: step}, // a retrier may try a hundred million times
		Random: func() float64 { return float64(rolls.Add(1)%10) / 10 },
		Tasks: anyTask(func(parameters states.Data) (states.Data, error) {
			switch dice(4) {
			case 0:
				return nil, &states.Failure{Name: []string{"X", "Y", "States.Timeout", "States.DataLimitExceeded"}[dice(4)], Cause: "c"}
			case 1:
				return states.Written([]byte(`{"a": [1, {"b": "x"}], "n": 1.50}`)), nil
			default:
				return parameters, nil
			}
		}),
		Observe: func(v states.Visit) {
			if v.State == "" || v.Type == "" || v.Left.Before(v.Entered) || v.Retries < 0 {
				t.Fatalf("the visit %+v", v)
			}
			step()
		},
	}
	output, err := m.Run(ctx, env, states.Execution{ID: "id", Name: "name", Input: input})
	if err != nil {
		if _, failed := errors.AsType[*states.Failure](err); !failed && !errors.Is(err, errEnough) {
			t.Fatalf("it ended with %T: %v", err, err)
		}
		return
	}
	text := states.AppendJSON(nil, output)
	if !json.Valid(text) || len(text) > 256<<10 {
		t.Fatalf("the output has %d bytes: %.100s", len(text), text)
	}
}

type anyTask func(states.Data) (states.Data, error)

func (f anyTask) Invoke(_ context.Context, _ string, parameters states.Data) (states.Data, error) {
	return f(parameters)
}

// drawStates draws the states of a machine or branch, most of them valid.
func drawStates(t *rapid.T, prefix string, depth int) string {
	count := rapid.IntRange(1, 4).Draw(t, "states")
	name := func(i int) string { return fmt.Sprintf(`"%s%d"`, prefix, i) }
	next := func(i int) string { // mostly the next one, so that all are reached
		if i+1 < count && rapid.IntRange(0, 9).Draw(t, "straight") > 0 {
			return name(i + 1)
		}
		return name(rapid.IntRange(0, count-1).Draw(t, "next"))
	}
	paths := rapid.SampledFrom([]string{`"$"`, `"$.a"`, `"$.a.b"`, `"$.a[0]"`, `"$$.Execution.Input"`, `"$['n']"`})
	places := rapid.SampledFrom([]string{`"$"`, `"$.a"`, `"$.r.s"`, `"$.n.x"`, `null`})
	templates := rapid.SampledFrom([]string{`{}`, `{"a.$": "$"}`, `{"a.$": "$.a", "n": [{"b.$": "$$.State.RetryCount"}]}`, `{"a.$": "States.JsonToString($)"}`})
	retries := rapid.SampledFrom([]string{`[]`, `[{"ErrorEquals": ["X", "Y"], "MaxAttempts": 2}]`, `[{"ErrorEquals": ["States.ALL"], "JitterStrategy": "FULL", "MaxAttempts": 99999999, "BackoffRate": 1e300}]`})

	var all []string
	for i := range count {
		kind := rapid.SampledFrom([]string{"Task", "Task", "Task", "Parallel", "Fail"}).Draw(t, "type")
		if kind == "Parallel" && depth == 0 {
			kind = "Task"
		}
		fields := []string{`"Type": "` + kind + `"`}
		maybe := func(field string, value func() string) {
			if rapid.IntRange(0, 3).Draw(t, field) == 0 {
				fields = append(fields, `"`+field+`": `+value())
			}
		}
		draw := func(from *rapid.Generator[string], label string) func() string {
			return func() string { return from.Draw(t, label) }
		}
		if kind != "Fail" {
			maybe("OutputPath", draw(paths, "path"))
			maybe("ResultPath", draw(places, "place"))
			maybe("ResultSelector", draw(templates, "template"))
		}
		switch kind {
		case "Task":
			fields = append(fields, `"Resource": "echo"`)
			maybe("Parameters", draw(templates, "template"))
			maybe("Retry", draw(retries, "retry"))
			maybe("Catch", func() string {
				return `[{"ErrorEquals": ["X"], "Next": ` + next(i) + `}, {"ErrorEquals": ["States.ALL"], "ResultPath": ` + places.Draw(t, "place") + `, "Next": ` + next(i) + `}]`
			})
		case "Parallel":
			var branches []string
			for b := range rapid.IntRange(1, 3).Draw(t, "branches") {
				inner := fmt.Sprintf("%s%d%c", prefix, i, 'a'+b)
				branches = append(branches, `{"StartAt": "`+inner+`0", "States": `+drawStates(t, inner, depth-1)+`}`)
			}
			fields = append(fields, `"Branches": [`+strings.Join(branches, ",")+`]`)
		case "Fail":
			fields = append(fields, rapid.SampledFrom([]string{`"CausePath": "$$.State.Name"`, `"CausePath": "States.JsonToString($)"`, `"ErrorPath": "$.a"`}).Draw(t, "error"))
		}
		if kind != "Fail" {
			if i == count-1 {
				fields = append(fields, `"End": true`)
			} else {
				fields = append(fields, `"Next": `+next(i))
			}
		}
		all = append(all, name(i)+": {"+strings.Join(fields, ", ")+"}")
	}
	return "{" + strings.Join(all, ", ") + "}"
}

func TestRandomMachinesEndOrGoOnButNeverPanic(t *testing.T) {
	compiled, tried := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		definition := `{"StartAt": "S0", "TimeoutSeconds": 1000, "States": ` + drawStates(t, "S", 2) + `}`
		tried++
		m, err := states.Compile([]byte(definition), resources)
		if err != nil {
			return
		}
		compiled++
		seed := rapid.Uint32().Draw(t, "seed")
		var rolls atomic.Uint32
		dice := func(n int) int { return int((seed ^ rolls.Add(1)*2654435761) >> 16 % uint32(n)) }
		input := states.Written([]byte(`{"a": {"b": [1, 2]}, "n": 3}`))
		survey(t, m, input, dice)
	})
	if compiled*4 < tried {
		t.Errorf("only %d of %d machines compiled", compiled, tried)
	}
}

func FuzzCompile(f *testing.F) {
	for _, seed := range []string{
		machine(`"A": {"Type": "Task", "Resource": "echo", "Parameters": {"a.$": "States.JsonToString($.a)", "b.$": "$$.Execution.Input"}, "ResultSelector": {"x.$": "$.a"}, "ResultPath": "$.r", "Next": "B", "Retry": [{"ErrorEquals": ["X"], "BackoffRate": 1.5, "MaxDelaySeconds": 60, "JitterStrategy": "FULL"}], "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": null, "Next": "B"}]}, "B": {"Type": "Fail", "ErrorPath": "$.a", "CausePath": "States.JsonToString($)"}`),
		machine(`"A": {"Type": "Parallel", "End": true, "Branches": [{"StartAt": "B", "States": {"B": ` + end + `}}, {"StartAt": "C", "States": {"C": {"Type": "Task", "Resource": "fail", "Next": "D"}, "D": ` + end + `}}]}`),
		`{"Comment": "", "TimeoutSeconds": 5, "StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "echo", "End": true, "OutputPath": "$['a']['b'][0]"}}}`,
	} {
		f.Add([]byte(seed), []byte(`{"a": "x", "n": 1, "m": 2.5, "t": "2026-03-02T14:30:00Z"}`))
	}
	f.Fuzz(func(t *testing.T, definition, event []byte) {
		m, err := states.Compile(definition, resources)
		if (m == nil) == (err == nil) {
			t.Fatalf("machine %v, error %v", m, err)
		}
		if err != nil {
			for _, problem := range strings.Split(err.Error(), "\n") {
				if problem == "" {
					t.Errorf("an empty problem in %q", err)
				}
			}
			return
		}
		input, err := states.NewDocument(event)
		if err != nil {
			return
		}
		var rolls atomic.Uint32
		survey(t, m, input, func(n int) int { return int(rolls.Add(1)) % n })
	})
}
