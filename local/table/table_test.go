package table_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"trade-processing/local/awsapi"
	"trade-processing/local/clock"
	"trade-processing/local/fault"
	"trade-processing/local/metrics"
	"trade-processing/local/table"
)

func TestDefinitionsThatAreRefused(t *testing.T) {
	for _, tc := range []struct {
		name    string
		change  func(*table.Definition)
		problem string
	}{
		{"a short name", func(d *table.Definition) { d.Name = "t" }, "3 to 255"},
		{"no hash key", func(d *table.Definition) { d.HashKey = "" }, "the table has no hash key"},
		{"one key twice", func(d *table.Definition) { d.RangeKey = "tradeId" }, "uses tradeId as hash key and as range key"},
		{"a key without a definition", func(d *table.Definition) { d.RangeKey = "time" }, "key time has no attribute definition"},
		{"a definition without a key", func(d *table.Definition) { d.Attributes["amount"] = "N" }, "attribute amount is defined but no key uses it"},
		{"a key of a type that has no order", func(d *table.Definition) { d.Attributes["status"] = "BOOL" }, `attribute status: type "BOOL"`},
		{"an index twice", func(d *table.Definition) { d.Indexes[1].Name = "bySource" }, "index bySource is listed twice"},
		{"an index that includes nothing", func(d *table.Definition) { d.Indexes[1].NonKeyAttributes = nil }, "projection INCLUDE with 0 non-key attributes"},
		{"an index of all that includes something", func(d *table.Definition) { d.Indexes[0].NonKeyAttributes = []string{"x"} }, "projection ALL with 1 non-key attributes"},
		{"a projection that is not known", func(d *table.Definition) { d.Indexes[0].Projection = "SOME" }, `projection "SOME"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			def := trades()
			tc.change(&def)
			_, err := table.New(def, table.Options{Clock: clock.Real()})
			if err == nil || !strings.Contains(err.Error(), tc.problem) {
				t.Errorf("got %v, want it to say %q", err, tc.problem)
			}
		})
	}
}

// Every field of an input is supported or refused: a field from a new SDK fails this test until somebody decides.
func TestNoFieldOfAnInputIsIgnored(t *testing.T) {
	served := map[string]string{
		"PutItemInput": "TableName Item ConditionExpression ExpressionAttributeNames ExpressionAttributeValues ReturnValuesOnConditionCheckFailure",
		"GetItemInput": "TableName Key ConsistentRead",
		"QueryInput": "TableName IndexName ConsistentRead ExclusiveStartKey ExpressionAttributeNames ExpressionAttributeValues FilterExpression " +
			"KeyConditionExpression Limit ScanIndexForward Select",
		"ScanInput": "TableName ConsistentRead ExclusiveStartKey ExpressionAttributeNames ExpressionAttributeValues FilterExpression Limit Select",
	}
	tb := filled(t)
	ctx := context.Background()
	for _, tc := range []struct {
		base any
		call func(in any) error
	}{
		{dynamodb.PutItemInput{TableName: aws.String("trades"), Item: trade("T1", 1)}, func(in any) error { _, err := tb.PutItem(ctx, in.(*dynamodb.PutItemInput)); return err }},
		{dynamodb.GetItemInput{TableName: aws.String("trades"), Key: trade("T1", 1)}, func(in any) error { _, err := tb.GetItem(ctx, in.(*dynamodb.GetItemInput)); return err }},
		{*query("", "tradeId = :id", item{":id": str("A")}), func(in any) error { _, err := tb.Query(ctx, in.(*dynamodb.QueryInput)); return err }},
		{dynamodb.ScanInput{TableName: aws.String("trades")}, func(in any) error { _, err := tb.Scan(ctx, in.(*dynamodb.ScanInput)); return err }},
	} {
		typ := reflect.TypeOf(tc.base)
		for i := range typ.NumField() {
			field := typ.Field(i)
			if !field.IsExported() || strings.Contains(" "+served[typ.Name()]+" ", " "+field.Name+" ") {
				continue
			}
			t.Run(typ.Name()+"."+field.Name, func(t *testing.T) {
				in := reflect.New(typ)
				in.Elem().Set(reflect.ValueOf(tc.base))
				set(t, in.Elem().Field(i))
				err := tc.call(in.Interface())
				var unsupported *awsapi.Unsupported
				if !errors.As(err, &unsupported) || unsupported.Feature != field.Name {
					t.Errorf("got %v, want it to be refused by name", err)
				}
			})
		}
	}
}

// set gives a field some non-zero value.
func set(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
	case reflect.String:
		v.SetString("TOTAL")
	default:
		t.Fatalf("a field of kind %s", v.Kind())
	}
}

func TestWhatIsRefusedBeforeTheTableIsAsked(t *testing.T) {
	tb := filled(t)
	ctx := t.Context()
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	for _, tc := range []struct {
		name  string
		call  func() error
		check func(error) bool
	}{
		{"a put without an item", func() error {
			_, err := tb.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("trades")})
			return err
		}, isValidation},
		{"a get without a key", func() error {
			_, err := tb.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("trades")})
			return err
		}, isValidation},
		{"another table", func() error {
			_, err := tb.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("others"), Item: trade("T1", 1)})
			return err
		}, func(err error) bool { var e *types.ResourceNotFoundException; return errors.As(err, &e) }},
		{"a context that has ended", func() error {
			_, err := tb.PutItem(canceled, &dynamodb.PutItemInput{TableName: aws.String("trades"), Item: trade("T1", 1)})
			return err
		}, func(err error) bool {
			var e *smithy.CanceledError
			return errors.As(err, &e) && errors.Is(err, context.Canceled)
		}},
		{"an option that would be ignored", func() error {
			_, err := tb.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("trades"), Item: trade("T1", 1)}, func(o *dynamodb.Options) { o.Region = "eu-west-1" })
			return err
		}, func(err error) bool { return strings.Contains(err.Error(), "options of a single call") }},
		{"attributes that are chosen", func() error {
			in := query("", "tradeId = :id", item{":id": str("A")})
			in.Select = types.SelectAllProjectedAttributes
			_, err := tb.Query(ctx, in)
			return err
		}, func(err error) bool {
			return strings.Contains(err.Error(), "does not support Select ALL_PROJECTED_ATTRIBUTES")
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if err := tc.call(); !tc.check(err) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func isValidation(err error) bool {
	var e smithy.APIError
	return errors.As(err, &e) && e.ErrorCode() == "ValidationException"
}

func TestAProtectedTableIsNotDeleted(t *testing.T) {
	tb := filled(t)
	def := tb.Definition()
	def.DeletionProtection = true
	if err := tb.Update(def); err != nil {
		t.Fatal(err)
	}
	if err := tb.Delete(); err == nil || !strings.Contains(err.Error(), "protected against deletion") {
		t.Errorf("got %v", err)
	}
	def.DeletionProtection = false
	if err := errors.Join(tb.Update(def), tb.Delete()); err != nil {
		t.Fatal(err)
	}
	wantCode(t, put(tb, trade("T1", 1)), "ResourceNotFoundException", "Requested resource not found")
	def.Indexes = nil
	def.Attributes = map[string]types.ScalarAttributeType{"tradeId": "S", "timestamp": "N"}
	var unsupported *awsapi.Unsupported
	if err := tb.Update(def); !errors.As(err, &unsupported) {
		t.Errorf("a change of indexes: got %v, want it refused", err)
	}
}

func TestFaultsAreAnsweredAndCounted(t *testing.T) {
	store := metrics.NewStore()
	c := clock.NewVirtual(epoch)
	var decide func(fault.Call) fault.Fault
	tb, err := table.New(trades(), table.Options{Clock: c, Metrics: store, Faults: func(call fault.Call) fault.Fault { return decide(call) }})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name   string
		fault  fault.Fault
		code   string
		metric string
		kept   bool
	}{
		{"a throttled write", fault.Fault{Err: &types.ProvisionedThroughputExceededException{}}, "ProvisionedThroughputExceededException", "WriteThrottleEvents", false},
		{"a failure of the service", fault.Fault{Err: &types.InternalServerError{}}, "InternalServerError", "SystemErrors", false},
		{"a write whose answer was lost", fault.Fault{Err: &types.InternalServerError{}, Applied: true}, "InternalServerError", "SystemErrors", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var seen fault.Call
			decide = func(call fault.Call) fault.Fault { seen = call; return tc.fault }
			err := put(tb, trade(tc.name, 1))
			wantCode(t, err, tc.code, "")
			if want := (fault.Call{Service: "dynamodb", Operation: "PutItem", Resource: "trades", Key: tc.name}); seen != want {
				t.Errorf("the hook saw %+v, want %+v", seen, want)
			}
			decide = func(fault.Call) fault.Fault { return fault.Fault{} }
			if got := get(t, tb, tc.name, 1); (got != nil) != tc.kept {
				t.Errorf("the item is %v", got)
			}
			dimensions := map[string]string{"TableName": "trades"}
			if tc.metric == "SystemErrors" {
				dimensions["Operation"] = "PutItem"
			}
			sum, err := metrics.ParseStatistic("Sum")
			if err != nil {
				t.Fatal(err)
			}
			if got, _ := store.Series("AWS/DynamoDB", tc.metric, dimensions).Value(sum, epoch, epoch.AddDate(2, 0, 0)); got < 1 {
				t.Errorf("%s was not counted", tc.metric)
			}
		})
	}
	decide = func(fault.Call) fault.Fault { return fault.Fault{Delay: time.Second} }
	done := make(chan error)
	go func() { done <- put(tb, trade("late", 1)) }()
	c.BlockUntil(1)
	if tb.Count() != 1 {
		t.Error("a delayed write took effect at once")
	}
	c.Advance(time.Second)
	if err := <-done; err != nil || tb.Count() != 2 {
		t.Errorf("after the delay: error %v, %d items", err, tb.Count())
	}
}

func TestTheDigestDependsOnItemsAlone(t *testing.T) {
	items := []item{trade("A", 1, "x", "1", "when", "now"), trade("A", 2), trade("B", 1, "x", "2")}
	one, other := newTable(t, trades(), clock.NewVirtual(epoch)), newTable(t, trades(), clock.NewVirtual(epoch.Add(time.Hour)))
	for i := range items {
		if err := errors.Join(put(one, items[i]), put(other, items[len(items)-1-i])); err != nil {
			t.Fatal(err)
		}
	}
	if one.Digest() != other.Digest() {
		t.Error("another order of writing makes another digest")
	}
	if err := put(other, trade("A", 1, "x", "1", "when", "later")); err != nil {
		t.Fatal(err)
	}
	if one.Digest() == other.Digest() {
		t.Error("another value makes the same digest")
	}
	if one.Digest("when") != other.Digest("when") {
		t.Error("an attribute that was excepted counts")
	}
}

func TestAnExportIsImportedAsItWas(t *testing.T) {
	from := filled(t)
	var file bytes.Buffer
	if err := from.Export(&file); err != nil {
		t.Fatal(err)
	}
	exported := file.Bytes()
	for range 10 {
		var again bytes.Buffer
		if err := from.Export(&again); err != nil || !bytes.Equal(again.Bytes(), exported) {
			t.Fatalf("another export differs: %v", err)
		}
	}

	into := newTable(t, trades(), clock.NewVirtual(epoch))
	if err := into.Import(bytes.NewReader(exported)); err != nil {
		t.Fatal(err)
	}
	if from.Digest() != into.Digest() {
		t.Error("the items differ")
	}
	out, err := into.Query(t.Context(), query("bySource", "sourceSystem = :s", item{":s": str("one")}))
	if err != nil || digests(out.Items) != "a0 a1 ab b" {
		t.Errorf("the index holds %q: %v", digests(out.Items), err)
	}
	// Replicas get it too, and an item's age doesn't count as latency.
	c, store := clock.NewVirtual(epoch.AddDate(1, 0, 0)), metrics.NewStore()
	home, away, _ := global(t, c, table.Options{Metrics: store})
	if err := home.Import(bytes.NewReader(exported)); err != nil {
		t.Fatal(err)
	}
	c.Advance(time.Second)
	if away.Digest() != from.Digest() {
		t.Error("the replica's items differ")
	}
	maximum, err := metrics.ParseStatistic("Maximum")
	if err != nil {
		t.Fatal(err)
	}
	dimensions := map[string]string{"TableName": "trades", "ReceivingRegion": "eu-west-1"}
	if got, _ := store.Series("AWS/DynamoDB", "ReplicationLatency", dimensions).Value(maximum, epoch, epoch.AddDate(2, 0, 0)); got != 1000 {
		t.Errorf("the latency was up to %v ms, want 1,000", got)
	}

	// Anything written later than the export stays.
	late := newTable(t, trades(), clock.NewVirtual(epoch.Add(time.Hour)))
	if err := errors.Join(put(late, trade("B", 20, "digest", "later")), late.Import(bytes.NewReader(exported))); err != nil {
		t.Fatal(err)
	}
	wantItem(t, get(t, late, "B", 20), trade("B", 20, "digest", "later"))

	for name, damaged := range map[string][]byte{"cut off": exported[:len(exported)-3], "changed": bytes.Replace(exported, []byte(`"N":"5"`), []byte(`"N":"x"`), 1)} {
		if err := newTable(t, trades(), clock.NewVirtual(epoch)).Import(bytes.NewReader(damaged)); err == nil || !strings.Contains(err.Error(), "importing table trades: item 6") {
			t.Errorf("an export that was %s: %v", name, err)
		}
	}
	others := table.Definition{Name: "others", HashKey: "id", Attributes: map[string]types.ScalarAttributeType{"id": "S"}}
	if err := newTable(t, others, clock.NewVirtual(epoch)).Import(bytes.NewReader(exported)); err == nil || !strings.Contains(err.Error(), "Missing the key id") {
		t.Errorf("into a table with another key: %v", err)
	}
}

// 64 writers put the same 500 trades, each in its own order: every trade is written by exactly one of them, and all
// replicas and indexes agree.
func TestSixtyFourWritersWriteEveryTradeOnce(t *testing.T) {
	home, away, replications := global(t, clock.Real(), table.Options{})
	const writers, count = 64, 500
	var written atomic.Int64
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := range count {
				id := (i*(2*w+1) + w) % count
				it := trade(fmt.Sprintf("T%03d", id), id%7, "sourceSystem", fmt.Sprint("s", id%3), "status", "RECORDED", "digest", fmt.Sprint(id))
				err := conditional(home, it, "attribute_not_exists(tradeId)", nil, nil)
				var failed *types.ConditionalCheckFailedException
				switch {
				case err == nil:
					written.Add(1)
				case !errors.As(err, &failed):
					t.Error(err)
				}
				if i%50 == 0 {
					if _, err := away.Query(context.Background(), query("byStatus", "#s = :v", item{":v": str("RECORDED")})); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	group.Wait()
	// An odd multiplier with 500 = 4·125 skips trades if it shares a factor, but writer 0 goes through all.
	if written.Load() != count || home.Count() != count {
		t.Errorf("%d writes made %d items, want %d", written.Load(), home.Count(), count)
	}
	for _, r := range replications {
		if err := r.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if home.Digest() != away.Digest() {
		t.Error("the replica differs")
	}
	out, err := away.Query(t.Context(), query("byStatus", "#s = :v", item{":v": str("RECORDED")}))
	if err != nil || out.Count != count {
		t.Errorf("the replica's index holds %d: %v", out.Count, err)
	}
}
