package functiontest

import "strings"

// Hostile are texts that a careless writer of logs, expressions, JSON, XML, addresses or terminals gets wrong. A test
// of each output writes them all, and expects that what reads the output reads these texts and nothing else.
func Hostile() []string {
	return []string{
		// for terminals and line-wise logs
		"\x00", "\x1b[31mred\x1b[0m", "\x1b]0;title\a", "\x1b]8;;http://example.com\x1b\\link\x1b]8;;\x1b\\", "\u009b31m", "\b\b\b\x7f", "one\r\ntwo\n{\"level\":\"ERROR\"}",
		"\u2028\u2029\u0085", "\u202egnp.exe\u2066", "\u200b\ufeff\u00ad", "e\u0301", "\t",
		// for quotes, formats and shells
		`"`, `'`, `\`, "`", `\"`, `\u0000`, `\ud800`, "%s%n%!d", "{{.}}", "${HOME}", "$(reboot)", "; rm -rf /", "../../etc/passwd", "C:\\nul",
		// for markup and spreadsheets
		"<script>alert(1)</script>", "&amp;&#0;", "]]>", "<!-- -->", "<?xml?>", "=1+1", "@SUM(A1)", "+1,-1;\"\"",
		// for expressions and readers of JSON
		"#a = :b", ":v OR 1=1", "attribute_not_exists(tradeId)", "$.a", "$$.Execution.Input", "a.b[0]", "__proto__", "null", "true", "NaN", "1e999", `{"a":1}`, "*", "?",
		// at the edges of Unicode
		"\ufffd", "\ufffe", "\uffff", "\U0001fffe", "\U0010ffff", "\ud7ff\ue000", "İıſK", "ﷺ", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", strings.Repeat("é", 120), strings.Repeat("🙂", 60),
		// for addresses and headers
		"a&b=c#d?e", "%00%zz", " ", "a b", "//evil.example", "Root=1;Sampled=1\r\nHost: evil.example",
	}
}
