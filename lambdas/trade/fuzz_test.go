package trade_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"trade-processing/lambdas/trade"
)

// seeds are details of every kind that the tables know.
func seeds(f *testing.F) {
	f.Helper()
	for _, detail := range []string{
		`{"tradeId":"lean-spy-20131008-000001","amount":"35158.2","currency":"USD","sourceSystem":"system1","symbol":"SPY","price":"167.42","quantity":"210","venue":"XNAS","executedAt":"2013-10-08T04:00:17.034-04:00","saleConditions":"2000"}`,
		`{"tradeId":"lean-gc201310-20131007-000001","amount":1313.8,"currency":"USD","sourceSystem":"system3","symbol":"GCV13","price":"1313.8","quantity":"1"}`,
		`{"tradeId":"t","isin":"US0378331005","counterpartyLei":"7LTWFZYICNSX8D621K86","side":"BUY","account":" A"}`,
		`{"tradeId":"t","amount":1e999999999,"price":"0x1","quantity":-0.0,"executedAt":"2024-05-28T13:29:59,5Z"}`,
		`{"tradeId":"t","x":[1.10,{"\u00e9\ud83d\ude00":"\n\/\u2028"},null,true,[]]}`,
		`{"tradeId":"t","x":"\ud83d"}`,
		`{"tradeId":"t","a":1,"\u0061":2}`,
		`{"tradeId":"t","x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`,
		` {"tradeId" : "t" } `,
		`{"tradeId":5}`, `[]`, `null`, `{`, ``, "{\"tradeId\":\"\xff\"}",
	} {
		f.Add([]byte(detail))
	}
}

// FuzzParse checks Parse and the rules against encoding/json: what Parse accepts is JSON with the same content, and
// nothing panics on what it refuses.
func FuzzParse(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, detail []byte) {
		parsed, err := trade.Parse(detail)
		if err != nil {
			malformed, ok := errors.AsType[*trade.MalformedError](err)
			if says := "not valid JSON"; ok && utf8.Valid(detail) && len(detail) > 0 && json.Valid(detail) == strings.Contains(malformed.Reason, says) {
				t.Fatalf("%q: %v", detail, err)
			}
			if !ok || len(malformed.Reason) > 1000 || !utf8.ValidString(malformed.Reason) {
				t.Fatalf("error %q of type %T", err, err)
			}
			return
		}
		members, ok := decode(t, detail).(map[string]any)
		if !ok || members["tradeId"] != parsed.ID {
			t.Fatalf("encoding/json reads %v, Parse tradeId %q", members, parsed.ID)
		}
		for name, v := range members {
			s, isText := v.(string)
			if got, ok := parsed.Text(name); ok != isText || got != s {
				t.Fatalf("%q is %q (%v), Text says %q (%v)", name, s, isText, got, ok)
			}
		}
		verdict := rules.Check(parsed, arrival)
		if verdict.Valid != (len(verdict.Violations) == 0) {
			t.Fatalf("%+v", verdict)
		}
		for _, v := range verdict.Violations {
			if !utf8.ValidString(v.Message) || len(v.Message) > 1000 {
				t.Fatalf("%s: %q", v.Code, v.Message)
			}
		}
		parsed.VersionTime(arrived)
	})
}

// FuzzCanonical checks the canonical form's promises: it is its own fixed point, no larger than allowed, and has the
// same content.
func FuzzCanonical(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, detail []byte) {
		parsed, err := trade.Parse(detail)
		if err != nil {
			t.Skip()
		}
		canonical := parsed.Canonical()
		if len(canonical) > trade.MaxBytes {
			t.Fatalf("%d bytes", len(canonical))
		}
		again, err := trade.Parse(canonical)
		if err != nil {
			t.Fatalf("%s: %v", canonical, err)
		}
		if !bytes.Equal(again.Canonical(), canonical) || again.Digest() != parsed.Digest() {
			t.Fatalf("once\n%s, twice\n%s", canonical, again.Canonical())
		}
		if sent, kept := byValue(decode(t, detail)), byValue(decode(t, canonical)); !reflect.DeepEqual(sent, kept) {
			t.Fatalf("sent\n%v, kept\n%v", sent, kept)
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, canonical); err != nil || !bytes.Equal(compact.Bytes(), canonical) {
			t.Fatalf("%s has insignificant white space, %v", canonical, err)
		}
	})
}

// FuzzParseDecimal checks decimals against math/big: the same value, and the grammar of JSON numbers.
func FuzzParseDecimal(f *testing.F) {
	for _, text := range []string{"35158.2", "0.0000586105", "-37.63", "3.844E-5", "0", "-0.0", "1e999999999", "1e-131", "9.99e125",
		strings.Repeat("9", 39), "0x10", "1_000", "+1", " 1", "NaN", "Infinity", "1e", "1.", ".1", "007", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := trade.ParseDecimal(text)
		isNumber := json.Valid([]byte(text)) && strings.Trim(text, " \t\r\n") == text && strings.IndexAny(text, "-0123456789") == 0
		if isNumber == errors.Is(err, trade.ErrNotDecimal) {
			t.Fatalf("%q: %v, but it is a JSON number: %v", text, err, isNumber)
		}
		if err != nil {
			return
		}
		if _, exponent, _ := strings.Cut(strings.ToLower(text), "e"); len(exponent) > 4 {
			return // math/big would write the number out
		}
		if rational(t, d.String()).Cmp(rational(t, text)) != 0 {
			t.Fatalf("%q became %s", text, d)
		}
		if most := new(big.Int).Exp(big.NewInt(10), big.NewInt(126), nil); new(big.Rat).Abs(rational(t, d.String())).Cmp(new(big.Rat).SetInt(most)) >= 0 {
			t.Fatalf("%q is 1E126 or more", text)
		}
	})
}
