// Package market is the reference data about a trade's market: venues with their country, time zone, trading hours and
// holidays, settlement cycles, and who issues an ISIN. It is built into the binary and makes no calls.
//
// Where each fact lives:
//
//	data/venues.csv      MIC, country, time zone, and which of the following apply
//	data/hours.csv       trading hours, by the date from which they hold
//	data/settlement.csv  settlement cycles, by the trading day from which they hold
//	calendar_*.go        holidays that follow rules, from github.com/rickar/cal, corrected where exchanges differ
//	data/closures.csv    holidays that follow no rule a program could know: they are decreed year by year
//
// A calendar covers whole years. Outside them, and before the first date of a market's hours or cycles, the answer is a
// Reason, never a guess.
package market
