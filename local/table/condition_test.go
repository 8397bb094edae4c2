package table_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"trade-processing/local/clock"
	"trade-processing/local/table"
)

// conditional puts an item under a condition on what is there.
func conditional(tb *table.Table, it item, condition string, names map[string]string, values item) error {
	_, err := tb.PutItem(context.Background(), &dynamodb.PutItemInput{
		TableName: aws.String("trades"), Item: it, ConditionExpression: &condition,
		ExpressionAttributeNames: names, ExpressionAttributeValues: values,
	})
	return err
}

func list(elements ...types.AttributeValue) types.AttributeValue {
	return &types.AttributeValueMemberL{Value: elements}
}

func object(members item) types.AttributeValue { return &types.AttributeValueMemberM{Value: members} }

func TestConditionsHoldOrFail(t *testing.T) {
	there := trade("T1", 1, "body", "hello world")
	there["count"] = num("10.50")
	there["flag"] = &types.AttributeValueMemberBOOL{Value: true}
	there["nothing"] = &types.AttributeValueMemberNULL{Value: true}
	there["bytes"] = &types.AttributeValueMemberB{Value: []byte{1, 2, 3}}
	there["tags"] = &types.AttributeValueMemberSS{Value: []string{"b", "a"}}
	there["sizes"] = &types.AttributeValueMemberNS{Value: []string{"1", "2.50"}}
	there["deep"] = object(item{"labels": list(str("x"), object(item{"first": num(7)})), "a.b": str("dotted")})

	for _, tc := range []struct {
		condition string
		holds     bool
	}{
		{"attribute_exists(tradeId)", true},
		{"attribute_not_exists(tradeId)", false},
		{"attribute_not_exists(absent) AND attribute_exists(deep.labels[1].#first)", true},
		{"attribute_exists(deep.labels[2])", false},
		{"attribute_exists(body.labels)", false},
		{"attribute_exists(deep[0])", false},
		{"attribute_exists(deep.#dotted)", true},
		{"body = :hello", true},
		{":hello = body", true},
		{"body <> :hello", false},
		{"absent = :hello", false},
		{"absent <> :hello", true},
		{"absent < :ten", false},
		{"#count = :tenAndAHalf", true},
		{"#count > :ten AND #count < :eleven", true},
		{"#count >= :tenAndAHalf AND #count <= :tenAndAHalf", true},
		{"#count = :hello", false},
		{"#count <> :hello", true},
		{"#count < :hello", false},
		{"#count BETWEEN :ten AND :eleven", true},
		{"#count BETWEEN :eleven AND :eleven", false},
		{"NOT #count BETWEEN :eleven AND :eleven", true},
		{"body BETWEEN :ten AND :eleven", false},
		{"flag = :true", true},
		{"nothing = :null", true},
		{"bytes > :bytes", true},
		{"tags = :tags", true},
		{"deep.labels = :names", true},
		{"body IN (:ten, :hello)", true},
		{"body IN (:ten, :eleven)", false},
		{"absent IN (:ten)", false},
		{"begins_with(body, :he)", true},
		{"begins_with(body, :lo)", false},
		{"begins_with(#count, :he)", false},
		{"begins_with(bytes, :bytes)", true},
		{"contains(body, :lo)", true},
		{"contains(tags, :a)", true},
		{"contains(tags, :he)", false},
		{"contains(sizes, :twoAndAHalf)", true},
		{"contains(sizes, :a)", false},
		{"contains(deep.labels, :x)", true},
		{"contains(absent, :x)", false},
		{"contains(flag, :x)", false},
		{"attribute_type(body, :typeS)", true},
		{"attribute_type(tags, :typeSS)", true},
		{"attribute_type(body, :typeSS)", false},
		{"size(body) = :eleven", true},
		{"size(bytes) < :ten AND size(tags) < :ten AND size(deep) < :ten AND size(deep.labels) < :ten", true},
		{"size(#count) = :ten", false},
		{"size(absent) = :ten", false},
		{"body = :he OR #count = :tenAndAHalf", true},
		{"body = :he OR body = :lo AND #count = :tenAndAHalf", false},
		{"(body = :hello OR body = :lo) AND #count = :tenAndAHalf", true},
		{"NOT body = :he AND not body = :lo", true},
		{"NOT (body = :hello AND #count = :tenAndAHalf)", false},
		{"NOT NOT body = :hello", true},
		{"(body) = :hello", true},
		{"(body = :hello) and (#count = :tenAndAHalf)", true},
		{"((body = :hello) AND (#count = :tenAndAHalf)) OR body = :he", true},
	} {
		t.Run(tc.condition, func(t *testing.T) {
			tb := newTable(t, trades(), clock.NewVirtual(epoch))
			if err := put(tb, there); err != nil {
				t.Fatal(err)
			}
			names, values := map[string]string{}, item{}
			for name, value := range map[string]string{"#count": "count", "#first": "first", "#dotted": "a.b"} {
				if strings.Contains(tc.condition, name) {
					names[name] = value
				}
			}
			for _, word := range strings.FieldsFunc(tc.condition, func(r rune) bool { return strings.ContainsRune(" (),", r) }) {
				if strings.HasPrefix(word, ":") {
					values[word] = map[string]types.AttributeValue{
						":hello": str("hello world"), ":he": str("he"), ":lo": str("lo w"), ":a": str("a"), ":x": str("x"),
						":ten": num(10), ":eleven": num("11.0"), ":tenAndAHalf": num("1.05e1"), ":twoAndAHalf": num("2.5"),
						":true": &types.AttributeValueMemberBOOL{Value: true}, ":null": &types.AttributeValueMemberNULL{Value: true},
						":bytes": &types.AttributeValueMemberB{Value: []byte{1, 2}},
						":tags":  &types.AttributeValueMemberSS{Value: []string{"a", "b"}},
						":names": list(str("x"), object(item{"first": num("7.0")})),
						":typeS": str("S"), ":typeSS": str("SS"),
					}[word]
				}
			}
			err := conditional(tb, trade("T1", 1), tc.condition, names, values)
			if tc.holds {
				if err != nil {
					t.Errorf("got %v, want it to hold", err)
				}
				return
			}
			wantCode(t, err, "ConditionalCheckFailedException", "The conditional request failed")
			wantItem(t, item{"body": get(t, tb, "T1", 1)["body"]}, item{"body": str("hello world")})
		})
	}
}

func TestConditionsThatDynamoDBRefuses(t *testing.T) {
	const invalid = "Invalid ConditionExpression: "
	for _, tc := range []struct {
		name, condition string
		names           map[string]string
		values          item
		problem         string
	}{
		{"an empty expression", " ", nil, nil, invalid + "The expression can not be empty;"},
		{"a broken expression", "attribute_exists(", nil, nil, invalid + `Syntax error; token: "<EOF>"`},
		{"a character that means nothing", "a = $b", nil, nil, invalid + `Syntax error; token: "$"`},
		{"two operands side by side", "a b", nil, nil, invalid + `Syntax error; token: "b", near: "a b"`},
		{"an operand alone", "a", nil, nil, invalid + "Syntax error"},
		{"an operand in a conjunction", "a AND b = :v", nil, item{":v": num(1)}, invalid + "Syntax error"},
		{"a keyword as a name", "and = :v", nil, item{":v": num(1)}, invalid + "Syntax error"},
		{"a reserved word", "attribute_not_exists(timestamp)", nil, nil, invalid + "Attribute name is a reserved keyword; reserved keyword: timestamp"},
		{"a reserved word in any case", "Status = :v", nil, item{":v": num(1)}, invalid + "Attribute name is a reserved keyword; reserved keyword: Status"},
		{"a name that is not defined", "attribute_exists(#x)", nil, nil, invalid + "An expression attribute name used in the document path is not defined; attribute name: #x"},
		{"a value that is not defined", "a = :x", nil, nil, invalid + "An expression attribute value used in expression is not defined; attribute value: :x"},
		{"a name that is not used", "attribute_exists(a)", map[string]string{"#x": "x"}, nil, "Value provided in ExpressionAttributeNames unused in expressions: keys: {#x}"},
		{"a value that is not used", "attribute_exists(a)", nil, item{":x": num(1)}, "Value provided in ExpressionAttributeValues unused in expressions: keys: {:x}"},
		{"a function that is not known", "starts_with(a, :v)", nil, item{":v": num(1)}, invalid + "Invalid function name; function: starts_with"},
		{"a function in another case", "ATTRIBUTE_EXISTS(a)", nil, nil, invalid + "Invalid function name; function: ATTRIBUTE_EXISTS"},
		{"a function with too many operands", "attribute_exists(a, b)", nil, nil, invalid + "Incorrect number of operands for operator or function; operator or function: attribute_exists, number of operands: 2"},
		{"a function that needs a path", "attribute_exists(:v)", nil, item{":v": num(1)}, invalid + "Operator or function requires a document path"},
		{"a function as an operand", "attribute_exists(a) = :v", nil, item{":v": num(1)}, invalid + "The function is not allowed to be used this way in an expression; function: attribute_exists"},
		{"size as a condition", "size(a)", nil, nil, invalid + "The function is not allowed to be used this way in an expression; function: size"},
		{"size in a conjunction", "size(a) AND attribute_exists(b)", nil, nil, invalid + "The function is not allowed to be used this way"},
		{"doubled parentheses", "((attribute_exists(a)))", nil, nil, invalid + "The expression has redundant parentheses;"},
		{"an operand compared with itself", "#a = b", map[string]string{"#a": "b"}, nil, invalid + "The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [b]"},
		{"a nested operand compared with itself", "contains(a.b[1], a.b[1])", nil, nil, "operator: contains, first operand: [a, b, [1]]"},
		{"an order of booleans", "a < :v", nil, item{":v": &types.AttributeValueMemberBOOL{}}, "Incorrect operand type for operator or function; operator or function: <, operand type: BOOL"},
		{"a number as a prefix", "begins_with(a, :v)", nil, item{":v": num(1)}, "operator or function: begins_with, operand type: N"},
		{"the size of a number", "size(:v) = a", nil, item{":v": num(1)}, "operator or function: size, operand type: N"},
		{"a type that is none", "attribute_type(a, :v)", nil, item{":v": str("TEXT")}, "Invalid attribute type name found; type: TEXT"},
		{"a type that is a path", "attribute_type(a, b)", nil, nil, "operator or function: attribute_type, operand type: {NS,SS,L,BS,N,M,B,BOOL,NULL,S}"},
		{"bounds of two types", "a BETWEEN :v AND :w", nil, item{":v": num(1), ":w": str("2")}, "requires same data type for lower and upper bounds"},
		{"bounds the wrong way round", "a BETWEEN :v AND :w", nil, item{":v": num(3), ":w": num(2)}, "requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {N:3}, upper bound operand: AttributeValue: {N:2}"},
		{"a value that is broken", "a = :v", nil, item{":v": num("x")}, "The parameter cannot be converted to a numeric value: x"},
		{"an expression of more than 4 KB", "a = :v" + strings.Repeat(" ", 4<<10), nil, item{":v": num(1)}, "Expression size has exceeded the maximum allowed size"},
		{"parentheses that nest to the limit of an expression", strings.Repeat("(", 4096), nil, nil, invalid + "Syntax error"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tb := newTable(t, trades(), clock.NewVirtual(epoch))
			wantCode(t, conditional(tb, trade("T1", 1), tc.condition, tc.names, tc.values), "ValidationException", tc.problem)
			if tb.Count() != 0 {
				t.Error("the item was written")
			}
		})
	}
	tb := newTable(t, trades(), clock.NewVirtual(epoch))
	_, err := tb.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("trades"), Item: trade("T1", 1), ExpressionAttributeValues: item{":v": num(1)}})
	wantCode(t, err, "ValidationException", "ExpressionAttributeValues can only be specified when using expressions")
}

// The recorder's own put: the second trade of one key is a duplicate, and the item that is there comes back with the
// refusal.
func TestAPutThatTheExpressionPackageBuilt(t *testing.T) {
	tb := newTable(t, trades(), clock.NewVirtual(epoch))
	built, err := expression.NewBuilder().
		WithCondition(expression.Name("tradeId").AttributeNotExists().And(expression.Name("timestamp").AttributeNotExists())).Build()
	if err != nil {
		t.Fatal(err)
	}
	in := &dynamodb.PutItemInput{
		TableName: aws.String("trades"), Item: trade("T1", 1, "digest", "first"),
		ConditionExpression: built.Condition(), ExpressionAttributeNames: built.Names(), ExpressionAttributeValues: built.Values(),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if _, err := tb.PutItem(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	in.Item = trade("T1", 1, "digest", "second")
	_, err = tb.PutItem(t.Context(), in)
	var failed *types.ConditionalCheckFailedException
	if !errors.As(err, &failed) {
		t.Fatalf("got %v, want a ConditionalCheckFailedException", err)
	}
	wantItem(t, failed.Item, trade("T1", 1, "digest", "first"))
	wantItem(t, get(t, tb, "T1", 1), trade("T1", 1, "digest", "first"))

	in.ReturnValuesOnConditionCheckFailure = ""
	_, err = tb.PutItem(t.Context(), in)
	if !errors.As(err, &failed) || failed.Item != nil {
		t.Errorf("got %v with item %v, want no item unless it is asked for", err, failed.Item)
	}
}
