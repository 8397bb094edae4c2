package endpoint

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"trade-processing/local/awsapi"
	"trade-processing/local/cloud"
)

const logGroupType = "aws:cloudwatch/logGroup:LogGroup"

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
	var of struct{ Environment, Function string }
	if err := json.Unmarshal(line, &of); err != nil {
		return 0, fmt.Errorf("reading a log line: %w", err)
	}
	l.add("/aws/lambda/trade-processing-"+of.Environment+"-"+of.Function, string(bytes.TrimSpace(line)))
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
	machine, found := e.cloud.Read(machineType, parts[3], arn)
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
}

// filterLogEvents answers with the lines of a group that match, all on one page.
func (e *Endpoint) filterLogEvents(_ context.Context, region string, in filterLogEventsInput) (any, error) {
	if _, found := e.cloud.Read(logGroupType, region, in.LogGroupName); !found {
		return nil, awsapi.Error("ResourceNotFoundException", "The specified log group does not exist.")
	}
	matches, err := parseFilter(in.FilterPattern)
	if err != nil {
		return nil, err
	}
	e.logs.mu.Lock()
	defer e.logs.mu.Unlock()
	events := []any{}
	for _, line := range e.logs.lines[in.LogGroupName] {
		if line.at.UnixMilli() >= in.StartTime && matches(line.text) {
			events = append(events, map[string]any{"message": line.text, "timestamp": line.at.UnixMilli()})
		}
	}
	return map[string]any{"events": events}, nil
}

var (
	filterShape = regexp.MustCompile(`^\{(.*)\}$`)
	filterTerm  = regexp.MustCompile(`^\$\.(\w+) = (?:"([^"\\]*)"|(\*))$`)
)

// parseFilter reads those filter patterns that join terms like $.name = "text" and $.name = * by &&.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntaxForMetricFilters.html
func parseFilter(pattern string) (func(line string) bool, error) {
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
			return !present || term[3] == "" && value != term[2]
		})
	}, nil
}
