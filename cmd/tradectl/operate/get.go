package operate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"trade-processing/cmd/tradectl/output"
	"trade-processing/internal/exitcode"
	"trade-processing/internal/operate"
	"trade-processing/internal/terminal"
)

// NewGet returns `tradectl get`.
func NewGet(t *terminal.Terminal) *cobra.Command {
	var asOf moment
	var replica, table string
	command := &cobra.Command{
		Use:   "get TRADE",
		Short: "Show a trade with all its versions",
		Long: "Shows all versions recorded under a trade's id, each source's newest first, rejected ones included; the state of\n" +
			"each source's trade, which is that of its newest version that isn't rejected; and whether each digest is the\n" +
			"SHA-256 of the version's canonical text. If one isn't, the record was changed: the exit code is 1.",
		Example: "  tradectl get --stack prod system1-1-20251031-1\n" +
			"  tradectl get --stack prod system1-1-20251031-1 --as-of 2025-10-31T13:00Z --replica eu-west-1 --output json",
		Args: exactly("TRADE"),
	}
	command.Flags().Var(&asOf, "as-of", "only what had been recorded by then: "+momentHelp)
	command.Flags().StringVar(&replica, "replica", "", "read the replica in this `REGION`")
	command.Flags().StringVar(&table, "table", "", tableHelp)
	return withStack(t, command, nil, func(ctx context.Context, stack *operate.Stack, form output.Form, args []string) error {
		trade, err := stack.Trade(ctx, operate.TradeQuery{TradeID: args[0], AsOf: asOf.Time, Replica: replica, Table: table})
		if err != nil {
			return err
		}
		if err := showTrade(t, form, trade); err != nil {
			return err
		}
		var altered []error
		for _, version := range trade.Versions {
			if !version.DigestIsRight {
				altered = append(altered, fmt.Errorf("%s: the digest isn't that of the text: the record was changed; docs/runbook.md#items-were-damaged-or-deleted says what to do", version.Version))
			}
		}
		return errors.Join(altered...)
	}, exitcode.NotFound)
}

func showTrade(t *terminal.Terminal, form output.Form, trade *operate.Trade) error {
	switch form {
	case output.JSON:
		return output.Document(t, trade)
	case output.CSV:
		return showVersions(t, trade)
	default:
	}
	page := output.NewPage(t)
	page.Heading("Trade "+trade.TradeID, "in "+trade.Region)
	for _, state := range trade.States {
		said := map[string]string{
			operate.Stands:    "stands, in version " + state.Version,
			operate.Cancelled: "no longer stands: cancelled by version " + state.Version,
			operate.Rejected:  "was rejected: no version is valid",
		}[state.State]
		page.Text(colour(state.State)(page.Style, "● "), state.Source+" "+said)
	}
	for _, version := range trade.Versions {
		page.Blank()
		page.Heading(version.Version, "")
		for _, fact := range facts(version) {
			page.Fact(fact[0], fact[1])
		}
		for _, violation := range version.Violations {
			page.Fact("violation", violation.Code+", "+violation.Field+": "+violation.Message)
		}
		if version.Market != nil {
			page.Fact("market", compact(version.Market))
		}
		page.Fact("trade", version.Trade)
		page.Fact("digest", version.Digest)
		if version.DigestIsRight {
			page.Text("  "+page.Style.Green("✓ "), "the digest is the SHA-256 of the trade")
		} else {
			page.Text("  "+page.Style.Red("✗ "), "the digest is not the SHA-256 of the trade: the record was changed")
		}
	}
	return page.End()
}

// facts are the lines about a version that may be left out.
func facts(v operate.Version) [][2]string {
	status := v.Status + ", " + v.Action
	if v.ReviewRequired {
		status += ", to be reviewed"
	}
	replaces := v.Replaces
	if v.ReplacedMissing {
		replaces += ", which had not arrived"
	}
	unchecked := v.AmountUncheckedReason
	if unchecked != "" {
		unchecked = "not checked: " + unchecked
	}
	event := strings.TrimSpace(v.EventID + " " + v.EventTime)
	event += " from " + v.Source()
	if v.EventAccount != "" {
		event += ", account " + v.EventAccount
	}
	expires := ""
	if v.ExpiresAt != 0 {
		expires = time.Unix(v.ExpiresAt, 0).UTC().Format(time.RFC3339)
	}
	return [][2]string{
		{"status", status}, {"replaces", replaces}, {"source", v.SourceSystem},
		{"amount", strings.TrimSpace(v.Amount + " " + v.Currency)}, {"", unchecked}, {"traded", strings.TrimSpace(v.Symbol + " " + v.Venue)},
		{"recorded", v.RecordedAt}, {"rules", v.RulesVersion}, {"event", event}, {"execution", v.ExecutionARN}, {"trace", v.TraceID}, {"expires", expires},
	}
}

func compact(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(text)
}

func showVersions(t *terminal.Terminal, trade *operate.Trade) error {
	return output.NewRows(t, output.CSV, func(v operate.Version) []output.Cell {
		return []output.Cell{
			{Name: "tradeId", Text: v.TradeID}, {Name: "version", Text: v.Version}, {Name: "action", Text: v.Action},
			{Name: "status", Text: v.Status}, {Name: "replaces", Text: v.Replaces}, {Name: "amount", Text: v.Amount},
			{Name: "currency", Text: v.Currency}, {Name: "symbol", Text: v.Symbol}, {Name: "venue", Text: v.Venue},
			{Name: "recordedAt", Text: v.RecordedAt}, {Name: "eventId", Text: v.EventID}, {Name: "executionArn", Text: v.ExecutionARN},
			{Name: "digest", Text: v.Digest}, {Name: "digestIsRight", Text: fmt.Sprint(v.DigestIsRight)}, {Name: "trade", Text: v.Trade},
		}
	}).All(trade.Versions, "")
}
