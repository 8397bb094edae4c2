package operate

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"trade-processing/internal/exitcode"
)

// archivedAfter is how long EventBridge may take to archive an event.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-archive.html
const archivedAfter = 10 * time.Minute

// ReplayPlan is a window of the archive that is to be replayed, and what that will do.
type ReplayPlan struct {
	From    time.Time `json:"from"` // by the times in the events
	To      time.Time `json:"to"`
	Sources []string  `json:"sources"`
	Archive string    `json:"archive"`
	// Events is about how many will come: those that these sources' rules matched in the window, by their arrival. Each
	// costs what it cost the first time. Nil: CloudWatch doesn't know.
	Events *float64 `json:"events"`
	// Notes say what may be other than expected.
	Notes []string `json:"notes"`

	archiveARN string
	ruleARNs   []string
}

// PlanReplay looks at what a replay of a window would do. It starts nothing.
func (s *Stack) PlanReplay(ctx context.Context, from, to time.Time, sources []string) (ReplayPlan, error) {
	plan := ReplayPlan{From: from.UTC(), To: to.UTC(), Sources: sources, Archive: s.Outputs.EventArchiveName, Notes: []string{}}
	client := s.EventBridge()
	archive, err := client.DescribeArchive(ctx, &eventbridge.DescribeArchiveInput{ArchiveName: &plan.Archive})
	if err != nil {
		return plan, fmt.Errorf("looking at the archive %s: %w", plan.Archive, err)
	}
	plan.archiveARN = aws.ToString(archive.ArchiveArn)
	if days := aws.ToInt32(archive.RetentionDays); days > 0 && from.Before(time.Now().AddDate(0, 0, -int(days))) {
		plan.Notes = append(plan.Notes, fmt.Sprintf("the archive keeps events for %d days: what is older is gone", days))
	}
	if time.Since(to) < archivedAfter {
		plan.Notes = append(plan.Notes, "EventBridge may take 10 minutes to archive an event: the newest may be left out")
	}
	var metrics []Metric
	for _, source := range sources {
		if _, known := s.Outputs.Delivery[source]; !known {
			return plan, exitcode.With(exitcode.NotFound, fmt.Errorf("the stack has no source %s, only %v", source, s.Outputs.Sources()))
		}
		name := s.Outputs.Prefix() + "from-" + source
		rule, err := client.DescribeRule(ctx, &eventbridge.DescribeRuleInput{Name: &name, EventBusName: &s.Outputs.EventBusName})
		if err != nil {
			return plan, fmt.Errorf("looking at the rule %s: %w", name, err)
		}
		if rule.State == types.RuleStateDisabled {
			plan.Notes = append(plan.Notes, source+" is paused: its rule gets no replayed event either until it is enabled")
		}
		plan.ruleARNs = append(plan.ruleARNs, aws.ToString(rule.Arn))
		dimensions := map[string]string{"RuleName": name}
		if s.Outputs.EventBusName != "default" {
			dimensions["EventBusName"] = s.Outputs.EventBusName
		}
		metrics = append(metrics, Metric{Namespace: "AWS/Events", Name: "MatchedEvents", Statistic: "Sum", Dimensions: dimensions})
	}
	series, err := s.Measure(ctx, Window{From: from, To: to, Period: keptPeriod(time.Since(from))}, metrics)
	if err != nil {
		return plan, err
	}
	for _, of := range series {
		if len(of.Values) > 0 {
			sum := of.Sum() + aws.ToFloat64(plan.Events)
			plan.Events = &sum
		}
	}
	return plan, nil
}

// keptPeriod returns the shortest period that CloudWatch still has of a time so long ago.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#metrics-retention
func keptPeriod(ago time.Duration) time.Duration {
	switch day := 24 * time.Hour; {
	case ago < 15*day:
		return time.Minute
	case ago < 63*day:
		return 5 * time.Minute
	}
	return time.Hour
}

// Replay is a replay under way, or one that has ended.
type Replay struct {
	Name   string    `json:"name"`
	State  string    `json:"state"` // COMPLETED, if all is well
	Reason string    `json:"reason,omitempty"`
	Until  time.Time `json:"until"` // the time in the last event that was replayed
}

// Ended reports whether nothing more will come.
func (r Replay) Ended() bool {
	return r.State == string(types.ReplayStateCompleted) || r.State == string(types.ReplayStateCancelled) || r.State == string(types.ReplayStateFailed)
}

// StartReplay has EventBridge send the planned events to the rules of their sources, and to no others: minute by minute,
// by the times in the events, and in no order within a minute.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_StartReplay.html
func (s *Stack) StartReplay(ctx context.Context, plan ReplayPlan) (Replay, error) {
	name := s.Outputs.Prefix() + time.Now().UTC().Format("20060102T150405Z")
	answer, err := s.EventBridge().StartReplay(ctx, &eventbridge.StartReplayInput{
		ReplayName: &name, EventSourceArn: &plan.archiveARN, EventStartTime: &plan.From, EventEndTime: &plan.To,
		Destination: &types.ReplayDestination{Arn: aws.String(s.BusARN()), FilterArns: plan.ruleARNs},
	})
	if err != nil {
		return Replay{}, fmt.Errorf("starting the replay: %w", err)
	}
	return Replay{Name: name, State: string(answer.State), Reason: aws.ToString(answer.StateReason)}, nil
}

// ReplayState says how far a replay is.
func (s *Stack) ReplayState(ctx context.Context, name string) (Replay, error) {
	answer, err := s.EventBridge().DescribeReplay(ctx, &eventbridge.DescribeReplayInput{ReplayName: &name})
	if err != nil {
		return Replay{}, fmt.Errorf("looking at the replay %s: %w", name, err)
	}
	return Replay{name, string(answer.State), aws.ToString(answer.StateReason), aws.ToTime(answer.EventLastReplayedTime)}, nil
}
