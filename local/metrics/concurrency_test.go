package metrics_test

import (
	"fmt"
	"sync"
	"testing"
)

func TestSixtyFourWritersLoseNothing(t *testing.T) {
	c := newCloud()
	if err := c.alarms.Put(watched()); err != nil {
		t.Fatal(err)
	}
	const writers, each = 64, 500
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := range each {
				switch i % 10 {
				case 0:
					c.alarms.Evaluate()
				default:
					line := fmt.Sprintf(`{"_aws":{"Timestamp":%d,"CloudWatchMetrics":[{"Namespace":"N","Dimensions":[[],["W"]],"Metrics":[{"Name":"M"}]}]},"W":"%d","M":1}`,
						epoch.UnixMilli(), w%7)
					if err := c.store.Ingest([]byte(line)); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	group.Wait()
	const want = writers * each * 9 / 10
	if got := c.total(t, "Sum", nil); got != want {
		t.Errorf("the sum is %v, want %d", got, want)
	}
	byWriter := 0.0
	for w := range 7 {
		byWriter += c.total(t, "Sum", map[string]string{"W": fmt.Sprint(w)})
	}
	if byWriter != want {
		t.Errorf("the sum over the dimension is %v, want %d", byWriter, want)
	}
}
