package operate_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"trade-processing/internal/exitcode"
	"trade-processing/internal/operate"
	"trade-processing/local/cloud"
	"trade-processing/local/endpoint"
	"trade-processing/local/table"
)

// What a restored table has, and the live one lost, goes through the pipeline again: it is recorded once, with the digest and
// the key that it had, and what is there is a duplicate. A part that is missing from an answer is asked for again.
func TestWhatATableHasCanBeSentAgain(t *testing.T) {
	old := newWorld(t, "dev", nil) // its table is what is restored
	const trades = 230
	start := time.Date(2024, 5, 28, 13, 0, 0, 0, time.UTC)
	var entries []string
	for i := range trades {
		more := ""
		if i == 0 {
			more = `,"fee":1E-2,"big":123456789012345678901234567890.10,"text":"\u202e\u0085é"`
		}
		entries = append(entries, event("system1", fmt.Sprintf("t%d", i), start.Add(time.Duration(i)*time.Second).Format(time.RFC3339), more))
	}
	old.send(append(entries, event("system2", "other", start.Format(time.RFC3339), ""))...)
	old.send(strings.Replace(event("system1", "rejected", start.Format(time.RFC3339), ""), "25.00", "-1.00", 1))
	old.send(event("system1", "inexact", start.Format(time.RFC3339), `,"multiplier":1.00000000000000001`))
	before := old.digests()
	w := newWorld(t, "dev", nil)
	w.send(entries[5])
	restored := w.restore("trades-restored", old.items())

	halves := 0
	w.Tamper = func(response http.ResponseWriter, _ *http.Request, call endpoint.Call, body []byte, _ http.Handler) bool {
		if call.Operation != "BatchGetItem" || halves > 0 {
			return false
		}
		halves++
		var asked struct {
			RequestItems map[string]struct{ Keys []json.RawMessage }
		}
		if err := json.Unmarshal(body, &asked); err != nil {
			t.Error(err)
		}
		if n := len(asked.RequestItems[restored].Keys); n != 100 {
			t.Errorf("it asks for %d at once", n)
		}
		response.Write([]byte(`{"Responses":{},"UnprocessedKeys":`)) //nolint:errcheck // the reader would tell
		body = bytes.TrimSuffix(bytes.TrimPrefix(body, []byte(`{"RequestItems":`)), []byte("}"))
		response.Write(append(body, '}')) //nolint:errcheck // as above
		return true
	}
	out, said, code, err := w.tradectl("", "list", "--table", restored, "--source", "system1", "--since", start.Format(time.RFC3339), "--entries")
	if lines := strings.Count(out, "\n"); code != exitcode.OK || lines != trades+1 || !strings.Contains(said, "written: 231; 1 left out") {
		t.Fatalf("exit code %d: %v: %d lines, %s", code, err, lines, said)
	}
	if strings.ContainsAny(out, "\u202e\u0085") {
		t.Error("it writes what a terminal acts on")
	}
	if first, last := strings.Index(out, "T13:00:00Z"), strings.LastIndex(out, "T13:03:49Z"); first < 0 || last < first {
		t.Errorf("the oldest is at %d, the newest at %d", first, last)
	}
	file := filepath.Join(t.TempDir(), "window.ndjson")
	if err := os.WriteFile(file, []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, said, code, err := w.tradectl("", "send", file); code != exitcode.OK {
		t.Fatalf("exit code %d: %v: %s", code, err, said)
	}
	maps.DeleteFunc(before, func(key, _ string) bool {
		return strings.HasPrefix(key, "other ") || strings.HasPrefix(key, "inexact ") // which would be recorded as if it had been 1
	})
	if after := w.digests(); !maps.Equal(after, before) {
		t.Errorf("the table has %d items, and had %d", len(after), len(before))
	}
	if there := w.getJSON("other", "--table", restored); len(there.Versions) != 1 {
		t.Errorf("the restored table has %+v", there)
	}
	if listed := read[[]operate.Listed](w, "list", "--table", restored, "--source", "system2"); len(listed) != 1 || listed[0].TradeID != "other" {
		t.Errorf("of system2, the restored table has %+v", listed)
	}

	// A version that the index has and the table hasn't is not passed over.
	w.Tamper = func(response http.ResponseWriter, _ *http.Request, call endpoint.Call, _ []byte, _ http.Handler) bool {
		if call.Operation == "BatchGetItem" {
			fmt.Fprint(response, `{"Responses":{},"UnprocessedKeys":{}}`)
		}
		return call.Operation == "BatchGetItem"
	}
	if _, _, code, err := w.tradectl("", "list", "--source", "system1", "--entries"); code != exitcode.Failure || err == nil || !strings.Contains(err.Error(), "run this again") {
		t.Errorf("exit code %d: %v", code, err)
	}
	w.Tamper = func(response http.ResponseWriter, _ *http.Request, call endpoint.Call, _ []byte, _ http.Handler) bool {
		if call.Operation == "BatchGetItem" {
			response.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(response, `{"__type":"AccessDeniedException","message":"not that table"}`)
		}
		return call.Operation == "BatchGetItem"
	}
	if out, said, code, err := w.tradectl("", "list", "--source", "system1", "--entries"); code != exitcode.Failure || err == nil || out != "" || strings.Contains(said, "written") {
		t.Errorf("exit code %d: %v: %s%s", code, err, said, out)
	}
	for _, flag := range []string{"--limit=1", "--output=csv"} {
		if _, _, _, err := w.tradectl("", "list", "--entries", flag); err == nil || !strings.Contains(err.Error(), "none of the others can be") {
			t.Errorf("with %s: %v", flag, err)
		}
	}
}

// digests returns the digest of every version.
func (w *world) digests() map[string]string {
	found := map[string]string{}
	for _, item := range w.items() {
		found[table.Text(item, "tradeId")+" "+table.Text(item, "version")] = table.Text(item, "digest")
	}
	return found
}

// restore makes a table with what another had.
func (w *world) restore(name string, items []map[string]types.AttributeValue) string {
	w.t.Helper()
	region, inputs := w.Stack.Outputs.Region, cloud.Properties{}
	live, found := w.Cloud.Read(cloud.TableType, region, w.Stack.Outputs.TradeTableName)
	if !found {
		w.t.Fatal("no table")
	}
	maps.Copy(inputs, live.Inputs)
	inputs["name"] = name
	if _, err := w.Cloud.Create(cloud.TableType, name, region, inputs); err != nil {
		w.t.Fatal(err)
	}
	table, err := w.Cloud.Table(region, name)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, item := range items {
		if _, err := table.PutItem(w.t.Context(), &dynamodb.PutItemInput{TableName: &name, Item: item}); err != nil {
			w.t.Fatal(err)
		}
	}
	return name
}
