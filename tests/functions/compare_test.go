package functions_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"trade-processing/lambdas/function/functiontest"
	"trade-processing/tests/paired"
)

// BenchmarkComparePython runs the functions' programs and the same in Python, as Lambda runs both. One operation is a pair of
// environments, from their start through their first call and 200 more; cpu is what all that takes.
func BenchmarkComparePython(b *testing.B) {
	const calls = 200
	emulators := os.Getenv("EMULATORS") // has Python with boto3
	if emulators == "" {
		b.Skip("EMULATORS is not set: `make compare` installs Python's packages and sets it")
	}
	scripts, err := filepath.Abs("python")
	if err != nil {
		b.Fatal(err)
	}
	sides := [2]string{"go", "python"}
	for _, function := range Functions() {
		b.Run(function, func(b *testing.B) {
			accounts := [2]*Account{open(b), open(b)}
			begin := [2]func() *functiontest.Process{
				func() *functiontest.Process { return start(b, function, accounts[0].ProcessVariables(function)) },
				func() *functiontest.Process {
					variables := accounts[1].ProcessVariables(function)
					variables["DATA"], variables["PYTHONPYCACHEPREFIX"], variables["AWS_DEFAULT_REGION"] = filepath.Join(scripts, "../../../lambdas"), folder, region
					return startCommand(b, exec.Command(filepath.Join(emulators, "python/bin/python"), filepath.Join(scripts, function+".py")), variables)
				},
			}
			begin[0]()
			begin[1]() // which builds or compiles the programs
			same(b, function, begin)
			var started, first, median, slow, used, held paired.Series
			for n := 0; b.Loop(); n++ {
				var processes [2]*functiontest.Process
				var took [2][]float64
				for _, side := range paired.Order(n) {
					processes[side] = begin[side]()
					<-processes[side].Ready()
					started.Add(side, milliseconds(processes[side].ReadyAfter()))
				}
				for i := range calls + 1 {
					for _, side := range paired.Order(n + i) {
						begun := time.Now()
						call(b, processes[side], wholeTrade(function, fmt.Sprintf("t-%d-%d", n, i)))
						took[side] = append(took[side], milliseconds(time.Since(begun)))
					}
				}
				for side, process := range processes {
					first.Add(side, took[side][0])
					median.Add(side, paired.Percentile(took[side][1:], 50))
					slow.Add(side, paired.Percentile(took[side][1:], 99))
					held.Add(side, mebibytes(memory(b, process)))
					if err := process.Stop(grace); err != nil {
						b.Error(err)
					}
					used.Add(side, milliseconds(process.State().UserTime()+process.State().SystemTime()))
				}
			}
			started.Report(b, "start", "ms", sides)
			first.Report(b, "first-call", "ms", sides)
			median.Report(b, "call-p50", "ms", sides)
			slow.Report(b, "call-p99", "ms", sides)
			used.Report(b, "cpu", "ms", sides)
			held.Report(b, "memory", "MiB", sides)
			b.ReportMetric(0, "ns/op") // means nothing
		})
	}
}

// wholeTrade is a payload with every kind of check: decimals, dates, a currency, check digits and a calendar.
func wholeTrade(function, id string) string {
	detail := `{"tradeId":"` + id + `","amount":"35158.2","currency":"USD","sourceSystem":"system1","symbol":"SPY","price":"167.42","quantity":"210",` +
		`"venue":"XNAS","isin":"US78462F1030","side":"BUY","counterpartyLei":"7LTWFZYICNSX8D621K86","account":"A-1",` +
		`"executedAt":"2013-10-08T04:00:17.034-04:00","saleConditions":"2000"}`
	if function == Recorder {
		return toRecord(detail, id, "")
	}
	return request(detail, "")
}

func call(b *testing.B, process *functiontest.Process, payload string) []byte {
	b.Helper()
	answer, err := process.Invoke(b.Context(), invocation(payload, time.Minute))
	if err != nil || answer.Error != nil {
		b.Fatal(err, answer.Error)
	}
	return answer.Payload
}

// same fails unless both sides answer the same. What a violation says, and when a trade was recorded, may differ.
func same(b *testing.B, function string, begin [2]func() *functiontest.Process) {
	b.Helper()
	payloads := []string{wholeTrade(function, "whole")}
	if function != Recorder {
		payloads = append(payloads, request(`{"tradeId":"t","amount":"-1","currency":"DEM","sourceSystem":"system9","symbol":" ","venue":"XPAR","isin":"US0378331006",`+
			`"side":"B","executedAt":"2026-07-03T22:30:00Z"}`, ""))
	}
	processes := [2]*functiontest.Process{begin[0](), begin[1]()}
	for _, payload := range payloads {
		var answers [2]map[string]any
		for side, process := range processes {
			if err := json.Unmarshal(call(b, process, payload), &answers[side]); err != nil {
				b.Fatal(err)
			}
			delete(answers[side], "recordedAt")
			violations, _ := answers[side]["violations"].([]any)
			for _, violation := range violations {
				delete(violation.(map[string]any), "message")
			}
		}
		if !reflect.DeepEqual(answers[0], answers[1]) {
			b.Fatalf("Go answers\n%v\nPython answers\n%v", answers[0], answers[1])
		}
	}
}
