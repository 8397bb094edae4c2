package endpoint

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/xray"

	"trade-processing/local/awsapi"
	"trade-processing/local/cloud"
)

var traceOperations = map[string]operation{"BatchGetTraces": serve((*Endpoint).batchGetTraces)}

// traces are what X-Ray would have: for each event sent with a sampled trace, a segment per execution it started.
type traces struct {
	mu       sync.Mutex
	segments map[string][]map[string]string // by trace id
}

// add records an execution under the trace of a header such as Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1.
func (t *traces) add(header string, delivery cloud.Delivery) {
	fields := map[string]string{}
	for field := range strings.SplitSeq(header, ";") {
		name, value, _ := strings.Cut(field, "=")
		fields[name] = value
	}
	if fields["Sampled"] != "1" || fields["Root"] == "" || delivery.Execution == "" {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.segments == nil {
		t.segments = map[string][]map[string]string{}
	}
	id := fmt.Sprintf("%016x", len(t.segments)+1)
	document, _ := json.Marshal(map[string]any{ // strings always marshal
		"id": id, "trace_id": fields["Root"], "name": delivery.Execution[strings.LastIndex(delivery.Execution, ":")+1:],
		"origin": "AWS::StepFunctions::StateMachine", "fault": delivery.Failure != nil,
	})
	t.segments[fields["Root"]] = append(t.segments[fields["Root"]], map[string]string{"Id": id, "Document": string(document)})
}

func (e *Endpoint) batchGetTraces(_ context.Context, _ string, in xray.BatchGetTracesInput) (any, error) {
	if len(in.TraceIds) == 0 || len(in.TraceIds) > 5 {
		return nil, awsapi.Error("InvalidRequestException", "TraceIds: 1 to 5 ids, not %d", len(in.TraceIds))
	}
	e.traces.mu.Lock()
	defer e.traces.mu.Unlock()
	var found []any
	for _, id := range in.TraceIds {
		if segments := e.traces.segments[id]; segments != nil {
			found = append(found, map[string]any{"Id": id, "Segments": segments})
		}
	}
	return map[string]any{"Traces": found, "UnprocessedTraceIds": []string{}}, nil
}
