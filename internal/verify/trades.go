package verify

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/smithy-go"

	"trade-processing/internal/terminal"
)

// Mark begins the id of every trade that a verification sends. With the field synthetic, which is true in them, it
// distinguishes these trades from real ones: in queries by key, in the canonical text by the field.
const Mark = "verify-"

// runField is the trade's field that names the run. The malformed trade, which has no id, has it too.
const runField = "verification"

// Entries of PutEvents.
const (
	sourcePrefix  = "trading."
	detailType    = "Trade Event"
	entriesAtOnce = 10 // https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
)

// sent is a trade that was sent, and what is expected of it.
type sent struct {
	name      string // its name in the report
	source    string // source system
	detail    map[string]any
	executed  time.Time
	invalid   bool
	acted     time.Time // of a correction or cancel; zero if the trade is new
	replaces  string    // the version it replaces
	spelling  string    // the detail as it is sent
	canonical string    // the detail as the table must hold it

	at      time.Time // when it was put on the bus; zero if it never was, or the bus refused it
	eventID string    // empty if the bus's answer didn't arrive

	item    map[string]types.AttributeValue // as recorded; nil if not seen yet
	seen    time.Time                       // when the item was
	settled bool                            // it is recorded or recognised as a duplicate, and won't arrive in a queue
	letters []letter                        // its dead letters, removed when found
}

// newTrade returns a valid trade of a source. Its amount ends in a zero that a number would lose; its fee is a number
// that ends in one, which mustn't matter. synthetic is a field that no rule knows.
func (v *verification) newTrade(name, source string, change map[string]any) *sent {
	// A little in the past, because a trade executed later than both clocks allow is a violation.
	executed := time.Now().UTC().Add(-time.Second).Truncate(time.Millisecond)
	detail := map[string]any{
		"tradeId": Mark + v.run + "-" + name, "sourceSystem": source,
		"amount": "190.50", "currency": "USD", "price": "190.50", "quantity": "1", "side": "BUY", "fee": fee,
		"symbol": "AAPL", "venue": "XNAS", "isin": "US0378331005",
		"executedAt": executed.Format("2006-01-02T15:04:05.000Z"),
		"synthetic":  true, runField: v.run,
	}
	for field, value := range change {
		if value == nil {
			delete(detail, field)
			continue
		}
		detail[field] = value
	}
	// The strings are such that encoding/json writes them like the canonical form: keys in order, no white space, no
	// escapes. It spells numbers as the form does.
	canonical, _ := json.Marshal(detail) // such values always marshal
	s := &sent{source: source, detail: detail, executed: executed, canonical: string(canonical)}
	return s.repeat(name, "1.50")
}

// fee is the value of a JSON number in every trade. AWS may spell it differently from the sender.
const fee = 1.5

// repeat returns the same trade, not sent yet, under another name and with its fee in this spelling.
func (s *sent) repeat(name, feeSpelling string) *sent {
	return &sent{
		name: name, source: s.source, detail: s.detail, executed: s.executed, canonical: s.canonical, acted: s.acted, replaces: s.replaces,
		spelling: strings.Replace(s.canonical, `"fee":1.5`, `"fee":`+feeSpelling, 1),
	}
}

func (s *sent) id() string { id, _ := s.detail["tradeId"].(string); return id }

// time returns the time of the trade's version.
func (s *sent) time() time.Time {
	if !s.acted.IsZero() {
		return s.acted
	}
	return s.executed
}

// version returns the sort key that the trade must be recorded under.
func (s *sent) version() string {
	version := s.source + "#" + s.time().UTC().Format(recordTime)
	if s.invalid {
		version += "#REJECTED#" + s.digest()[:16]
	}
	return version
}

func (s *sent) digest() string {
	sum := sha256.Sum256([]byte(s.canonical))
	return hex.EncodeToString(sum[:])
}

// key returns the key of the trade's item.
func (s *sent) key() map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		"tradeId": &types.AttributeValueMemberS{Value: s.id()}, "version": &types.AttributeValueMemberS{Value: s.version()},
	}
}

// sendTrades sends a valid trade from each source, and an invalid one.
func (v *verification) sendTrades(ctx context.Context, result *Result) error {
	for _, source := range v.Outputs.Sources() {
		v.trades = append(v.trades, v.newTrade(source, source, nil))
	}
	first := v.trades[0].source
	v.invalid = v.newTrade("invalid", first, map[string]any{"amount": "0.00", "price": nil, "quantity": nil})
	v.invalid.invalid = true
	all := append(append([]*sent{}, v.trades...), v.invalid)
	if err := v.put(ctx, result, all...); err != nil {
		return err
	}
	result.found("%s from %s and an invalid one, all with ids that begin with %s%s-", terminal.Plural(len(v.trades), "trade"), list(v.Outputs.Sources()), Mark, v.run)
	return nil
}

// put puts trades on the bus. A refused trade is a problem.
func (v *verification) put(ctx context.Context, result *Result, trades ...*sent) error {
	for len(trades) > 0 {
		if err := ctx.Err(); err != nil {
			return err // before any is taken for sent
		}
		batch := trades[:min(len(trades), entriesAtOnce)]
		trades = trades[len(batch):]
		entries := make([]eventtypes.PutEventsRequestEntry, len(batch))
		for i, trade := range batch {
			entries[i] = eventtypes.PutEventsRequestEntry{
				EventBusName: aws.String(v.Outputs.EventBusName), Source: aws.String(sourcePrefix + trade.source),
				DetailType: aws.String(detailType), Detail: aws.String(trade.spelling), TraceHeader: aws.String(newTrace()),
			}
			trade.at = time.Now()
		}
		answer, err := v.clients.events.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: entries})
		if _, refused := errors.AsType[smithy.APIError](err); refused {
			for _, trade := range batch {
				trade.at = time.Time{}
			}
		}
		if err != nil {
			return fmt.Errorf("putting trades on the bus %s: %w", v.Outputs.EventBusName, err)
		}
		if len(answer.Entries) != len(batch) {
			return fmt.Errorf("the bus %s answered for %d of %s", v.Outputs.EventBusName, len(answer.Entries), terminal.Plural(len(batch), "trade"))
		}
		for i, entry := range answer.Entries {
			if code := aws.ToString(entry.ErrorCode); code != "" {
				result.problem("the bus refuses the trade of %s: %s: %s", batch[i].name, code, aws.ToString(entry.ErrorMessage))
				batch[i].at = time.Time{}
				continue
			}
			batch[i].eventID = aws.ToString(entry.EventId)
		}
	}
	return nil
}

// newTrace begins a trace that must be kept: X-Ray samples out most others.
// https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
func newTrace() string {
	var random [12]byte
	rand.Read(random[:]) // it never fails, according to its documentation
	return fmt.Sprintf("Root=1-%08x-%x;Sampled=1", time.Now().Unix(), random)
}
