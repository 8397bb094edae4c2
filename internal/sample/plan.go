package sample

import (
	"slices"

	"trade-processing/lambdas/trade"
)

// kind is one thing that an entry of the sample can be.
type kind struct {
	name  string
	share int64 // of 100,000 entries
	// make returns an entry of the kind, or nil if there is none yet, such as a duplicate before the first trade.
	make func(*stream) *draft

	codes   []trade.Code // of the violations that it has
	outcome outcome
}

// outcome is what a run must do with an entry.
type outcome int

const (
	recorded  outcome = iota
	corrected         // recorded, as another version
	cancelled         // likewise
	rejected
	duplicate
	conflict
	malformed
	notMatched
)

// The shares of what goes wrong, per 100,000 entries. The rest is recorded.
const (
	rejectedShare  = 3_000
	malformedShare = 400
	duplicateShare = 1_000 // later in the stream
	adjacentShare  = 500   // duplicates right behind the trade
	conflictShare  = 300
	correctShare   = 300
	cancelShare    = 200
	legacyShare    = 1_000
)

// kinds returns every kind of entry in the sample. The first is what the others leave over.
func kinds() []kind {
	all := []kind{
		{name: "valid", outcome: recorded, make: (*stream).valid},
		{name: "duplicate later", share: duplicateShare, outcome: duplicate, make: (*stream).laterDuplicate},
		{name: "duplicate right behind", share: adjacentShare, outcome: duplicate, make: (*stream).adjacentDuplicate},
		{name: "correction", share: correctShare, outcome: corrected, make: (*stream).correction},
		{name: "cancel", share: cancelShare, outcome: cancelled, make: (*stream).cancel},
		{name: "conflict", share: conflictShare, outcome: conflict, make: (*stream).conflict},
		{name: "source without a rule", share: legacyShare, outcome: notMatched, make: (*stream).legacy},
	}
	faults := faults()
	for _, f := range faults {
		all = append(all, kind{name: f.name, share: rejectedShare / int64(len(faults)), outcome: rejected, codes: f.codes,
			make: func(s *stream) *draft { return s.broken(f.apply) }})
	}
	damages := damages()
	for _, d := range damages {
		all = append(all, kind{name: d.name, share: malformedShare / int64(len(damages)), outcome: malformed,
			make: func(s *stream) *draft { return s.broken(d.apply) }})
	}
	return all
}

// plan returns how many entries of each kind a sample of count has.
func plan(kinds []kind, count int) []int64 {
	quotas := make([]int64, len(kinds))
	quotas[0] = int64(count)
	for i, k := range kinds[1:] {
		quota := int64(count) * k.share / 100_000
		if count >= Everything {
			quota = max(quota, 1)
		}
		quotas[i+1] = quota
		quotas[0] -= quota
	}
	return quotas
}

// recent is how many trades a duplicate, conflict, correction or cancel can be of.
const recent = 512

// stream makes a sample's entries one by one.
type stream struct {
	chance  *chance
	seed    uint64
	kinds   []kind
	quotas  []int64 // entries of each kind still to come
	left    int64   // their sum
	markets []*market

	// unused are recent valid trades that no other entry is about. A trade never has a duplicate and a conflict: which
	// of three is recorded would depend on their order.
	unused []*draft
	last   *draft // the entry before, if it is one of unused
}

func newStream(seed uint64, count int) *stream {
	s := &stream{chance: newChance(seed), seed: seed, kinds: kinds(), left: int64(count)}
	s.quotas = plan(s.kinds, count)
	fresh := int64(count)
	for i, k := range s.kinds {
		if slices.Contains([]outcome{corrected, cancelled, duplicate, conflict}, k.outcome) {
			fresh -= s.quotas[i]
		}
	}
	system2, system3 := fresh*30/100, fresh*15/100
	s.markets = []*market{
		equities(s.chance, fresh-system2-system3),
		crypto(s.chance, system2),
		gold(s.chance, system3),
	}
	return s
}

// next draws an entry. All remaining entries are equally likely, so the kinds are scattered over the stream and each
// comes exactly as often as planned.
func (s *stream) next() *draft {
	at := s.chance.below(s.left)
	chosen := 0
	for at >= s.quotas[chosen] {
		at -= s.quotas[chosen]
		chosen++
	}
	entry := s.kinds[chosen].make(s)
	if entry == nil {
		// Nothing to repeat yet. Valid trades make up nine tenths of any sample, so one is always left here.
		chosen = 0
		entry = s.valid()
	}
	s.quotas[chosen]--
	s.left--
	return entry
}

// fresh returns the next trade of whichever market is due.
func (s *stream) fresh() *draft {
	var due *market
	for _, m := range s.markets {
		if m.left > 0 && (due == nil || m.nextAt.Before(due.nextAt)) {
			due = m
		}
	}
	s.last = nil
	return due.next(s.chance, s.seed)
}

func (s *stream) valid() *draft {
	d := s.fresh()
	s.last = d
	if len(s.unused) < recent {
		s.unused = append(s.unused, d)
	} else {
		s.unused[s.chance.below(recent)] = d
	}
	return d
}

// broken returns a trade that the function has spoilt.
func (s *stream) broken(spoil func(*draft)) *draft {
	d := s.fresh()
	spoil(d)
	return d
}

// legacy returns a trade of a system that was switched off, or should have been: no rule of the bus matches it.
func (s *stream) legacy() *draft {
	d := s.fresh()
	d.source = "trading.legacy"
	d.set("sourceSystem", text("legacy"))
	return d
}

// laterDuplicate repeats an earlier trade. Every other one has its fields in a different order, which is the same
// trade.
func (s *stream) laterDuplicate() *draft {
	if len(s.unused) == 0 {
		return nil
	}
	again := s.take(int(s.chance.below(int64(len(s.unused))))).like()
	again.reversed = s.chance.oneIn(2)
	return again
}

// adjacentDuplicate repeats the previous entry byte for byte, like a retrying producer.
func (s *stream) adjacentDuplicate() *draft {
	i := slices.Index(s.unused, s.last)
	if s.last == nil || i < 0 {
		return s.laterDuplicate()
	}
	return s.take(i).like()
}

// conflict returns another version of an earlier trade: the same id and time, and, of a valid trade too, another
// quantity and amount.
func (s *stream) conflict() *draft {
	if len(s.unused) == 0 {
		return nil
	}
	other := s.take(int(s.chance.below(int64(len(s.unused))))).like()
	other.deal(other.price, other.quantity.plus(other.quantity.units))
	return other
}

// correction returns a correction of an earlier trade: the same trade in another quantity.
func (s *stream) correction() *draft {
	other := s.amendable()
	if other != nil {
		other.act(trade.Correct)
		other.deal(other.price, other.quantity.plus(other.quantity.units))
	}
	return other
}

// cancel returns the cancel of an earlier trade. Every other one has no more than it must.
func (s *stream) cancel() *draft {
	other := s.amendable()
	if other != nil {
		other.act(trade.Cancel)
		if s.chance.oneIn(2) {
			other.remove("amount", "currency", "price", "quantity")
		}
	}
	return other
}

// amendable returns a copy of an earlier trade that has its time of execution, by which others name it.
func (s *stream) amendable() *draft {
	if len(s.unused) == 0 {
		return nil
	}
	begin := int(s.chance.below(int64(len(s.unused))))
	for i := range s.unused {
		at := (begin + i) % len(s.unused)
		if s.unused[at].index("executedAt") >= 0 {
			return s.take(at).like()
		}
	}
	return nil
}

// take removes a trade from the unused ones.
func (s *stream) take(i int) *draft {
	d := s.unused[i]
	last := len(s.unused) - 1
	s.unused[i] = s.unused[last]
	s.unused[last] = nil
	s.unused = s.unused[:last]
	s.last = nil
	return d
}
