package endpoint

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tidwall/gjson"

	"trade-processing/local/awsapi"
	"trade-processing/local/cloud"
)

var logOperations = map[string]operation{"FilterLogEvents": serve((*Endpoint).filterLogEvents), "DescribeLogGroups": serve((*Endpoint).describeLogGroups)}

// Logs keeps what functions and state machines log, by log group. It is the cloud's log writer (cloud.Options.Logs).
type Logs struct {
	// Keep is how many bytes of lines a log group keeps, the last ones. 0: all.
	Keep int

	mu    sync.Mutex
	lines map[string][]logLine // by log group
	bytes map[string]int       // by log group
}

type logLine struct {
	at   time.Time
	text string
}

// Write receives a line of a function, which says whose it is.
func (l *Logs) Write(line []byte) (int, error) {
	of := gjson.GetManyBytes(line, "Environment", "Function")
	if !of[0].Exists() || !of[1].Exists() {
		return 0, fmt.Errorf("a log line doesn't say whose it is: %s", line)
	}
	l.add("/aws/lambda/trade-processing-"+of[0].String()+"-"+of[1].String(), string(bytes.TrimSpace(line)))
	return len(line), nil
}

func (l *Logs) add(group, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lines == nil {
		l.lines, l.bytes = map[string][]logLine{}, map[string]int{}
	}
	l.lines[group] = append(l.lines[group], logLine{time.Now(), text})
	if l.bytes[group] += len(text); l.Keep > 0 && l.bytes[group] > l.Keep+l.Keep/8 {
		forget := 0 // many at a time, which is cheaper
		for ; l.bytes[group] > l.Keep; forget++ {
			l.bytes[group] -= len(l.lines[group][forget].text)
		}
		l.lines[group] = slices.Clone(l.lines[group][forget:])
	}
}

// logExecution logs an execution as its state machine is set to: at level ALL its begin and its end, at level ERROR
// only a failure.
// https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
func (e *Endpoint) logExecution(delivery cloud.Delivery) {
	if delivery.Execution == "" {
		return // none was started
	}
	parts := strings.SplitN(delivery.Execution, ":", 8) // arn:aws:states:REGION:ACCOUNT:execution:MACHINE:NAME
	parts[5] = "stateMachine"
	arn := strings.Join(parts[:7], ":")
	machine, found := e.cloud.Read(cloud.MachineType, parts[3], arn)
	if !found {
		return
	}
	level, group := logging(machine)
	_, name, _ := strings.Cut(strings.TrimSuffix(group, ":*"), ":log-group:")
	ended := "ExecutionSucceeded"
	if delivery.Failure != nil {
		ended = "ExecutionFailed"
	}
	for i, event := range []string{"ExecutionStarted", ended} {
		if level == "ALL" || level == "ERROR" && event == "ExecutionFailed" {
			line, _ := json.Marshal(map[string]string{ // strings always marshal
				"id": fmt.Sprint(i + 1), "type": event, "execution_arn": delivery.Execution, "event_timestamp": fmt.Sprint(time.Now().UnixMilli()),
			})
			e.logs.add(name, string(line))
		}
	}
}

type filterLogEventsInput struct {
	LogGroupName  string `json:"logGroupName"`
	FilterPattern string `json:"filterPattern"`
	StartTime     int64  `json:"startTime"` // milliseconds since 1970
	EndTime       *int64 `json:"endTime"`
	Limit         int    `json:"limit"`
	NextToken     string `json:"nextToken"`
	Interleaved   bool   `json:"interleaved"` // AWS always does that
}

// linesPerPage is how many lines a page has.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
const linesPerPage = 10_000

// filterLogEvents answers with the lines of a group that match. A token is the number of the next line.
func (e *Endpoint) filterLogEvents(_ context.Context, region string, in filterLogEventsInput) (any, error) {
	if _, found := e.cloud.Read(cloud.LogGroupType, region, in.LogGroupName); !found {
		return nil, awsapi.Error("ResourceNotFoundException", "The specified log group does not exist.")
	}
	matches, err := parseFilter(in.FilterPattern)
	if err != nil {
		return nil, err
	}
	limit := cmp.Or(in.Limit, linesPerPage)
	first, err := strconv.Atoi(cmp.Or(in.NextToken, "0"))
	if err != nil || first < 0 || limit < 1 || limit > linesPerPage {
		return nil, awsapi.Error("InvalidParameterException", "The specified nextToken or limit is invalid.")
	}
	e.logs.mu.Lock()
	lines := e.logs.lines[in.LogGroupName] // only ever added to
	e.logs.mu.Unlock()
	events := []any{}
	for i := first; i < len(lines); i++ {
		line, at := lines[i], lines[i].at.UnixMilli()
		if at < in.StartTime || in.EndTime != nil && at > *in.EndTime || !matches(line.text) {
			continue
		}
		if len(events) == limit {
			return object{"events": events, "nextToken": strconv.Itoa(i)}, nil
		}
		events = append(events, object{
			"message": line.text, "timestamp": at, "ingestionTime": at, "logStreamName": "local", "eventId": fmt.Sprintf("%056d", i),
		})
	}
	return object{"events": events}, nil
}

var (
	filterShape = regexp.MustCompile(`^\{(.*)\}$`)
	filterTerm  = regexp.MustCompile(`^\$\.(\w+) = (?:"([^"\\]*)"|(\*))$`)
)

// parseFilter reads those filter patterns that join terms like $.name = "text", $.name = "begin*" and $.name = * by &&. Without a
// pattern, everything matches.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntaxForMetricFilters.html
func parseFilter(pattern string) (func(line string) bool, error) {
	if pattern == "" {
		return func(string) bool { return true }, nil
	}
	shape := filterShape.FindStringSubmatch(strings.TrimSpace(pattern))
	if shape == nil {
		return nil, awsapi.Error("InvalidParameterException", "the filter pattern %s is not supported here", pattern)
	}
	var terms [][]string
	for term := range strings.SplitSeq(shape[1], "&&") {
		read := filterTerm.FindStringSubmatch(strings.TrimSpace(term))
		if read == nil {
			return nil, awsapi.Error("InvalidParameterException", "the term %s of a filter pattern is not supported here", term)
		}
		terms = append(terms, read)
	}
	return func(line string) bool {
		var fields map[string]any
		if json.Unmarshal([]byte(line), &fields) != nil {
			return false
		}
		return !slices.ContainsFunc(terms, func(term []string) bool {
			value, present := fields[term[1]]
			text, _ := value.(string)
			if begin, any := strings.CutSuffix(term[2], "*"); any {
				return !strings.HasPrefix(text, begin)
			}
			return !present || term[3] == "" && value != term[2]
		})
	}, nil
}
