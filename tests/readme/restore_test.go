package readme

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// awsScript plays the AWS CLI for a table of three trades, in three shards of the index. The second call of put-events,
// or the query of the last shard, does what $SECOND says.
const awsScript = `#!/bin/sh
case "$1 $2" in
"dynamodb query")
  n=
  case "$*" in
  *'"system1#0"'*) n=3 ;;
  *'"system1#10"'*) n=1 ;;
  *'"system1#63"'*) [ "$SECOND" = "no shard" ] && { echo "ThrottlingException" >&2; exit 254; }; n=2 ;;
  esac
  echo '{"Items": ['${n:+'{"tradeId": {"S": "t'$n'"}, "timestamp": {"N": "'$n'"}}'}']}' ;;
"dynamodb get-item")
  case "$*" in *'"t2"'*) [ "$SECOND" = "no item" ] && exit 0 ;; esac
  echo '{"Item": {"eventSource": {"S": "trading.system1"}, "eventTime": {"S": "2026-01-05T15:00:00Z"}, "trade": {"S": "{\"amount\":\"1.10\"}"}}}' ;;
"events put-events")
  entries=$(cat)
  echo "$entries" >> entries.ndjson
  if [ "$(wc -l < entries.ndjson)" -eq 2 ]; then
    case "$SECOND" in
    throttled) echo 1; exit 0 ;; # of --query FailedEntryCount
    denied) echo "AccessDeniedException" >&2; exit 254 ;;
    esac
  fi
  [ -n "$entries" ] || { echo "Expected: '=', received: EOF" >&2; exit 252; }
  echo 0 ;;
*) echo "aws $* is not known here" >&2; exit 252 ;;
esac
`

// PutEvents answers 200 with a FailedEntryCount when it takes only some entries, so the AWS CLI ends with 0.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
func TestARestoreStopsAtTheFirstTradeThatWasNotSent(t *testing.T) {
	if _, err := exec.LookPath("jq"); err != nil {
		t.Skip("the runbook's commands need jq")
	}
	var restore, within string
	for _, b := range pageNamed(t, "docs/runbook.md").blocks {
		if strings.Contains(b.text, "within() {") {
			within, _, _ = strings.Cut(b.text, "\n\n")
		}
		if strings.Contains(b.text, "aws events put-events") && strings.Contains(b.text, "aws dynamodb get-item") {
			restore = b.text
		}
	}
	if restore == "" || within == "" {
		t.Fatal("the runbook sends no restored trades, or finds none")
	}
	for _, test := range []struct {
		second string
		sends  int
		stops  bool
	}{{"", 3, false}, {"throttled", 2, true}, {"denied", 2, true}, {"no item", 2, true}, {"no shard", 0, true}} {
		t.Run(test.second, func(t *testing.T) {
			folder := t.TempDir()
			if err := os.WriteFile(filepath.Join(folder, "aws"), []byte(awsScript), 0o700); err != nil {
				t.Fatal(err)
			}
			commands := exec.CommandContext(t.Context(), "bash", "-c", "out() { echo it; }; from=0 to=4\n"+within+"\n"+restore)
			commands.Dir = folder
			commands.Env = append(os.Environ(), "PATH="+folder+string(os.PathListSeparator)+os.Getenv("PATH"), "SECOND="+test.second)
			said, err := commands.CombinedOutput()
			reason := `stopped: {"tradeId":{"S":"t2"},"timestamp":{"N":"2"}} was not sent`
			if test.sends == 0 {
				reason = "ThrottlingException"
			}
			if stopped := err != nil && strings.Contains(string(said), reason); stopped != test.stops {
				t.Errorf("it stopped: %t (%v)\n%s", stopped, err, said)
			}
			entries, err := os.ReadFile(filepath.Join(folder, "entries.ndjson"))
			if err != nil && test.sends > 0 {
				t.Fatal(err)
			}
			if sends := strings.Count(string(entries), "\n"); sends != test.sends {
				t.Errorf("%d sends\n%s", sends, entries)
			}
			if first, _, _ := strings.Cut(string(entries), "\n"); test.sends > 0 && !strings.Contains(first, `"Detail":"{\"amount\":\"1.10\"}"`) {
				t.Errorf("the first is %s", first)
			}
		})
	}
}
