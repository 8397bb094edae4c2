package enricher

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/url"
	"unicode/utf8"

	"trade-processing/lambdas/market"
)

const (
	// maxResponse is how many bytes of answer are read, and how many it may have as passed on. The recorder stores a
	// context of at most 64 KiB; 2 KiB are for the rest of it.
	maxResponse = 62 << 10

	// maxResponseLevels is how deep an answer may be nested. JSON readers further on have their own limits.
	maxResponseLevels = 32
)

// readObject reads an answer that must be a JSON object. Its numbers stay the literals that were sent.
func readObject(ctx context.Context, endpoint *url.URL, body io.Reader) (json.RawMessage, error) {
	raw, err := io.ReadAll(io.LimitReader(body, maxResponse+1))
	switch {
	case err != nil:
		return nil, failureOf(ctx, endpoint, err)
	case len(raw) > maxResponse:
		return nil, fail(market.APIResponseTooLarge, "the answer has more than %d bytes", maxResponse)
	case !utf8.Valid(raw):
		return nil, fail(market.APIResponseInvalid, "the answer is not UTF-8")
	}
	// Marshalling will write it compactly and with <, > and & escaped; doing so here shows its final length, up to six
	// times what was read.
	var compact, escaped bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return nil, fail(market.APIResponseInvalid, "the answer is not JSON: %w", err)
	}
	json.HTMLEscape(&escaped, compact.Bytes())
	switch object := escaped.Bytes(); {
	case object[0] != '{':
		return nil, fail(market.APIResponseInvalid, "the answer is not a JSON object")
	case levels(object) > maxResponseLevels:
		return nil, fail(market.APIResponseInvalid, "the answer is nested deeper than %d levels", maxResponseLevels)
	case len(object) > maxResponse:
		return nil, fail(market.APIResponseTooLarge, "the answer has more than %d bytes once its <, > and & are escaped", maxResponse)
	default:
		return object, nil
	}
}

// levels returns how deep objects and arrays are nested in valid JSON.
func levels(text []byte) int {
	deepest, level, inString := 0, 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			inString = !inString
		case inString && c == '\\':
			i++ // the escaped character may be a quotation mark
		case inString:
		case c == '{' || c == '[':
			level++
			deepest = max(deepest, level)
		case c == '}' || c == ']':
			level--
		}
	}
	return deepest
}
