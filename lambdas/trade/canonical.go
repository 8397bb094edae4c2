package trade

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"strconv"

	"trade-processing/lambdas/jsontext"
)

// Canonical returns the one form of the trade that is stored and hashed: RFC 8785 (JSON Canonicalization Scheme), so
// any library for it computes the same. Names are sorted, white space goes, and every string keeps its characters,
// escaped in one way. A number is spelled by its value as an IEEE 754 double, since Step Functions handles numbers so:
// 1.10 may reach a function as 1.1, which must not make it another trade.
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-state-machine-data.html
//
// RFC 8785 has no form for a number beyond a double's range, such as 1e400. It keeps its spelling.
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
	case number:
		return appendNumber(b, v.text)
	case boolean:
		return append(b, v.text...)
	default:
		return append(b, "null"...)
	}
}

// appendNumber spells a JSON number as ECMAScript does (RFC 8785, section 3.2.2.3): the fewest digits that give the
// same double, without an exponent from 1e-6 to below 1e21.
func appendNumber(b []byte, literal string) []byte {
	f, err := strconv.ParseFloat(literal, 64)
	switch size := math.Abs(f); {
	case err != nil: // out of range
		return append(b, literal...)
	case f == 0:
		return append(b, '0') // -0 too
	case size >= 1e-6 && size < 1e21:
		return strconv.AppendFloat(b, f, 'f', -1, 64)
	}
	b = strconv.AppendFloat(b, f, 'e', -1, 64)
	if n := len(b); b[n-4] == 'e' && b[n-2] == '0' { // Go's e-07 is ECMAScript's e-7
		b[n-2] = b[n-1]
		b = b[:n-1]
	}
	return b
}
