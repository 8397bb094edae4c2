package simulate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"trade-processing/local/metrics"
)

// Resource is a resource of a deployed stack.
type Resource struct {
	Type, Region string
	Inputs       map[string]any
}

// Deployed is what a stack's resources say of how trades flow.
type Deployed struct {
	Region    string
	Type      string // of the workflow: STANDARD or EXPRESS
	Workflow  string // its name
	Timeout   float64
	Groups    [][]Task // one after another; the tasks of a group run at once
	Functions []Function
	Routes    []Route
	Table     Table
	Alarms    []metrics.Alarm
	Page      struct{ Name, Rule string } // the composite alarm that wakes somebody
}

// Task is a state that calls a function.
type Task struct {
	State    string
	Function int // in Deployed.Functions
	Timeout  float64
	Retry    Retry  // of throttled calls and writes
	Letters  string // the queue for the event if it fails
}

// Retry is a state's retrier.
type Retry struct {
	ErrorEquals     []string
	IntervalSeconds float64
	BackoffRate     float64
	MaxDelaySeconds float64
	MaxAttempts     int
	JitterStrategy  string
}

// Function is a Lambda function.
type Function struct {
	Name, Image string // Image is what its code is called
	MemoryMB    float64
	Timeout     float64
	Reserved    float64 // concurrency; 0: none
	Writes      bool    // to the table
	Environment string
}

// Route starts an execution for each event of a source.
type Route struct {
	Rule, Letters string
	Attempts      int
	Age           float64
}

// Table is the table of trades.
type Table struct {
	Name      string
	MaxWrites float64 // units a second; 0: unlimited
	Indexes   []string
	Replicas  []string // regions
}

const (
	throttled = "Lambda.TooManyRequestsException"
	refused   = "ThrottlingException"
	anyError  = "States.ALL"
)

type machine struct {
	StartAt        string
	States         map[string]state
	TimeoutSeconds float64
}

type state struct {
	Type, Next, Resource string
	Branches             []machine
	TimeoutSeconds       float64
	Retry                []Retry
	Catch                []struct{ Next string }
	Parameters           struct{ FunctionName, QueueURL string }
}

// Read finds in a stack's resources how trades flow.
func Read(resources []Resource) (*Deployed, error) {
	d := &Deployed{}
	var definition machine
	for _, r := range resources {
		text, err := json.Marshal(r.Inputs)
		if err == nil {
			err = d.read(r, text, &definition)
		}
		if err != nil {
			return nil, fmt.Errorf("reading a resource of type %s: %w", r.Type, err)
		}
	}
	if d.Workflow == "" || d.Table.Name == "" || len(d.Routes) == 0 {
		return nil, fmt.Errorf("the stack has no workflow, table or route to simulate")
	}
	slices.SortFunc(d.Functions, func(a, b Function) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(d.Routes, func(a, b Route) int { return strings.Compare(a.Rule, b.Rule) })
	slices.SortFunc(d.Alarms, func(a, b metrics.Alarm) int { return strings.Compare(a.Name, b.Name) })
	return d, d.flow(definition)
}

func (d *Deployed) read(r Resource, text []byte, definition *machine) error {
	switch r.Type {
	case "aws:sfn/stateMachine:StateMachine":
		var in struct {
			Name, Type string
			Definition json.RawMessage
		}
		if err := json.Unmarshal(text, &in); err != nil {
			return err
		}
		d.Region, d.Workflow, d.Type = r.Region, in.Name, in.Type
		if bytes.HasPrefix(in.Definition, []byte(`"`)) {
			var inner string
			if err := json.Unmarshal(in.Definition, &inner); err != nil {
				return err
			}
			in.Definition = []byte(inner)
		}
		return json.Unmarshal(in.Definition, definition)
	case "aws:lambda/function:Function":
		var in struct {
			Name                         string
			MemorySize                   float64
			Timeout                      float64
			ReservedConcurrentExecutions float64
			Environment                  struct{ Variables map[string]string }
		}
		if err := json.Unmarshal(text, &in); err != nil {
			return err
		}
		_, writes := in.Environment.Variables["TABLE_NAME"]
		d.Functions = append(d.Functions, Function{
			Name: in.Name, Image: in.Name[strings.LastIndex(in.Name, "-")+1:], MemoryMB: in.MemorySize, Timeout: in.Timeout,
			Reserved: in.ReservedConcurrentExecutions, Writes: writes, Environment: in.Environment.Variables["ENVIRONMENT"],
		})
	case "aws:cloudwatch/eventTarget:EventTarget":
		var in struct {
			Rule        string
			RetryPolicy struct {
				MaximumEventAgeInSeconds float64
				MaximumRetryAttempts     int
			}
			DeadLetterConfig struct{ ARN string }
		}
		if err := json.Unmarshal(text, &in); err != nil {
			return err
		}
		d.Routes = append(d.Routes, Route{
			Rule: in.Rule, Letters: after(in.DeadLetterConfig.ARN, ":"),
			Attempts: in.RetryPolicy.MaximumRetryAttempts, Age: in.RetryPolicy.MaximumEventAgeInSeconds,
		})
	case "aws:dynamodb/table:Table":
		var in struct {
			Name                   string
			OnDemandThroughput     struct{ MaxWriteRequestUnits float64 }
			GlobalSecondaryIndexes []struct{ Name string }
		}
		if err := json.Unmarshal(text, &in); err != nil {
			return err
		}
		d.Table.Name, d.Table.MaxWrites = in.Name, in.OnDemandThroughput.MaxWriteRequestUnits
		for _, index := range in.GlobalSecondaryIndexes {
			d.Table.Indexes = append(d.Table.Indexes, index.Name)
		}
	case "aws:dynamodb/tableReplica:TableReplica":
		d.Table.Replicas = append(d.Table.Replicas, r.Region)
	case "aws:cloudwatch/metricAlarm:MetricAlarm":
		var in struct {
			Name, Namespace, MetricName, Statistic, ExtendedStatistic string
			ComparisonOperator, TreatMissingData                      string
			Dimensions                                                map[string]string
			Period                                                    int
			EvaluationPeriods                                         int
			Threshold                                                 float64
		}
		if err := json.Unmarshal(text, &in); err != nil {
			return err
		}
		d.Alarms = append(d.Alarms, metrics.Alarm{
			Name: in.Name, Namespace: in.Namespace, Metric: in.MetricName, Dimensions: in.Dimensions, Statistic: in.Statistic + in.ExtendedStatistic,
			Period: time.Duration(in.Period) * time.Second, EvaluationPeriods: in.EvaluationPeriods, Threshold: in.Threshold,
			Comparison: in.ComparisonOperator, TreatMissingData: in.TreatMissingData,
		})
	case "aws:cloudwatch/compositeAlarm:CompositeAlarm":
		var in struct{ AlarmName, AlarmRule string }
		if err := json.Unmarshal(text, &in); err != nil {
			return err
		}
		d.Page.Name, d.Page.Rule = in.AlarmName, in.AlarmRule
	}
	return nil
}

// flow follows a definition as long as nothing fails.
func (d *Deployed) flow(m machine) error {
	d.Timeout = m.TimeoutSeconds
	for name := m.StartAt; name != ""; name = m.States[name].Next {
		current, group := m.States[name], []Task(nil)
		branches := []machine{{StartAt: name, States: m.States}}
		if current.Type == "Parallel" {
			branches = current.Branches
		}
		for _, branch := range branches {
			task, err := d.task(branch)
			if err != nil {
				return err
			}
			if current.Type == "Parallel" && branch.States[branch.StartAt].Next != "" {
				return fmt.Errorf("the branch of %s goes on after it, which is not simulated", branch.StartAt)
			}
			group = append(group, task)
		}
		d.Groups = append(d.Groups, group)
	}
	return nil
}

func (d *Deployed) task(m machine) (Task, error) {
	name, s := m.StartAt, m.States[m.StartAt]
	task := Task{State: name, Timeout: s.TimeoutSeconds}
	arn := strings.Split(s.Parameters.FunctionName, ":")
	const function = 6 // arn:aws:lambda:region:account:function:name:alias
	if s.Type == "Task" && len(arn) > function {
		task.Function = slices.IndexFunc(d.Functions, func(f Function) bool { return f.Name == arn[function] })
	}
	if s.Type != "Task" || len(arn) <= function || task.Function < 0 {
		return task, fmt.Errorf("state %s calls no function of the stack, which is not simulated", name)
	}
	covers := func(failure string) int {
		return slices.IndexFunc(s.Retry, func(r Retry) bool {
			return slices.Contains(r.ErrorEquals, failure) || slices.Contains(r.ErrorEquals, anyError)
		})
	}
	if covers(throttled) != covers(refused) {
		return task, fmt.Errorf("state %s has different retriers for %s and %s, which is not simulated", name, throttled, refused)
	}
	if i := covers(throttled); i >= 0 {
		task.Retry = s.Retry[i]
	}
	if len(s.Catch) > 0 {
		task.Letters = after(m.States[s.Catch[len(s.Catch)-1].Next].Parameters.QueueURL, "/")
	}
	return task, nil
}

// queues are the dead-letter queues of functions and routes.
func (d *Deployed) queues() []string {
	names := map[string]bool{}
	for _, group := range d.Groups {
		for _, task := range group {
			names[task.Letters] = true
		}
	}
	for _, route := range d.Routes {
		names[route.Letters] = true
	}
	return slices.Sorted(maps.Keys(names))
}

func after(text, separator string) string { return text[strings.LastIndex(text, separator)+1:] }
