package verify

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

// sendEvery is the number of polls between events: a new target takes a while to take effect.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html
const sendEvery = 10

// failDelivery has EventBridge keep an event that it can't deliver, in the first source's dead-letter queue. For that
// the source's rule gets a second target: an alias of the state machine that doesn't exist, and that the rule's role
// may not start. EventBridge retries neither
// (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html). The first target still gets every event,
// so no trade is at risk.
func (v *verification) failDelivery(ctx context.Context, result *Result) (err error) {
	if !v.Delivery {
		result.Outcome = Skipped
		result.found("only with --delivery")
		return nil
	}
	first := v.trades[0]
	rule, queue := v.Outputs.Prefix()+"from-"+first.source, v.Outputs.Delivery[first.source]
	defer func() {
		_, left := v.removeFailing(context.WithoutCancel(ctx), v.failing)
		err = errors.Join(err, left)
	}()
	if err := v.addFailing(ctx, rule); err != nil {
		return err
	}
	arrived := func(trade *sent) bool { return len(trade.letters) > 0 }
	var last time.Time
	err = v.await(ctx, v.Timeout, func(ctx context.Context) (bool, error) {
		if time.Since(last) >= sendEvery*v.Poll {
			trade := first.repeat("delivery", "1.50")
			v.undelivered, last = append(v.undelivered, trade), time.Now()
			if err := v.put(ctx, result, trade); err != nil {
				return false, err
			}
		}
		err := v.search(ctx, queue)
		return slices.ContainsFunc(v.undelivered, arrived), err
	})
	if errors.Is(err, errTimeout) {
		result.problem("none of the events that rule %s couldn't deliver arrived in %s within %v: does the queue's policy let the rule send, and its key's policy let events.amazonaws.com use it (kms:Decrypt, kms:GenerateDataKey)? If not, alarm %s-lost went off",
			rule, nameOf(queue), v.Timeout, rule)
		return nil
	}
	if err != nil {
		return err
	}
	trade := v.undelivered[slices.IndexFunc(v.undelivered, arrived)]
	v.latency("kept, undelivered", time.Since(trade.at))
	if found := trade.letters[0].Event.Detail; !reflect.DeepEqual(found, trade.detail) {
		result.problem("the event in %s differs from the event as sent: %v, want %v", nameOf(queue), found, trade.detail)
		return nil
	}
	result.found("it arrived in %s and was removed; alarms may go off for it, and recover by themselves", nameOf(queue))
	return nil
}

// addFailing gives a rule a target that can't be started, with the role and the dead-letter queue of its own.
func (v *verification) addFailing(ctx context.Context, rule string) error {
	own, err := v.removeFailing(ctx, rule)
	if err != nil {
		return err
	}
	if len(own) == 0 {
		return fmt.Errorf("rule %s has no target", rule)
	}
	v.failing = rule
	// Wait even if cancelled; otherwise the target might be added after the clean-up.
	answer, err := v.clients.events.PutTargets(context.WithoutCancel(ctx), &eventbridge.PutTargetsInput{
		Rule: aws.String(rule), EventBusName: aws.String(v.Outputs.EventBusName),
		Targets: []eventtypes.Target{{
			Id: aws.String(Mark + v.run), Arn: aws.String(v.Outputs.StateMachineARN + ":" + Mark + v.run),
			RoleArn: own[0].RoleArn, DeadLetterConfig: own[0].DeadLetterConfig, RetryPolicy: &eventtypes.RetryPolicy{MaximumRetryAttempts: aws.Int32(0)},
		}},
	})
	if err == nil && answer.FailedEntryCount > 0 {
		err = errors.New(aws.ToString(answer.FailedEntries[0].ErrorCode))
	}
	if err != nil {
		return fmt.Errorf("adding a target to rule %s: %w", rule, err)
	}
	return nil
}

// removeFailing removes the targets that verifications gave a rule, this one and any that was killed, and returns the
// rule's own.
func (v *verification) removeFailing(ctx context.Context, rule string) ([]eventtypes.Target, error) {
	if rule == "" {
		return nil, nil
	}
	bus := aws.String(v.Outputs.EventBusName)
	listed, err := v.clients.events.ListTargetsByRule(ctx, &eventbridge.ListTargetsByRuleInput{Rule: aws.String(rule), EventBusName: bus})
	if err != nil {
		return nil, fmt.Errorf("listing the targets of rule %s: %w", rule, err)
	}
	var own []eventtypes.Target
	var added []string
	for _, target := range listed.Targets {
		if id := aws.ToString(target.Id); strings.HasPrefix(id, Mark) {
			added = append(added, id)
		} else {
			own = append(own, target)
		}
	}
	if len(added) > 0 {
		answer, err := v.clients.events.RemoveTargets(ctx, &eventbridge.RemoveTargetsInput{Rule: aws.String(rule), EventBusName: bus, Ids: added})
		if err == nil && answer.FailedEntryCount > 0 {
			err = errors.New(aws.ToString(answer.FailedEntries[0].ErrorCode))
		}
		if err != nil {
			return nil, fmt.Errorf("removing the target %s of rule %s, which keeps a copy of each event in the dead-letter queue: %w", list(added), rule, err)
		}
	}
	v.failing = ""
	return own, nil
}
