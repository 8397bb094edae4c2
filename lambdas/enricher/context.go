package enricher

import (
	"encoding/json"
	"time"

	"trade-processing/lambdas/market"
	"trade-processing/lambdas/trade"
)

// Status says whether everything about a trade's market is known.
type Status string

const (
	// Complete is an answer with nothing missing.
	Complete Status = "COMPLETE"

	// Partial is an answer with something missing, as its reasons say.
	Partial Status = "PARTIAL"
)

// Context is the enricher's answer: the market context of a trade. What isn't known is left out, with a reason.
type Context struct {
	Status Status `json:"status"`

	// Reasons say why something is left out, in the order of market.Reasons; empty, not nil, if nothing is.
	Reasons []market.Reason `json:"reasons"`

	// Venue is where the trade was executed. Crypto pairs have a session and days without a venue.
	Venue *Venue `json:"venue,omitempty"`

	// Session is the part of the venue's day in which the trade was executed.
	Session market.Session `json:"session,omitempty"`

	// TradingDay is the day the trade counts for, SettlementDate the day it settles, and SettlementCycle the number of
	// business days between them (T+1).
	TradingDay      *market.Date  `json:"tradingDay,omitempty"`
	SettlementDate  *market.Date  `json:"settlementDate,omitempty"`
	SettlementCycle *market.Cycle `json:"settlementCycle,omitempty"`

	// MinorUnit is the number of decimals of the smallest unit of the trade's currency; nil for codes that ISO 4217 lists
	// without one, such as gold.
	MinorUnit *int `json:"minorUnit,omitempty"`

	// ISINCountry is the country that numbered the security; see trade.IssuingCountry.
	ISINCountry string `json:"isinCountry,omitempty"`

	// External is the market data API's answer, a JSON object.
	External json.RawMessage `json:"external,omitempty"`

	// knownUntil is the last day of which everything is known about such trades at the venue; nil without one.
	knownUntil *market.Date
}

// Venue is what is known of a trade's venue, besides its MIC, which is the trade's own.
type Venue struct {
	// OperatingMIC is set if the trade's MIC is that of a segment that isn't in the data itself: name, country, session
	// and days are then those of the venue that operates it, whose MIC this is.
	OperatingMIC string `json:"operatingMic,omitempty"`

	Name     string `json:"name"`
	Country  string `json:"country,omitempty"`  // ISO 3166 alpha-2; none for trading off exchange
	TimeZone string `json:"timeZone,omitempty"` // IANA; none for trading off exchange
}

func (c *Context) lacks(reason market.Reason) { c.Reasons = append(c.Reasons, reason) }

// ofTrade puts a trade in context using only the reference data.
func ofTrade(t *trade.Trade, eventTime time.Time, reference *market.Reference) *Context {
	c := &Context{Reasons: []market.Reason{}}
	executed, readable := t.ExecutedAt()
	if !readable {
		executed = eventTime
		if _, present := t.Text("executedAt"); present {
			c.lacks(market.ExecutionTimeUnreadable)
		}
	}
	c.addMarket(t, executed, reference)
	c.addCurrency(t)
	c.addISIN(t)
	return c
}

func (c *Context) addMarket(t *trade.Trade, executed time.Time, reference *market.Reference) {
	venue, reason := venueOf(t, reference)
	if venue == nil {
		c.lacks(reason)
		return
	}
	if venue.MIC != "" {
		mic, _ := t.Text("venue")
		c.Venue = describe(venue, mic)
	}
	currency, _ := t.Text("currency")
	if until, hasEnd := venue.KnownUntil(currency); hasEnd {
		c.knownUntil = &until
	}
	moment := venue.At(executed, currency)
	c.Reasons = append(c.Reasons, moment.Reasons...)
	c.Session = moment.Session
	if moment.HasTradingDay {
		c.TradingDay = &moment.TradingDay
	}
	if moment.HasSettlement {
		c.SettlementDate, c.SettlementCycle = &moment.Settlement, &moment.Cycle
	}
}

func describe(venue *market.Venue, mic string) *Venue {
	v := &Venue{Name: venue.Name, TimeZone: venue.TimeZone()}
	if venue.MIC != mic {
		v.OperatingMIC = venue.MIC
	}
	if venue.Country != market.Nowhere {
		v.Country = venue.Country
	}
	return v
}

// venueOf returns the venue of a trade, or nil with a reason if it can't be determined.
func venueOf(t *trade.Trade, reference *market.Reference) (*market.Venue, market.Reason) {
	mic, present := t.Text("venue")
	if present && mic != "" {
		if venue, known := reference.Venue(mic); known {
			return venue, ""
		}
		return nil, market.VenueUnknown
	}
	symbol, _ := t.Text("symbol")
	currency, _ := t.Text("currency")
	if trade.IsCryptoPair(symbol, currency) {
		return reference.Crypto(), ""
	}
	return nil, market.VenueMissing
}

func (c *Context) addCurrency(t *trade.Trade) {
	code, present := t.Text("currency")
	if !present {
		c.lacks(market.CurrencyMissing)
		return
	}
	currency, known := trade.LookupCurrency(code)
	if !known {
		c.lacks(market.CurrencyUnknown)
		return
	}
	if currency.HasMinorUnit {
		c.MinorUnit = &currency.MinorUnit
	}
}

func (c *Context) addISIN(t *trade.Trade) {
	isin, present := t.Text("isin")
	if !present {
		return
	}
	country, known := trade.IssuingCountry(isin)
	if !known {
		c.lacks(market.ISINUnknown)
		return
	}
	c.ISINCountry = country
}
