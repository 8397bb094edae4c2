package trade_test

import (
	"testing"

	"trade-processing/lambdas/trade"
)

func TestWhatACorrectionAndACancelNeed(t *testing.T) {
	const executed, acted = "2024-05-28T13:00:00Z", "2024-05-28T13:20:00Z"
	for name, test := range map[string]struct {
		fields map[string]any
		want   []trade.Code
	}{
		"a correction": {map[string]any{"action": "CORRECT", "actionTime": acted, "executedAt": executed}, nil},
		"a correction in the millisecond of the execution": {map[string]any{"action": "CORRECT", "actionTime": executed, "executedAt": executed}, nil},
		"a correction of the time of execution": {map[string]any{
			"action": "CORRECT", "actionTime": acted, "executedAt": executed, "replacesTime": "2024-05-28T12:00:00Z"}, nil},
		"a cancel without amount and currency": {map[string]any{
			"action": "CANCEL", "actionTime": acted, "executedAt": executed, "amount": nil, "currency": nil}, nil},
		"a cancel's amount is checked if it is there": {map[string]any{
			"action": "CANCEL", "actionTime": acted, "executedAt": executed, "amount": "-1", "currency": "DEM"}, []trade.Code{trade.AmountNegative, trade.CurrencyUnknown}},
		"a correction needs amount and currency": {map[string]any{
			"action": "CORRECT", "actionTime": acted, "executedAt": executed, "amount": nil, "currency": nil}, []trade.Code{trade.AmountMissing, trade.CurrencyMissing}},
		"null is a new trade":                      {map[string]any{"action": nil}, nil},
		"an unknown action is judged as a new one": {map[string]any{"action": "cancel", "amount": nil}, []trade.Code{trade.AmountMissing, trade.ActionInvalid}},
		"a cancel without times":                   {map[string]any{"action": "CANCEL", "executedAt": nil}, []trade.Code{trade.ExecutedAtMissing, trade.ActionTimeMissing}},
		"what isn't known isn't compared": {map[string]any{
			"action": "CORRECT", "actionTime": acted, "executedAt": "today", "replacesTime": "yesterday"}, []trade.Code{trade.ExecutedAtInvalid, trade.ReplacesTimeInvalid}},
		"the times of a new trade mean nothing": {map[string]any{"actionTime": "2024-05-28T12:00:00Z", "executedAt": executed, "replacesTime": acted}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := codes(t, test.fields); !equal(got, test.want) {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
}
