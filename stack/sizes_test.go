package stack

import (
	"os"
	"strings"
	"testing"

	"trade-processing/lambdas/trade"
)

// The sizes that AWS takes, in bytes.
const (
	entryLimit     = 1_000_000 // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
	executionLimit = 256 << 10 // https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
	payloadLimit   = 6 << 20   // https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
	itemLimit      = 400 << 10 // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
	// queueDefault is the limit of a queue that sets none; the provider allows no more.
	// https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs/resources/sqs_queue
	queueDefault = 256 << 10
)

// hop is a receiver of trades on their way.
type hop struct {
	from, to string
	sends    int // what the sender can hold
	takes    int // what the receiver takes
	// excuse says what becomes of what is too large, if the receiver takes less than its sender can hold.
	excuse string
}

func TestEachReceiverTakesWhatItsSenderHolds(t *testing.T) {
	page, err := os.ReadFile("../docs/trades.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"dev", "prod"} {
		hops := []hop{
			{"bus", "execution", entryLimit, executionLimit, "it is only in the archive"},
			{"execution", "function", executionLimit, payloadLimit, ""},
			{"execution", "trade", executionLimit, trade.MaxBytes, "`MalformedTrade`"},
			// The recorder bounds the market context to the size of a trade; what else an item holds is small.
			{"trade and context", "table", 2 * trade.MaxBytes, itemLimit, ""},
		}
		for _, queue := range declare(t, name, nil).All("aws:sqs/queue:Queue") {
			takes := queueDefault
			if set, ok := queue.Inputs["maxMessageSize"].(float64); ok {
				takes = int(set)
			}
			hops = append(hops, hop{"execution", queue.Name, executionLimit, takes, ""})
			if strings.Contains(queue.Name, "delivery") || strings.Contains(queue.Name, "bus") {
				hops = append(hops, hop{"bus", queue.Name, entryLimit, takes, "it is only in the archive"})
			}
		}
		for _, h := range hops {
			switch {
			case h.takes < h.sends && h.excuse == "":
				t.Errorf("%s: %s takes %d bytes, but %s can hold %d", name, h.to, h.takes, h.from, h.sends)
			case h.takes >= h.sends && h.excuse != "":
				t.Errorf("%s: %s takes all that %s can hold, and needs no excuse", name, h.to, h.from)
			case !strings.Contains(string(page), h.excuse):
				t.Errorf("docs/trades.md doesn't say of %s to %s: %s", h.from, h.to, h.excuse)
			}
		}
	}
}
