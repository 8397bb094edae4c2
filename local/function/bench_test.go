package function_test

import (
	"context"
	"encoding/json"
	"testing"

	"trade-processing/local/clock"
	"trade-processing/local/function"
)

// decodes is a handler that uses its stack as a real one does.
var decodes = handler(func(_ context.Context, payload []byte) ([]byte, error) {
	var document any
	if err := json.Unmarshal(payload, &document); err != nil {
		return nil, err
	}
	return json.Marshal(document)
})

var document = []byte(`{"a":{"b":{"c":[1,2,3,{"d":"e"}]}},"x":"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy","z":[1,2,3,4,5,6,7]}`)

// Compare BenchmarkInvoke with BenchmarkHandlerAlone.
func BenchmarkInvoke(b *testing.B) {
	s := newFunction(b, decodes, func(_ *function.Definition, o *function.Options) { o.Clock = clock.Real() })
	b.ReportAllocs()
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.made.Invoke(context.Background(), function.Call{Payload: document}); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkHandlerAlone(b *testing.B) {
	b.ReportAllocs()
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := decodes(context.Background(), document); err != nil {
				b.Error(err)
			}
		}
	})
}
