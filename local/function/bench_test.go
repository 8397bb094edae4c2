package function_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"trade-processing/local/clock"
	"trade-processing/local/function"
	"trade-processing/local/metrics"
)

type handler func(context.Context, []byte) ([]byte, error)

func (h handler) Invoke(ctx context.Context, p []byte) ([]byte, error) { return h(ctx, p) }

var doc = []byte(`{"a":{"b":{"c":[1,2,3,{"d":"e"}]}},"x":"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy","z":[1,2,3,4,5,6,7]}`)

func work(context.Context, []byte) ([]byte, error) {
	var v any
	if err := json.Unmarshal(doc, &v); err != nil {
		return nil, err
	}
	return json.Marshal(v)
}

func BenchmarkHandlerAlone(b *testing.B) {
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			_, _ = work(context.Background(), nil)
		}
	})
}

func BenchmarkInvoke(b *testing.B) {
	f, err := function.New(function.Definition{Name: "f", ARN: "arn:f", Timeout: 3 * time.Second, Handler: handler(work)},
		function.Options{Clock: clock.Real(), Metrics: metrics.NewStore(), RequestID: func() string { return "id" }, Pool: function.NewPool()})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := f.Invoke(context.Background(), function.Call{Payload: doc}); err != nil {
				b.Error(err)
			}
		}
	})
}
