package integration_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"trade-processing/local/cloud"
	"trade-processing/tests/paired"
)

// BenchmarkCompareMoto runs the state machine with the same functions on moto's interpreter, with DynamoDB Local, and on the local
// cloud. One operation is a trade in both worlds, one at a time. moto's time is the execution's own, without calls of its API.
func BenchmarkCompareMoto(b *testing.B) {
	here := deploy(b, cloud.Options{})
	th := newTheirs(b, here)
	bus := text(one(b, here, "aws:cloudwatch/eventBus:EventBus", "").Inputs, "name")
	var took paired.Series
	for n := 0; b.Loop(); n++ {
		t := trade(fmt.Sprintf(`{"tradeId":"t%d","amount":"1250.50","currency":"USD","sourceSystem":"system1","symbol":"AAPL","venue":"XNAS"}`, n))
		for _, side := range paired.Order(n) {
			if side == 0 {
				begun := time.Now()
				entry := cloud.Entry{Source: t.Source, DetailType: t.DetailType, Detail: t.Detail, Time: t.Time}
				receipt, err := here.PutEvent(b.Context(), region, bus, entry)
				if err != nil || len(receipt.Deliveries) != 1 || receipt.Deliveries[0].Failure != nil {
					b.Fatalf("got %+v, %v", receipt, err)
				}
				took.Add(0, float64(time.Since(begun).Microseconds())/1000)
				continue
			}
			ended, remove := th.execute(t)
			if ended.Status != "SUCCEEDED" {
				b.Fatalf("it ended as %s: %s", ended.Status, *ended.Cause)
			}
			took.Add(1, float64(ended.StopDate.Sub(*ended.StartDate).Microseconds())/1000)
			remove()
		}
	}
	took.Report(b, "execution", "ms", [2]string{"local", "moto"})
	b.ReportMetric(0, "ns/op") // means nothing
}

// The functions in Python are only run by `make compare`.
func TestTheFunctionsInPythonCompile(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(root, "tests/functions/python/*.py"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	compile := exec.Command(tool(t, "python/bin/python"), append([]string{"-m", "py_compile"}, files...)...)
	compile.Env = append(os.Environ(), "PYTHONPYCACHEPREFIX="+t.TempDir())
	if said, err := compile.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, said)
	}
}
