package feed_test

import (
	"context"
	"fmt"
	"strings"

	"trade-processing/internal/feed"
)

func ExampleFeed_Entries() {
	input := feed.FromReader("trades.ndjson", strings.NewReader(
		`{"Source":"trading.system1","DetailType":"Trade Event","Detail":{"tradeId":"t-1"}}
[{"Source":"trading.system1"}]
{"Source":"trading.system2","DetailType":"Trade Event","Detail":"{\"tradeId\":\"t-2\"}"}`))
	for entry, problem := range input.Entries(context.Background()) {
		if problem != nil {
			fmt.Println(problem)
			continue
		}
		fmt.Println(entry.Source, string(entry.Detail))
	}
	// Output:
	// trading.system1 {"tradeId":"t-1"}
	// trades.ndjson:2: DetailType, Detail missing or empty; PutEvents needs Source, DetailType and Detail
	// trading.system2 {"tradeId":"t-2"}
}
