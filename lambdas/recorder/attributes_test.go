package recorder

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// What is written by hand is what the item's tags say, which is how it is read back.
func TestAnItemIsWrittenAsItsTagsSay(t *testing.T) {
	required := Item{TradeID: "t", Version: "v", Action: "NEW", Status: Recorded, Trade: "{}", Digest: "d", RulesVersion: "1", EventTime: "e", RecordedAt: "r"}
	for name, item := range map[string]Item{"only what every item has": required, "every field": filled(t)} {
		market := item.Market
		item.Market = nil
		want, err := attributevalue.MarshalMap(item)
		if err != nil {
			t.Fatal(err)
		}
		if got := item.attributes(); !reflect.DeepEqual(map[string]types.AttributeValue(got), want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
		if item.Market = market; len(market) > 0 != (item.attributes()["market"] != nil) {
			t.Errorf("%s: the market context is %v", name, item.attributes()["market"])
		}
	}
}

// filled is an item none of whose fields has its zero value.
func filled(t *testing.T) (item Item) {
	t.Helper()
	fields := reflect.ValueOf(&item).Elem()
	for i := range fields.NumField() {
		switch field := fields.Field(i); field.Interface().(type) {
		case string:
			field.SetString(fields.Type().Field(i).Name)
		case int64:
			field.SetInt(int64(1000 + i))
		case bool:
			field.SetBool(true)
		case *bool:
			field.Set(reflect.ValueOf(new(false)))
		case []violation:
			field.Set(reflect.ValueOf([]violation{{"A", "b", "c"}, {"D", "", ""}}))
		case attributes:
			field.Set(reflect.ValueOf(attributes{"status": &types.AttributeValueMemberS{Value: "COMPLETE"}}))
		default:
			t.Fatalf("nothing fills a %s", field.Type())
		}
	}
	return item
}

// A market context becomes the attributes that attributevalue makes of it.
func FuzzMarket(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(` { "a" : [ ] , "b" : [ 1.10 , { } , null , true , "\u00e9" ] , "c" : 1e400 , "d" : "" } `))
	f.Fuzz(func(t *testing.T, text []byte) {
		var decoded map[string]any
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		if !json.Valid(text) || decoder.Decode(&decoded) != nil || decoded == nil {
			t.Skip()
		}
		want, err := attributevalue.MarshalMap(decoded)
		if err != nil {
			t.Skip()
		}
		if got := attributeOf(text); !reflect.DeepEqual(got, types.AttributeValue(&types.AttributeValueMemberM{Value: want})) {
			t.Errorf("%s: %v", text, got)
		}
	})
}

// An item costs a map, its texts, and a few other values.
func TestAnItemAllocatesItsAttributes(t *testing.T) {
	item := filled(t)
	const most = 29
	if allocations := testing.AllocsPerRun(100, func() { item.attributes() }); allocations > most {
		t.Errorf("%v allocations, want at most %v", allocations, most)
	}
}
