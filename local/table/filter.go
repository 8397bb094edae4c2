package table

// A filter remembers keys by their hashes, in some 2 bytes each. It may say of a few others that they are known too. Most keys are
// looked for before they are written for the first time: it answers that without the disk.
//
// It is a Bloom filter: bits in parts, each twice as large as the one before, because a part can't grow.
type filter struct {
	parts [][]uint64
	room  int // in the last part, in keys
}

const (
	firstPart  = 1 << 12 // words: for some 20,000 keys
	bitsPerKey = 13
	probes     = 6
)

func (f *filter) add(hash uint64) {
	if f.room == 0 {
		words := firstPart << len(f.parts)
		f.parts = append(f.parts, make([]uint64, words))
		f.room = words * 64 / bitsPerKey
	}
	f.room--
	last := f.parts[len(f.parts)-1]
	for i := range uint64(probes) {
		word, bit := probe(last, hash, i)
		last[word] |= bit
	}
}

func (f *filter) knows(hash uint64) bool {
	for _, part := range f.parts {
		all := true
		for i := uint64(0); all && i < probes; i++ {
			word, bit := probe(part, hash, i)
			all = part[word]&bit != 0
		}
		if all {
			return true
		}
	}
	return false
}

// probe returns one of a hash's places.
func probe(part []uint64, hash, i uint64) (word, bit uint64) {
	place := hash + i*(hash>>32|1)
	return place / 64 % uint64(len(part)), 1 << (place % 64)
}
