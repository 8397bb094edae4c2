package trade

import (
	"crypto/sha256"
	"encoding/hex"

	"trade-processing/lambdas/jsontext"
)

// Canonical returns the one form of the trade that is stored and hashed: JSON without insignificant white space, names
// sorted by code point, every number literal exactly as received, and every string with the characters received,
// escaped in the one way that RFC 8785 prescribes: \" \\ \b \t \n \f \r, \u00xx for the other control characters, and
// nothing else. Services on the way reorder names and escape characters differently; that must not make it another
// trade.
//
// Numbers are deliberately left alone (RFC 8785 would turn them into binary floats): 1.10 and 1.1 have different
// digests.
func (t *Trade) Canonical() []byte {
	return t.detail.appendTo(make([]byte, 0, 512))
}

// Digest returns the SHA-256 of the canonical form in lower-case hexadecimal. `printf %s "$TRADE" | sha256sum` on the
// stored text gives the same.
func (t *Trade) Digest() string {
	return DigestOf(t.Canonical())
}

// DigestOf returns the digest of a canonical form.
func DigestOf(canonical []byte) string {
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:])
}

func (v value) appendTo(b []byte) []byte {
	switch v.kind {
	case object:
		b = append(b, '{')
		for i, m := range v.children {
			if i > 0 {
				b = append(b, ',')
			}
			b = jsontext.AppendString(b, m.name)
			b = append(b, ':')
			b = m.value.appendTo(b)
		}
		return append(b, '}')
	case array:
		b = append(b, '[')
		for i, m := range v.children {
			if i > 0 {
				b = append(b, ',')
			}
			b = m.value.appendTo(b)
		}
		return append(b, ']')
	case text:
		return jsontext.AppendString(b, v.text)
	case number, boolean:
		return append(b, v.text...)
	default:
		return append(b, "null"...)
	}
}
