package endpoint_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"trade-processing/local/cloud"
)

// What the functions call.

func TestAnItemIsPutOnceUnderItsCondition(t *testing.T) {
	_, _, config := served(t)
	client := dynamodb.NewFromConfig(config)
	put := func(side string) error {
		_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{
			TableName: aws.String("trades"),
			Item: map[string]types.AttributeValue{
				"tradeId": &types.AttributeValueMemberS{Value: "1"}, "side": &types.AttributeValueMemberS{Value: side},
			},
			ConditionExpression:                 aws.String("attribute_not_exists(#id)"),
			ExpressionAttributeNames:            map[string]string{"#id": "tradeId"},
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		})
		return err
	}
	if err := put("BUY"); err != nil {
		t.Fatal(err)
	}
	err := put("SELL")
	taken, ok := errors.AsType[*types.ConditionalCheckFailedException](err)
	if !ok {
		t.Fatalf("the second time: %v", err)
	}
	if side, ok := taken.Item["side"].(*types.AttributeValueMemberS); !ok || side.Value != "BUY" {
		t.Errorf("the item that has the key is %v", taken.Item)
	}
	got, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: aws.String("trades"), Key: map[string]types.AttributeValue{"tradeId": &types.AttributeValueMemberS{Value: "1"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if side, ok := got.Item["side"].(*types.AttributeValueMemberS); !ok || side.Value != "BUY" {
		t.Errorf("the item is %v", got.Item)
	}
}

func TestParametersAreReadPageByPage(t *testing.T) {
	c, _, config := served(t)
	const count = 12 // a page has 10
	for i := range count {
		name := fmt.Sprintf("/trades/p%02d", i)
		if _, err := c.Create("aws:ssm/parameter:Parameter", "made", region, cloud.Properties{"name": name, "type": "String", "value": fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	values := map[string]string{}
	requests := 0
	pages := ssm.NewGetParametersByPathPaginator(ssm.NewFromConfig(config), &ssm.GetParametersByPathInput{Path: aws.String("/trades"), WithDecryption: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		requests++
		for _, p := range page.Parameters {
			values[aws.ToString(p.Name)] = aws.ToString(p.Value)
		}
	}
	if len(values) != count || values["/trades/p11"] != "11" || requests != 2 {
		t.Errorf("%d requests gave %v", requests, values)
	}
}
