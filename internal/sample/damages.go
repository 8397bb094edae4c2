package sample

import (
	"strings"

	"trade-processing/lambdas/trade"
)

// damage makes a trade unidentifiable: MalformedTrade, straight to the dead-letter queue. The bus still accepts it,
// because it only checks that the detail is a JSON object.
type damage struct {
	name  string
	apply func(*draft)
}

func damages() []damage {
	id := func(name, value string) damage {
		return damage{name: name, apply: func(d *draft) { d.set("tradeId", value) }}
	}
	return []damage{
		{"no tradeId", func(d *draft) { d.remove("tradeId") }},
		id("a tradeId of null", "null"),
		id("a tradeId that is a number", "42"),
		id("an empty tradeId", `""`),
		id("a tradeId with a space and a slash", `"T 2026/0001"`),
		id("a tradeId that is too long", text(strings.Repeat("9", trade.MaxIDLength+1))),
		{"a detail nested too deep", func(d *draft) {
			d.set("legs", strings.Repeat("[", trade.MaxLevels)+strings.Repeat("]", trade.MaxLevels))
		}},
		{"a detail that is too large", func(d *draft) { d.set("notes", text(strings.Repeat("lorem ipsum ", trade.MaxBytes/12))) }},
	}
}
