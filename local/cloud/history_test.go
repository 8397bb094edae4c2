package cloud

import (
	"reflect"
	"testing"
	"time"

	"trade-processing/local/states"
)

// An execution that has ended is the same after it was written and read.
func TestAnEndedExecutionIsReadAsItWasWritten(t *testing.T) {
	long := states.Written([]byte(`{"tradeId": "t1", "price": 1.10, "comment": "longer than what is short"}`))
	at := time.Unix(1764081000, 123456789)
	e := &Execution{
		ARN: "arn:e", Name: "e", Machine: "arn:m", Version: "arn:m:1", Trace: "Root=1", Started: at, input: long,
		ended: at.Add(time.Second), status: Failed, failure: &states.Failure{Name: "Broken", Cause: "<why>"}, writing: newWriter(),
	}
	want := []states.Event{
		{ID: 1, At: at, Type: "ExecutionStarted", Data: long},
		{ID: 2, Previous: 1, At: at, Type: "TaskStateEntered", State: "Record", Data: map[string]any{"event": long, "n": nil}},
		{ID: 3, Previous: 2, At: at, Type: "TaskScheduled", Resource: "arn:aws:states:::aws-sdk:cloudwatch:putMetricData", Data: ""},
		{ID: 4, Previous: 3, At: at, Type: "ExecutionAborted", Failure: &states.Failure{Name: "Aborted", Stopped: true}},
	}
	for _, event := range want {
		e.note(event)
	}
	running := e.History()
	e.end(e.ended, e.status, []byte(`"out"`), e.failure)
	got, events, err := readExecution(e.saved)
	if err != nil {
		t.Fatal(err)
	}
	for i := range want { // a document stands for what it was written from
		if want[i].Data != nil {
			want[i].Data = states.Written(states.AppendJSON(nil, want[i].Data))
		}
	}
	if !reflect.DeepEqual(events, want) || !reflect.DeepEqual(e.History(), want) || !reflect.DeepEqual(running, want) {
		t.Errorf("its events are %+v, want %+v", events, want)
	}
	if again := string(got.Input()); again != string(long.JSON()) || !reflect.DeepEqual(got.Outcome(), e.Outcome()) || got.Name != "e" || got.Version != "arn:m:1" || !got.Started.Equal(at) {
		t.Errorf("it is %+v with the input %s", got, again)
	}
	for cut := range len(e.saved) - 1 {
		if _, _, err := readExecution(e.saved[:cut]); err == nil {
			t.Errorf("cut off after %d bytes, it is read", cut)
		}
	}
}
