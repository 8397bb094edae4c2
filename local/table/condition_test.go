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
	"github.com/aws/smithy-go"

	"trade-processing/local/awsapi"
	"trade-processing/local/clock"
	"trade-processing/local/table"
)

// conditional puts an item under a condition on the existing one.
func conditional(tb *table.Table, it item, condition string, names map[string]string, values item) error {
	_, err := tb.PutItem(context.Background(), &dynamodb.PutItemInput{
		TableName: aws.String("trades"), Item: it, ConditionExpression: &condition,
		ExpressionAttributeNames: names, ExpressionAttributeValues: values,
	})
	return err
}

func object(members item) types.AttributeValue { return &types.AttributeValueMemberM{Value: members} }

func TestConditionsHoldOrFail(t *testing.T) {
	there := trade("T1", 1, "body", "hello world")
	there["count"] = num("10.50")
	there["flag"] = &types.AttributeValueMemberBOOL{Value: true}
	there["nothing"] = &types.AttributeValueMemberNULL{Value: true}
	there["bytes"] = &types.AttributeValueMemberB{Value: []byte{1, 2, 3}}
	for _, tc := range []struct {
		condition string
		holds     bool
	}{
		{"attribute_exists(tradeId)", true},
		{"attribute_not_exists(tradeId)", false},
		{"body = :hello", true},
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
		{"begins_with(body, :he)", true},
		{"begins_with(body, :lo)", false},
		{"begins_with(#count, :he)", false},
		{"begins_with(bytes, :bytes)", true},
		{"NOT body = :he AND not body = :lo", true},
		{"NOT NOT body = :hello", true},
		{"(body = :hello) and (#count = :tenAndAHalf)", true},
		{"(body = :hello) AND (NOT (#count = :ten))", true},
		{"NOT (body = :hello)", false},
	} {
		t.Run(tc.condition, func(t *testing.T) {
			tb := newTable(t, trades(), clock.NewVirtual(epoch))
			if err := put(tb, there); err != nil {
				t.Fatal(err)
			}
			names, values := map[string]string{}, item{}
			for name, value := range map[string]string{"#count": "count"} {
				if strings.Contains(tc.condition, name) {
					names[name] = value
				}
			}
			for _, word := range strings.FieldsFunc(tc.condition, func(r rune) bool { return strings.ContainsRune(" (),", r) }) {
				if strings.HasPrefix(word, ":") {
					values[word] = map[string]types.AttributeValue{
						":hello": str("hello world"), ":he": str("he"), ":lo": str("lo w"),
						":ten": num(10), ":eleven": num("11.0"), ":tenAndAHalf": num("1.05e1"),
						":true": &types.AttributeValueMemberBOOL{Value: true}, ":null": &types.AttributeValueMemberNULL{Value: true},
						":bytes": &types.AttributeValueMemberB{Value: []byte{1, 2}},
					}[word]
				}
			}
			if len(names) == 0 {
				names = nil
			}
			if len(values) == 0 {
				values = nil
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
		{"a character that means nothing", "a = $b", nil, nil, invalid + `Syntax error; token: "$b"`},
		{"two operands side by side", "a b", nil, nil, invalid + `Syntax error; token: "b"`},
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
		{"a function with too many operands", "attribute_exists(a, b)", nil, nil, invalid + `Syntax error; token: ","`},
		{"a function that needs a path", "attribute_exists(:v)", nil, item{":v": num(1)}, invalid + "Syntax error"},
		{"a function as an operand", "attribute_exists(a) = :v", nil, item{":v": num(1)}, invalid + "Syntax error"},
		{"an order of booleans", "a < :v", nil, item{":v": &types.AttributeValueMemberBOOL{}}, "Incorrect operand type for operator or function; operator or function: <, operand type: BOOL"},
		{"a number as a prefix", "begins_with(a, :v)", nil, item{":v": num(1)}, "operator or function: begins_with, operand type: N"},
		{"bounds of two types", "a BETWEEN :v AND :w", nil, item{":v": num(1), ":w": str("2")}, "requires same data type for lower and upper bounds"},
		{"bounds the wrong way round", "a BETWEEN :v AND :w", nil, item{":v": num(3), ":w": num(2)}, "requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {N:3}, upper bound operand: AttributeValue: {N:2}"},
		{"a value that is broken", "a = :v", nil, item{":v": num("x")}, "The parameter cannot be converted to a numeric value: x"},
		{"an expression of more than 4 KB", "a = :v" + strings.Repeat(" ", 4<<10), nil, item{":v": num(1)}, "Expression size has exceeded the maximum allowed size"},
		{"301 operators", strings.TrimSuffix(strings.Repeat("z<>:v AND ", 151), " AND "), nil, item{":v": num(1)}, invalid + "The expression contains too many operators; operator count: 301"},
		{"301 operators with NOT", strings.Repeat("NOT ", 300) + "a = :v", nil, item{":v": num(1)}, invalid + "The expression contains too many operators; operator count: 301"},
		{"parentheses in parentheses", "((a = :v))", nil, item{":v": num(1)}, invalid + "The expression has redundant parentheses;"},
		{"no names", "attribute_exists(a)", map[string]string{}, nil, "ExpressionAttributeNames must not be empty"},
		{"no values", "attribute_exists(a)", nil, item{}, "ExpressionAttributeValues must not be empty"},
		{"a name without its mark", "attribute_exists(a)", map[string]string{"x": "x"}, nil, `ExpressionAttributeNames contains invalid key: Syntax error; key: "x"`},
		{"a value without its mark", "attribute_exists(a)", nil, item{"x": num(1)}, `ExpressionAttributeValues contains invalid key: Syntax error; key: "x"`},
		{"a name for nothing", "attribute_exists(#x)", map[string]string{"#x": ""}, nil, "Empty attribute name for key #x"},
		{"a name for more than 64 KB", "attribute_exists(#x)", map[string]string{"#x": strings.Repeat("x", 65536)}, nil, "Attribute name is too large, must be less than 65536 bytes for key #x"},
		{"a name of 256 bytes", "attribute_exists(#" + strings.Repeat("x", 255) + ")", map[string]string{"#" + strings.Repeat("x", 255): "x"}, nil, "contains a key that is too long; size of key: 256"},
		{"a value of 256 bytes", "a = :" + strings.Repeat("x", 255), nil, item{":" + strings.Repeat("x", 255): num(1)}, "contains a key that is too long; size of key: 256"},
		{"a null that isn't", "a = :v", nil, item{":v": &types.AttributeValueMemberNULL{}}, "ExpressionAttributeValues contains invalid value: One or more parameter values were invalid: Null attribute value types must have the value of true for key :v"},
		{"33 levels of a value", "a <> :v", nil, item{":v": nested(33)}, "Nesting Levels have exceeded supported limits"},
		{"a path into a key", "tradeId.x = :v", nil, item{":v": num(1)}, "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: tradeId"},
		{"an index of a key", "#t[0] = :v", map[string]string{"#t": "timestamp"}, item{":v": num(1)}, "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: timestamp"},
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
	wantCode(t, err, "ValidationException", "ExpressionAttributeValues can only be specified when using expressions: ConditionExpression is null")
	_, err = tb.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("trades"), Item: trade("T1", 1), ExpressionAttributeNames: map[string]string{"#t": "t"}})
	wantCode(t, err, "ValidationException", "ExpressionAttributeNames can only be specified when using expressions")
	_, err = tb.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("trades"), Item: trade("T1", 1), ReturnValuesOnConditionCheckFailure: "ALL"})
	wantCode(t, err, "ValidationException", "Member must satisfy enum value set: [ALL_OLD NONE]")
}

// What DynamoDB just takes.
func TestConditionsAtTheLimits(t *testing.T) {
	long := strings.Repeat("x", 254)
	for condition, given := range map[string]struct {
		names  map[string]string
		values item
	}{
		strings.Repeat("NOT ", 299) + "attribute_exists(a)":            {},
		strings.TrimSuffix(strings.Repeat("z<>:v AND ", 150), " AND "): {values: item{":v": num(1)}},
		"#" + long + " <> :" + long:                                    {map[string]string{"#" + long: strings.Repeat("x", 65535)}, item{":" + long: num(1)}},
		"a <> :v":                                                      {values: item{":v": nested(32)}},
	} {
		if err := conditional(newTable(t, trades(), clock.NewVirtual(epoch)), trade("T1", 1), condition, given.names, given.values); err != nil {
			t.Errorf("%.60s: %v", condition, err)
		}
	}
}

// A condition is read again if anything of it differs from the last one.
func TestConditionsOneAfterTheOther(t *testing.T) {
	tb := newTable(t, trades(), clock.NewVirtual(epoch))
	there := trade("T1", 1, "body", "hello")
	if err := put(tb, there); err != nil {
		t.Fatal(err)
	}
	const holds, fails = "", "ConditionalCheckFailedException"
	for i, tc := range []struct {
		condition string
		names     map[string]string
		values    item
		want      string
	}{
		{"attribute_not_exists(#a)", map[string]string{"#a": "absent"}, nil, holds},
		{"attribute_not_exists(#a)", map[string]string{"#a": "absent"}, nil, holds},
		{"attribute_not_exists(#a)", map[string]string{"#a": "body"}, nil, fails},
		{"attribute_not_exists(#a)", map[string]string{"#a": "body"}, nil, fails},
		{"attribute_not_exists(#a)", map[string]string{"#a": "absent"}, nil, holds},
		{"attribute_not_exists(#a)", map[string]string{"#a": "absent", "#b": "body"}, nil, "ValidationException"},
		{"attribute_not_exists(#a)", map[string]string{"#a": "absent"}, item{":v": num(1)}, "ValidationException"},
		{"attribute_exists(#a)", map[string]string{"#a": "absent"}, nil, fails},
		{"attribute_exists(body)", nil, nil, holds},
		{"attribute_exists(body)", nil, nil, holds},
		{"attribute_exists(body)", map[string]string{}, nil, "ValidationException"},
		{"attribute_exists(body)", nil, item{}, "ValidationException"},
		{"body = :v", nil, item{":v": str("hello")}, holds},
		{"body = :v", nil, item{":v": str("other")}, fails},
	} {
		err := conditional(tb, there, tc.condition, tc.names, tc.values)
		refusal, _ := errors.AsType[smithy.APIError](err)
		if err == nil != (tc.want == holds) || err != nil && refusal.ErrorCode() != tc.want {
			t.Errorf("%d: %s with %v, %v: got %v, want %q", i, tc.condition, tc.names, tc.values, err, tc.want)
		}
	}
}

// What AWS supports but nothing here needs is refused by name, and not as AWS's answer.
func TestExpressionsThatAreNotServed(t *testing.T) {
	for condition, feature := range map[string]string{
		"a = :v OR b = :v": "OR in an expression", "a IN (:v)": "IN in an expression", "contains(a, :v)": "contains in an expression",
		"size(a) > :v": "size in an expression", "attribute_type(a, :v)": "attribute_type in an expression",
		"a.b = :v": "the document path a.b", "(a = :v AND b = :v)": "AND in parentheses", "a[0] = :v": "the document path a[0]", "a = b": "the operand b, which is not a :value",
	} {
		tb := newTable(t, trades(), clock.NewVirtual(epoch))
		err := conditional(tb, trade("T1", 1), condition, nil, item{":v": num(1)})
		unsupported, ok := errors.AsType[*awsapi.Unsupported](err)
		if !ok || unsupported.Operation != "PutItem" || unsupported.Feature != feature {
			t.Errorf("%s: got %v, want %s refused", condition, err, feature)
		}
		if _, api := errors.AsType[smithy.APIError](err); api {
			t.Errorf("%s: %v reads as AWS's own answer", condition, err)
		}
	}
}

// The recorder's own put: the second trade with a key is a duplicate, and the existing item comes back with the
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
