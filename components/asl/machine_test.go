package asl_test

import (
	"encoding/json"
	"strings"
	"testing"

	"trade-processing/components/asl"
)

// small returns a machine with every state type and field of the package.
func small() asl.Machine {
	retry := []asl.Retrier{{
		ErrorEquals: []string{"Lambda.ServiceException"}, IntervalSeconds: 1, BackoffRate: 2, MaxDelaySeconds: 8, MaxAttempts: 3,
		JitterStrategy: asl.FullJitter,
	}}
	work := asl.Task{
		Resource:       asl.LambdaInvoke("aws"),
		Parameters:     asl.Object{"FunctionName": "f", "Payload": asl.Object{"event": asl.ExecutionInput, "fixed": "x"}},
		OutputPath:     "$.Payload",
		TimeoutSeconds: 10, Retry: retry,
		Catch: []asl.Catcher{{ErrorEquals: []string{asl.AnyError}, Next: "Keep"}},
		End:   true,
	}
	return asl.Machine{
		Comment: "A sample", StartAt: "Both", TimeoutSeconds: 300,
		States: asl.States{
			"Both": asl.Parallel{
				Branches: []asl.Branch{{StartAt: "Work", States: asl.States{
					"Work":   work,
					"Keep":   asl.Task{Resource: asl.SendMessage("aws"), TimeoutSeconds: 5, ResultPath: asl.Discard, Next: "Failed"},
					"Failed": asl.Fail{ErrorPath: "$.Error", CausePath: "States.JsonToString($)"},
				}}},
				ResultSelector: asl.Object{"first": asl.Path("$[0]")},
				Next:           "Last",
			},
			"Last": asl.Task{Resource: asl.LambdaInvoke("aws"), TimeoutSeconds: 10, ResultPath: "$.last", End: true},
		},
	}
}

func TestAMachineRendersAsTheLanguageHasIt(t *testing.T) {
	const want = `{"Comment":"A sample","StartAt":"Both","TimeoutSeconds":300,"States":{` +
		`"Both":{"Type":"Parallel","Branches":[{"StartAt":"Work","States":{` +
		`"Failed":{"Type":"Fail","ErrorPath":"$.Error","CausePath":"States.JsonToString($)"},` +
		`"Keep":{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage","ResultPath":null,"TimeoutSeconds":5,"Next":"Failed"},` +
		`"Work":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"f","Payload":{"event.$":"$$.Execution.Input","fixed":"x"}},` +
		`"OutputPath":"$.Payload","TimeoutSeconds":10,` +
		`"Retry":[{"ErrorEquals":["Lambda.ServiceException"],"IntervalSeconds":1,"BackoffRate":2,"MaxDelaySeconds":8,"MaxAttempts":3,"JitterStrategy":"FULL"}],` +
		`"Catch":[{"ErrorEquals":["States.ALL"],"Next":"Keep"}],"End":true}}}],` +
		`"ResultSelector":{"first.$":"$[0]"},"Next":"Last"},` +
		`"Last":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","ResultPath":"$.last","TimeoutSeconds":10,"End":true}}}`
	for range 20 {
		got, err := small().JSON()
		if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Fatalf("got\n%s\nwant\n%s", got, want)
		}
	}
	if err := small().Check(); err != nil {
		t.Error(err)
	}
}

func TestATemplateThatNamesAFieldTwiceIsRefused(t *testing.T) {
	_, err := json.Marshal(asl.Object{"event": asl.Path("$"), "event.$": "$"})
	if err == nil || !strings.Contains(err.Error(), "event.$") {
		t.Errorf("got %v", err)
	}
}

func TestEveryMistakeIsNamed(t *testing.T) {
	change := func(name string, edit func(*asl.Task)) func(*asl.Machine) {
		return func(m *asl.Machine) {
			task := m.States[name].(asl.Task)
			edit(&task)
			m.States[name] = task
		}
	}
	cases := map[string]struct {
		spoil func(*asl.Machine)
		want  string
	}{
		"no timeout of the machine":    {func(m *asl.Machine) { m.TimeoutSeconds = 0 }, "the machine has no TimeoutSeconds"},
		"a start that isn't there":     {func(m *asl.Machine) { m.StartAt = "Begin" }, `starts at "Begin"`},
		"a next that isn't there":      {change("Last", func(s *asl.Task) { s.End, s.Next = false, "After" }), `Last leads to "After"`},
		"a catcher that leads nowhere": {change("Last", func(s *asl.Task) { s.Catch = []asl.Catcher{{ErrorEquals: []string{asl.AnyError}, Next: "Rescue"}} }), `Last leads to "Rescue"`},
		"a state that nobody reaches":  {func(m *asl.Machine) { m.States["Island"] = asl.Fail{} }, "no path reaches Island"},
		"a state without an end":       {change("Last", func(s *asl.Task) { s.End = false }), "Last must either end or have a next state"},
		"a state with two ends":        {change("Last", func(s *asl.Task) { s.Next = "Both" }), "Last must either end or have a next state"},
		"a task without a resource":    {change("Last", func(s *asl.Task) { s.Resource = "" }), "Last has no Resource"},
		"a task without a timeout":     {change("Last", func(s *asl.Task) { s.TimeoutSeconds = 0 }), "Last has no TimeoutSeconds"},
		"a parallel without branches": {func(m *asl.Machine) {
			m.States["Both"] = asl.Parallel{Next: "Last"}
		}, "Both has no branches"},
		"a branch with a mistake": {func(m *asl.Machine) {
			m.States["Both"] = asl.Parallel{Branches: []asl.Branch{{StartAt: "Nothing"}}, Next: "Last"}
		}, `branch 0 of Both starts at "Nothing"`},
		"a name in a branch that stands outside too": {func(m *asl.Machine) {
			m.States["Both"] = asl.Parallel{Branches: []asl.Branch{{StartAt: "Last", States: asl.States{"Last": asl.Fail{}}}}, Next: "Last"}
		}, "the name Last is used 2 times"},
		"a name that is too long": {func(m *asl.Machine) {
			m.States[strings.Repeat("x", 81)] = asl.Fail{}
		}, "longer than 80 characters"},
		"a retrier of nothing":    {change("Last", retrier(func(r *asl.Retrier) { r.ErrorEquals = nil })), "names no error"},
		"all errors among others": {change("Last", retrier(func(r *asl.Retrier) { r.ErrorEquals = []string{asl.AnyError, "A"} })), "must be alone"},
		"no pause":                {change("Last", retrier(func(r *asl.Retrier) { r.IntervalSeconds = 0 })), "IntervalSeconds is 0"},
		"pauses that shrink":      {change("Last", retrier(func(r *asl.Retrier) { r.BackoffRate = 0.5 })), "BackoffRate is 0.5"},
		"a cap below the pause":   {change("Last", retrier(func(r *asl.Retrier) { r.MaxDelaySeconds = 1 })), "MaxDelaySeconds is 1"},
		"a cap above a year":      {change("Last", retrier(func(r *asl.Retrier) { r.MaxDelaySeconds = 31622400 })), "MaxDelaySeconds is 31622400"},
		"fewer than no retries":   {change("Last", retrier(func(r *asl.Retrier) { r.MaxAttempts = -1 })), "MaxAttempts is -1"},
		"a catcher of nothing":    {change("Last", func(s *asl.Task) { s.Catch = []asl.Catcher{{Next: "Both"}} }), "a catcher names no error"},
		"all errors caught before others": {change("Last", func(s *asl.Task) {
			s.Catch = []asl.Catcher{{ErrorEquals: []string{asl.AnyError}, Next: "Both"}, {ErrorEquals: []string{"A"}, Next: "Both"}}
		}), "in the last catcher"},
		"a loop":                         {change("Last", func(s *asl.Task) { s.End, s.Next = false, "Both" }), "leads back to itself"},
		"a timeout that cuts a path off": {func(m *asl.Machine) { m.TimeoutSeconds = 56 }, "TimeoutSeconds is 56, but a path takes up to 57"},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			machine := small()
			test.spoil(&machine)
			err := machine.Check()
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}

func retrier(edit func(*asl.Retrier)) func(*asl.Task) {
	return func(s *asl.Task) {
		r := asl.Retrier{ErrorEquals: []string{"A"}, IntervalSeconds: 1, BackoffRate: 2, MaxDelaySeconds: 10, MaxAttempts: 1}
		edit(&r)
		s.Retry = []asl.Retrier{r}
	}
}

func TestTheLongestPathCountsRetriesAndPauses(t *testing.T) {
	for name, test := range map[string]struct {
		keeping int // seconds
		want    int
	}{
		"four calls of 10 s with pauses of 1, 2 and 4 s, then the last task": {5, 47 + 10},
		"a failure that takes longer to keep, which ends the execution":      {15, 47 + 15},
	} {
		machine := small()
		states := machine.States["Both"].(asl.Parallel).Branches[0].States
		keep := states["Keep"].(asl.Task)
		keep.TimeoutSeconds = test.keeping
		states["Keep"] = keep
		if got, err := machine.Longest(); err != nil || got != test.want {
			t.Errorf("%s: %d seconds, want %d (%v)", name, got, test.want, err)
		}
	}
}
