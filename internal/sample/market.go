package sample

import (
	"strconv"
	"time"
)

// market is one source system and what is traded there.
type market struct {
	source string
	times  *timetable
	left   int64 // trades still to come
	number int64 // of the last trade

	nextAt  time.Time
	nextDay day

	// trade fills in the fields of a trade that has its time, day and id. The fields common to all trades come first.
	trade func(c *chance, d *draft, on day)
}

// newMarket prepares n trades of a source.
func newMarket(c *chance, source string, n int64, hours []stretch, trade func(*chance, *draft, day)) *market {
	m := &market{source: source, times: newTimetable(hours, n), left: n, trade: trade}
	if n > 0 {
		m.nextAt, m.nextDay = m.times.next(c)
	}
	return m
}

// next returns the market's next trade, entirely valid, with a unique id.
func (m *market) next(c *chance, seed uint64) *draft {
	m.left--
	m.number++
	id := m.source + "-" + strconv.FormatUint(seed, 10) + "-" + m.nextAt.Format("20060102") + "-" + strconv.FormatInt(m.number, 10)
	d := &draft{source: "trading." + m.source, at: m.nextAt, fields: make([]field, 0, 14)}
	d.set("tradeId", text(id))
	d.set("sourceSystem", text(m.source))
	m.trade(c, d, m.nextDay)
	if m.left > 0 {
		m.nextAt, m.nextDay = m.times.next(c)
	}
	return d
}

// instrument is something that is traded, at a price that wanders around its start.
type instrument struct {
	symbol   string
	currency string
	start    decimal
	median   decimal // of quantities
	isin     string  // where it has one
	now      int64   // the current price in units of start's scale; 0 before the first trade
}

// walk moves the price by up to 0.08 % and returns it. Beyond 12 % from the start it only moves back.
func (i *instrument) walk(c *chance) decimal {
	if i.now == 0 {
		i.now = i.start.units
	}
	step := max(1, i.now*c.below(9)/10_000)
	up := c.oneIn(2)
	if off := i.now - i.start.units; off*100 > i.start.units*12 {
		up = false
	} else if off*100 < -i.start.units*12 {
		up = true
	}
	if !up {
		step = -step
	}
	i.now = max(1, i.now+step)
	return decimal{i.now, i.start.scale}
}

// size draws a quantity: log-normal, and now and then a block fifty times as large.
func (i *instrument) size(c *chance) decimal {
	units := c.logNormal(i.median.units)
	units += c.below(i.median.units/1000 + 1) // digits below those that the quantiles have
	if c.oneIn(2000) {
		units *= 50
	}
	return decimal{units, i.median.scale}
}
