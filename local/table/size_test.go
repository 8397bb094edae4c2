package table_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"trade-processing/local/clock"
	"trade-processing/local/table"
)

// recorded returns an item as the recorder writes it: 25 attributes, 1.5 KB.
func recorded(i int) item {
	id := fmt.Sprintf("T-2025-%09d", i)
	at := epoch.UnixMilli() + int64(i)
	it := trade(id, at,
		"status", "RECORDED", "sourceSystem", fmt.Sprint("system", i%3+1),
		"trade", fmt.Sprintf(`{"account":"ACC-%06d","amount":"%d.25","counterpartyLei":"5493001KJTIIGC8Y1R12","currency":"USD","executedAt":"2025-11-24T14:30:00.123Z","isin":"US0378331005","price":"187.25","quantity":"%d","side":"BUY","sourceSystem":"system1","symbol":"AAPL","tradeId":"%s","venue":"XNAS","note":"%s"}`, i%1000, i, i, id, strings.Repeat("n", 120)),
		"digest", fmt.Sprintf("%064x", i),
		"currency", "USD", "symbol", "AAPL", "venue", "XNAS", "side", "BUY", "executedAt", "2025-11-24T14:30:00.123Z",
		"rulesVersion", "2025-11-01", "eventId", fmt.Sprintf("0f5a1d3e-2f7d-4a3a-9a39-%012d", i), "eventTime", "2025-11-24T14:30:01Z",
		"eventSource", "trading.system1", "executionArn", fmt.Sprintf("arn:aws:states:us-east-1:000000000000:execution:trade-processing:0f5a1d3e-2f7d-4a3a-9a39-%012d", i),
		"traceId", "1-5759e988-bd862e3fe1be46a994272793", "recordedAt", "2025-11-24T14:30:01.456Z", "amount", fmt.Sprint(i, ".25"),
		"price", "187.25", "quantity", fmt.Sprint(i), "account", fmt.Sprint("ACC-", i%1000))
	it["reviewRequired"] = &types.AttributeValueMemberBOOL{}
	it["market"] = object(item{
		"status": str("COMPLETE"), "session": str("REGULAR"), "tradingDay": str("2025-11-24"), "settlementDate": str("2025-11-25"),
		"venue":    object(item{"mic": str("XNAS"), "name": str("NASDAQ - ALL MARKETS"), "country": str("US"), "timeZone": str("America/New_York")}),
		"currency": object(item{"code": str("USD"), "minorUnit": num(2)}), "isinCountry": str("US"),
	})
	it["expiresAt"] = num(at/1000 + 7*365*24*3600)
	return it
}

func heap() uint64 {
	runtime.GC()
	runtime.GC() // twice, so that pools are empty too
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestOneHundredThousandTradesFitIntoMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 100,000 items")
	}
	const count, limit = 100_000, 250 << 20
	c := clock.NewVirtual(epoch)
	before := heap()
	home, away, _ := global(t, c, table.Options{})
	started := time.Now()
	for i := range count {
		if err := put(home, recorded(i)); err != nil {
			t.Fatal(err)
		}
		c.Advance(100 * time.Microsecond)
	}
	took := time.Since(started)
	c.Advance(time.Second)
	if away.Count() != count {
		t.Fatalf("the replica has %d items", away.Count())
	}
	used := heap() - before
	t.Logf("%d items of 2 indexes in 2 replicas take %d MiB; %v a put, making the item included", home.Count(), used>>20, took/count)
	if used > limit {
		t.Errorf("%d MiB are more than %d MiB", used>>20, limit>>20)
	}
	runtime.KeepAlive(home)
	runtime.KeepAlive(away)
}

func BenchmarkPutItem(b *testing.B) {
	names := map[string]string{"#0": "tradeId", "#1": "timestamp"}
	for _, replicas := range []bool{false, true} {
		b.Run(fmt.Sprintf("replica=%v", replicas), func(b *testing.B) {
			home := newTable(b, trades(), clock.Real())
			if replicas {
				home, _, _ = global(b, clock.Real(), table.Options{})
			}
			items := make([]item, 20_000)
			for i := range items {
				items[i] = recorded(i)
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				it := items[i%len(items)]
				it["timestamp"] = num(i) // every put is a new item
				if err := conditional(home, it, "(attribute_not_exists (#0)) AND (attribute_not_exists (#1))", names, nil); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}

func BenchmarkGetItem(b *testing.B) {
	tb := newTable(b, trades(), clock.Real())
	it := recorded(1)
	if err := put(tb, it); err != nil {
		b.Fatal(err)
	}
	at := it["timestamp"].(*n).Value
	b.ReportAllocs()
	for b.Loop() {
		get(b, tb, it["tradeId"].(*s).Value, at)
	}
}
