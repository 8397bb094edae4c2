package verify

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// sendVersions sends a trade, its correction, and a cancel of that, one after the other. Each must be a record of its
// own that names what it replaces; the newest must be the cancel, and the others unchanged.
func (v *verification) sendVersions(ctx context.Context, result *Result) error {
	trade := v.newTrade("versions", v.trades[0].source, nil)
	correction := v.versionOf(trade, "correction", map[string]any{"action": "CORRECT", "amount": "381.00", "quantity": "2"})
	cancel := v.versionOf(correction, "cancel", map[string]any{
		"action": "CANCEL", "replacesTime": correction.detail["actionTime"], "amount": nil, "currency": nil, "price": nil, "quantity": nil,
	})
	for _, version := range []*sent{trade, correction, cancel} {
		v.versions = append(v.versions, version)
		if err := v.put(ctx, result, version); err != nil {
			return err
		}
		if err := v.awaitItems(ctx, result, version); err != nil || version.item == nil {
			return err
		}
		for _, difference := range v.differences(version, statusRecorded) {
			result.problem("the record of the %s: %s", version.name, difference)
		}
	}
	answer, err := v.clients.table.Query(ctx, &dynamodb.QueryInput{
		TableName: aws.String(v.Outputs.TradeTableName), KeyConditionExpression: aws.String("tradeId = :id"), ConsistentRead: aws.Bool(true),
		ScanIndexForward: aws.Bool(false), ExpressionAttributeValues: map[string]types.AttributeValue{":id": &types.AttributeValueMemberS{Value: trade.id()}},
	})
	if err != nil {
		return fmt.Errorf("reading the versions of %s: %w", trade.id(), err)
	}
	for i, version := range []*sent{cancel, correction, trade} {
		if len(answer.Items) != len(v.versions) || !sameItem(answer.Items[i], version.item) {
			result.problem("trade %s has %d versions, or they are not the cancel, the correction and the trade, unchanged", trade.id(), len(answer.Items))
			return nil
		}
	}
	if result.Outcome == Passed {
		result.found("three versions, the newest the cancel")
	}
	return nil
}

// versionOf returns a version that replaces another, a tenth of a second younger.
func (v *verification) versionOf(replaced *sent, name string, change map[string]any) *sent {
	acted := replaced.time().Add(100 * time.Millisecond)
	fields := map[string]any{
		"tradeId": replaced.detail["tradeId"], "executedAt": replaced.detail["executedAt"], "actionTime": acted.Format(recordTime),
	}
	maps.Copy(fields, change)
	s := v.newTrade(name, replaced.source, fields)
	s.executed, s.acted, s.replaces = replaced.executed, acted, replaced.version()
	return s
}
