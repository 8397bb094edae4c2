package trade_test

import (
	"encoding/json"
	"testing"

	"trade-processing/lambdas/trade"
)

const benchDetail = `{"tradeId":"lean-spy-20131008-000001","amount":"35158.2","currency":"USD","sourceSystem":"system1","symbol":"SPY","price":"167.42","quantity":"210","venue":"XNAS","executedAt":"2013-10-08T04:00:17.034-04:00","saleConditions":"2000"}`

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := trade.Parse([]byte(benchDetail)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	parsed := mustParse(b, benchDetail)
	b.ReportAllocs()
	for b.Loop() {
		if verdict := rules.Check(parsed, arrival); !verdict.Valid {
			b.Fatal(verdict.Violations)
		}
	}
}

// A trade with every field that the rules know.
func BenchmarkCheckAllFields(b *testing.B) {
	data, err := json.Marshal(validDetail())
	if err != nil {
		b.Fatal(err)
	}
	parsed := mustParse(b, string(data))
	b.ReportAllocs()
	for b.Loop() {
		if verdict := rules.Check(parsed, arrival); !verdict.Valid {
			b.Fatal(verdict.Violations)
		}
	}
}

func BenchmarkDigest(b *testing.B) {
	parsed := mustParse(b, benchDetail)
	b.ReportAllocs()
	for b.Loop() {
		parsed.Digest()
	}
}

func BenchmarkParseDecimal(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := trade.ParseDecimal("35158.2"); err != nil {
			b.Fatal(err)
		}
	}
}
