package market

import (
	"slices"
	"time"

	"github.com/rickar/cal/v2"
)

// The years for which the rule-based calendars were compared with what the exchanges published. Before that, exchanges
// closed for reasons not recorded here; after it, rules may change: in 2020 nobody knew about Juneteenth.
const (
	firstYear = 2010
	lastYear  = 2035
)

// ruleCalendars returns the calendars whose days follow from rules, by name.
func ruleCalendars() map[string]rules {
	return map[string]rules{
		"24x7":            {restDays: func(Date) bool { return false }},
		"US-EQUITIES":     usEquities(),
		"US-SETTLEMENT":   usSettlement(),
		"CME-NEW-YORK":    cmeGlobex(0),
		"CME-CHICAGO":     cmeGlobex(at(-1, 0)),
		"ICE-US":          iceUS(),
		"ICE-EU":          iceEurope(),
		"CANADA":          toronto(),
		"MEXICO":          mexico(),
		"BRAZIL":          saoPaulo(),
		"TARGET":          target(),
		"LONDON":          london(),
		"EURONEXT":        euronext(0),
		"EURONEXT-LISBON": euronext(at(-1, 0)),
		"DUBLIN":          dublin(),
		"OSLO":            oslo(),
		"MILAN":           milan(),
		"XETRA":           xetra(),
		"EUREX":           eurex(),
		"MADRID":          madrid(),
		"VIENNA":          vienna(),
		"SWISS":           swiss(),
		"STOCKHOLM":       stockholm(),
		"HELSINKI":        helsinki(),
		"COPENHAGEN":      copenhagen(),
		"WARSAW":          warsaw(),
		"PRAGUE":          prague(),
		"ATHENS":          athens(),
		"PAN-EUROPE":      panEurope(),
		"JOHANNESBURG":    johannesburg(),
		"TOKYO":           tokyo(),
		"SYDNEY":          sydney(),
		"AUCKLAND":        auckland(),
	}
}

// holidays joins lists of holidays into one.
func holidays(lists ...[]*cal.Holiday) []*cal.Holiday { return slices.Concat(lists...) }

// Days that many markets share.
var (
	newYearsDay  = onDay("New Year's Day", time.January, 1)
	goodFriday   = fromEaster("Good Friday", -2)
	easterMonday = fromEaster("Easter Monday", 1)
	labourDay    = onDay("Labour Day", time.May, 1)
	ascension    = fromEaster("Ascension Day", 39)
	christmasEve = onDay("Christmas Eve", time.December, 24)
	christmasDay = onDay("Christmas Day", time.December, 25)
	boxingDay    = onDay("Boxing Day", time.December, 26)
	newYearsEve  = onDay("New Year's Eve", time.December, 31)
)
