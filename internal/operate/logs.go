package operate

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

// Line is a line of a log.
type Line struct {
	Time time.Time `json:"time"`
	From string    `json:"from"` // a function, or Workflow

	// What the line says of itself.
	Level        string `json:"level,omitempty"`
	Message      string `json:"message,omitempty"`
	Error        string `json:"error,omitempty"`
	TradeID      string `json:"tradeId,omitempty"`
	ExecutionARN string `json:"executionArn,omitempty"`

	// Text is the line as it was written.
	Text string `json:"text"`

	id string // of the event in CloudWatch
}

// Workflow is whose lines the state machine writes.
const Workflow = "workflow"

// LogQuery selects log lines. Zero fields match all.
type LogQuery struct {
	Since, Until time.Time
	TradeID      string // only the functions' lines about this trade: the workflow's don't name it
}

// Logs returns lines of all functions and the workflow, merged in order of time.
func (s *Stack) Logs(ctx context.Context, q LogQuery) iter.Seq2[Line, error] {
	groups, pattern := s.logGroups(), ""
	if q.TradeID != "" {
		delete(groups, Workflow)
		if plain.MatchString(q.TradeID) { // nothing that a pattern treats specially
			pattern = fmt.Sprintf(`{ $.tradeId = %q }`, q.TradeID)
		}
	}
	client := s.CloudWatchLogs()
	var sources []source[Line]
	for _, from := range slices.Sorted(maps.Keys(groups)) {
		sources = append(sources, func(ctx context.Context, add func([]Line) bool) error {
			return filterGroup(ctx, client, groups[from], pattern, q, func(events []types.FilteredLogEvent) bool {
				var lines []Line
				for _, event := range events {
					if line := readLine(from, event); q.TradeID == "" || line.TradeID == q.TradeID {
						lines = append(lines, line)
					}
				}
				return add(lines)
			})
		})
	}
	return merged(ctx, sources, func(a, b Line) bool { return a.Time.Before(b.Time) })
}

// Follow returns lines from a time on, in batches, and goes on with new ones until the context ends. CloudWatch takes lines late,
// so each look goes back a little.
func (s *Stack) Follow(ctx context.Context, q LogQuery, every time.Duration) iter.Seq2[[]Line, error] {
	const late = 15 * time.Second
	return func(yield func([]Line, error) bool) {
		seen := map[string]time.Time{}
		for {
			asked := time.Now()
			var batch []Line
			for line, err := range s.Logs(ctx, q) {
				if err != nil {
					yield(nil, err)
					return
				}
				if _, known := seen[line.id]; !known {
					seen[line.id] = line.Time
					batch = append(batch, line)
				}
			}
			if !yield(batch, nil) {
				return
			}
			if next := asked.Add(-late); next.After(q.Since) {
				q.Since = next
			}
			maps.DeleteFunc(seen, func(_ string, at time.Time) bool { return at.Before(q.Since) })
			select {
			case <-time.After(every):
			case <-ctx.Done():
				yield(nil, ctx.Err())
				return
			}
		}
	}
}

// logGroups returns the log groups by who writes them. Their names are Lambda's own, and the stack's (docs/runbook.md).
func (s *Stack) logGroups() map[string]string {
	groups := map[string]string{Workflow: s.workflowLog()}
	for function, name := range s.Outputs.FunctionNames {
		groups[function] = "/aws/lambda/" + name
	}
	return groups
}

func (s *Stack) workflowLog() string {
	return "/aws/vendedlogs/states/" + s.Outputs.StateMachineARN[strings.LastIndex(s.Outputs.StateMachineARN, ":")+1:]
}

var plain = regexp.MustCompile(`^[0-9A-Za-z_.:/-]+$`)

// filterGroup reads the lines of a log group in order of time. Empty pages are usual: they say how far the search is.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
func filterGroup(ctx context.Context, client *cloudwatchlogs.Client, group, pattern string, q LogQuery, add func([]types.FilteredLogEvent) bool) error {
	in := &cloudwatchlogs.FilterLogEventsInput{LogGroupName: &group}
	if pattern != "" {
		in.FilterPattern = &pattern
	}
	if !q.Since.IsZero() {
		in.StartTime = aws.Int64(q.Since.UnixMilli())
	}
	if !q.Until.IsZero() {
		in.EndTime = aws.Int64(q.Until.UnixMilli())
	}
	pages := cloudwatchlogs.NewFilterLogEventsPaginator(client, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("reading the log group %s: %w", group, err)
		}
		if !add(page.Events) {
			return ctx.Err()
		}
	}
	return nil
}

func readLine(from string, event types.FilteredLogEvent) Line {
	line := Line{From: from, Time: time.UnixMilli(aws.ToInt64(event.Timestamp)).UTC(), Text: strings.TrimSpace(aws.ToString(event.Message)), id: from + aws.ToString(event.EventId)}
	var says struct {
		Level        string `json:"level"`
		Message      string `json:"msg"`
		Error        any    `json:"error"`
		ErrorType    string `json:"errorType"`
		TradeID      string `json:"tradeId"`
		ExecutionARN string `json:"executionArn"`
		Type         string `json:"type"` // what the workflow writes has this
		Execution    string `json:"execution_arn"`
	}
	if json.Unmarshal([]byte(line.Text), &says) != nil {
		line.Message = line.Text
		return line
	}
	line.Level, line.Message, line.TradeID = says.Level, cmp.Or(says.Message, says.Type), says.TradeID
	line.ExecutionARN, line.Error = cmp.Or(says.ExecutionARN, says.Execution), says.ErrorType
	if says.Error != nil {
		line.Error = strings.TrimPrefix(line.Error+": "+fmt.Sprint(says.Error), ": ")
	}
	return line
}
