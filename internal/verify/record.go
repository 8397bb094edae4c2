package verify

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"trade-processing/internal/terminal"
)

// Statuses of a record.
const (
	statusRecorded = "RECORDED"
	statusRejected = "REJECTED"
)

// awaitRecords waits until the valid trades are in the table.
func (v *verification) awaitRecords(ctx context.Context, result *Result) error {
	if err := v.awaitItems(ctx, result, v.trades...); err != nil {
		return err
	}
	for _, trade := range v.trades {
		if trade.item != nil {
			v.latency("recorded, from "+trade.name, trade.seen.Sub(trade.at))
		}
	}
	if result.Outcome == Passed {
		result.found("%s", terminal.Plural(len(v.trades), "trade"))
	}
	return nil
}

// awaitItems waits for the items of trades. A missing one is a problem, with what the queues know about it.
func (v *verification) awaitItems(ctx context.Context, result *Result, trades ...*sent) error {
	err := v.await(ctx, v.Timeout, func(ctx context.Context) (bool, error) {
		missing := false
		for _, trade := range trades {
			if trade.item != nil || trade.at.IsZero() {
				continue
			}
			item, err := v.get(ctx, v.clients.table, trade, true)
			if err != nil {
				return false, err
			}
			if item == nil {
				missing = true
				continue
			}
			trade.item, trade.seen, trade.settled = item, time.Now(), true
		}
		return !missing, nil
	})
	if err != nil && !errors.Is(err, errTimeout) {
		return err
	}
	if err != nil {
		if err := v.diagnose(ctx, result, trades); err != nil {
			return err
		}
	}
	return nil
}

// diagnose says where trades that weren't recorded are.
func (v *verification) diagnose(ctx context.Context, result *Result, trades []*sent) error {
	if err := v.sweep(ctx); err != nil {
		return err
	}
	for _, trade := range trades {
		switch {
		case trade.item != nil || trade.at.IsZero():
		case len(trade.letters) > 0:
			result.problem("the trade of %s was not recorded but sent to %s: %v", trade.name, nameOf(trade.letters[0].queue), trade.letters[0].Error)
		default:
			result.problem("the trade of %s (event %s) was not recorded within %v, and is in no dead-letter queue: look at the executions of %s, and for failed invocations of the rule of %s",
				trade.name, trade.eventID, v.Timeout, v.Outputs.StateMachineARN, trade.source)
		}
	}
	return nil
}

// get reads a trade's item from a table or a replica; nil if there is none.
func (v *verification) get(ctx context.Context, table *dynamodb.Client, trade *sent, consistent bool) (map[string]types.AttributeValue, error) {
	answer, err := table.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: aws.String(v.Outputs.TradeTableName), Key: trade.key(), ConsistentRead: aws.Bool(consistent),
	})
	if err != nil {
		return nil, fmt.Errorf("reading trade %s from table %s: %w", trade.id(), v.Outputs.TradeTableName, err)
	}
	if len(answer.Item) == 0 {
		return nil, nil
	}
	return answer.Item, nil
}

// compareFields compares each record with its trade, attribute by attribute.
func (v *verification) compareFields(_ context.Context, result *Result) error {
	for _, trade := range v.trades {
		for _, difference := range v.differences(trade, statusRecorded) {
			result.problem("the record of %s: %s", trade.name, difference)
		}
		market, _ := trade.item["market"].(*types.AttributeValueMemberM)
		if market != nil && textOf(market.Value, "status") != "COMPLETE" {
			result.found("the market context of %s is %s: see docs/reasons.md for %s", trade.name, textOf(market.Value, "status"), list(textsOf(market.Value["reasons"])))
		}
	}
	if result.Outcome == Passed {
		result.found("%s, each digest the SHA-256 of its trade's canonical text", terminal.Plural(len(v.trades), "record"))
	}
	return nil
}

// awaitRejection waits until the invalid trade is recorded as rejected, for the right reason.
func (v *verification) awaitRejection(ctx context.Context, result *Result) error {
	if err := v.awaitItems(ctx, result, v.invalid); err != nil || v.invalid.item == nil {
		return err
	}
	for _, difference := range v.differences(v.invalid, statusRejected) {
		result.problem("the record of the invalid trade: %s", difference)
	}
	var codes []string
	if violations, ok := v.invalid.item["violations"].(*types.AttributeValueMemberL); ok {
		for _, violation := range violations.Value {
			if one, ok := violation.(*types.AttributeValueMemberM); ok {
				codes = append(codes, textOf(one.Value, "code"))
			}
		}
	}
	if want := []string{"AMOUNT_ZERO"}; !slices.Equal(codes, want) {
		result.problem("the record of the invalid trade: violations: %v, want %v", codes, want)
	}
	v.latency("recorded as rejected", v.invalid.seen.Sub(v.invalid.at))
	if result.Outcome == Passed {
		result.found("%s", list(codes))
	}
	return nil
}

var (
	// https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-traceids
	traceID = regexp.MustCompile(`^1-[0-9a-f]{8}-[0-9a-f]{24}$`)

	// executionName is what follows the state machine in an execution's ARN: its name, which ends in a UUID unless
	// somebody chose it, and, for EXPRESS, a further one.
	// https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
	executionName = regexp.MustCompile(`^[0-9A-Za-z_-]*[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(:[0-9A-Za-z-]+)?$`)

	recordTime  = "2006-01-02T15:04:05.000Z"
	skewAllowed = 5 * time.Minute // between this machine's clock and AWS's
)

// differences returns how a trade's record differs from what it must be.
func (v *verification) differences(trade *sent, status string) []string {
	want := map[string]string{
		"tradeId": trade.id(), "version": trade.version(), "status": status, "sourceSystem": trade.source, "trade": trade.canonical, "digest": trade.digest(),
		"eventId": trade.eventID, "eventAccount": strings.Split(v.Outputs.StateMachineARN, ":")[4],
	}
	for _, field := range []string{"amount", "currency", "symbol", "venue"} {
		want[field], _ = trade.detail[field].(string)
	}
	if want["action"] = "NEW"; !trade.acted.IsZero() {
		want["action"], _ = trade.detail["action"].(string)
	}
	want["replaces"] = trade.replaces
	var found []string
	differ := func(attribute, format string, args ...any) {
		found = append(found, attribute+": "+fmt.Sprintf(format, args...))
	}
	execution := textOf(trade.item, "execution")
	_, own := trade.item["eventId"]
	if !own {
		delete(want, "eventId") // then the execution's name begins with it
	}
	for _, attribute := range slices.Sorted(maps.Keys(want)) {
		if got := textOf(trade.item, attribute); got != want[attribute] {
			differ(attribute, "%q, want %q", got, want[attribute])
		}
	}
	if got, want := numberOf(trade.item, "timestamp"), strconv.FormatInt(trade.time().UnixMilli(), 10); got != want {
		differ("timestamp", "%q, want %q, the milliseconds of executedAt or actionTime", got, want)
	}
	if _, any := trade.item["replacedMissing"]; any {
		differ("replacedMissing", "what it replaces was there")
	}
	for attribute, layout := range map[string]string{"recordedAt": recordTime, "eventTime": time.RFC3339} {
		got := textOf(trade.item, attribute)
		at, err := time.Parse(layout, got)
		switch {
		case err != nil:
			differ(attribute, "%q is not a time like %s", got, layout)
		case at.Before(trade.at.Add(-skewAllowed)) || at.After(time.Now().Add(skewAllowed)):
			differ(attribute, "%s is not close to when the trade was sent, %s", got, trade.at.UTC().Format(recordTime))
		}
	}
	if !executionName.MatchString(execution) || !own && !strings.HasPrefix(execution, trade.eventID+"_") {
		differ("execution", "%q is not the name of an execution that event %s started", execution, trade.eventID)
	}
	// A record names only a trace that X-Ray has, and whether it has this one is for the next step to see.
	if _, any := trade.item["traceId"]; any && !traceID.MatchString(textOf(trade.item, "traceId")) {
		differ("traceId", "%q does not name a trace", textOf(trade.item, "traceId"))
	}
	if textOf(trade.item, "rulesVersion") == "" {
		differ("rulesVersion", "it is missing")
	}
	if _, any := trade.item["violations"]; any && status == statusRecorded {
		differ("violations", "a valid trade has some")
	}
	market, _ := trade.item["market"].(*types.AttributeValueMemberM)
	if market == nil || !slices.Contains([]string{"COMPLETE", "PARTIAL"}, textOf(market.Value, "status")) {
		differ("market", "it is missing, or neither COMPLETE nor PARTIAL")
	}
	slices.Sort(found)
	return found
}

// awaitReplicas waits until every region has the same records as the primary.
func (v *verification) awaitReplicas(ctx context.Context, result *Result) error {
	trades := append(slices.Clone(v.trades), v.invalid)
	for _, region := range v.Outputs.ReplicaRegions {
		var behind string
		err := v.await(ctx, v.Timeout, func(ctx context.Context) (bool, error) {
			for _, trade := range trades {
				item, err := v.get(ctx, v.clients.replicas[region], trade, false)
				switch {
				case err != nil:
					return false, fmt.Errorf("in the replica of %s: %w", region, err)
				case item == nil:
					behind = fmt.Sprintf("the trade of %s is not there", trade.name)
					return false, nil
				case !sameItem(item, trade.item):
					behind = fmt.Sprintf("the record of %s differs in %s", trade.name, list(unlike(item, trade.item)))
					return false, nil
				}
			}
			return true, nil
		})
		switch {
		case errors.Is(err, errTimeout):
			result.problem("the replica in %s differs from the table after %v: %s", region, v.Timeout, behind)
		case err != nil:
			return err
		default:
			first := trades[0]
			v.latency("replicated to "+region+", from "+first.name, time.Since(first.at))
			result.found("%s has %s", region, terminal.Plural(len(trades), "record"))
		}
	}
	if len(v.Outputs.ReplicaRegions) == 0 {
		result.found("the stack has no replica")
	}
	return nil
}

// replicationPrefix begins the names of attributes that first-version global tables add to an item's own.
const replicationPrefix = "aws:rep:"

// unlike returns the attributes in which two items differ.
func unlike(a, b map[string]types.AttributeValue) []string {
	names := map[string]bool{}
	for _, item := range []map[string]types.AttributeValue{a, b} {
		for name := range item {
			if !strings.HasPrefix(name, replicationPrefix) && !reflect.DeepEqual(a[name], b[name]) {
				names[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

func sameItem(a, b map[string]types.AttributeValue) bool { return len(unlike(a, b)) == 0 }

func textOf(item map[string]types.AttributeValue, attribute string) string {
	if text, ok := item[attribute].(*types.AttributeValueMemberS); ok {
		return text.Value
	}
	return ""
}

func numberOf(item map[string]types.AttributeValue, attribute string) string {
	if number, ok := item[attribute].(*types.AttributeValueMemberN); ok {
		return number.Value
	}
	return ""
}

// textsOf returns the strings in a list.
func textsOf(value types.AttributeValue) []string {
	var texts []string
	if all, ok := value.(*types.AttributeValueMemberL); ok {
		for _, one := range all.Value {
			if text, ok := one.(*types.AttributeValueMemberS); ok {
				texts = append(texts, text.Value)
			}
		}
	}
	return texts
}
