package console

import (
	"cmp"
	"embed"
	"encoding/json"
	"html/template"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	"trade-processing/internal/exitcode"
	"trade-processing/internal/terminal"
)

//go:embed templates
var templateFiles embed.FS

// templates escape what they are given for the place where it stands. Text from outside goes through text besides: what
// can't be seen, or reorders what can, is replaced.
var templates = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("").Funcs(template.FuncMap{
		"text": terminal.Safe, "cause": cause, "count": count, "seconds": func(n *float64) string { return terminal.Duration(time.Duration(*n * float64(time.Second))) }, "whole": func(n int64) string { return terminal.Count(n) }, "ms": milliseconds, "moment": moment,
		"took": took, "json": indented, "plural": terminal.Plural[int64], "lower": strings.ToLower, "data": data, "number": func(n float64) string { return strconv.FormatFloat(n, 'f', 1, 64) },
		"short": func(digest string) string { return digest[:min(12, len(digest))] }, "known": func(n float64) bool { return !math.IsNaN(n) },
		"add": func(a, b float64) float64 { return a + b }, "market": market, "first": func(word string) string { return word[:min(1, len(word))] },
		"millis": func(n int64) string { return moment(time.UnixMilli(n)) }, "times": func(a float64, b int) float64 { return a * float64(b) },
	}).ParseFS(templateFiles, "templates/*.html"))
})

// count writes how often something happened: 1,234,567.
func count(n float64) string { return terminal.Count(int64(math.Round(n))) }

// milliseconds writes a duration that CloudWatch gives in milliseconds; – if it is unknown.
func milliseconds(n float64) string {
	if math.IsNaN(n) {
		return "–"
	}
	return terminal.Duration(time.Duration(n * float64(time.Millisecond)))
}

// moment writes a time, in UTC as everywhere; – if it is unknown.
func moment(at time.Time) string {
	if at.IsZero() {
		return "–"
	}
	return at.UTC().Format("2006-01-02 15:04:05.000")
}

// took writes a duration between times that Step Functions gives in milliseconds; – if it is unknown.
func took(d time.Duration) string {
	switch {
	case d < 0:
		return "–"
	case d < time.Millisecond:
		return "< 1 ms"
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	}
	return terminal.Duration(d)
}

// cause is what an error says, without what services wrap around it: a cause may be JSON whose field has JSON again.
func cause(text string) string {
	for {
		var wrapped struct {
			Message string `json:"errorMessage"` // https://docs.aws.amazon.com/lambda/latest/dg/golang-exceptions.html
			Cause   string
		}
		if json.Unmarshal([]byte(text), &wrapped) != nil || wrapped.Message+wrapped.Cause == "" {
			return text
		}
		text = cmp.Or(wrapped.Message, wrapped.Cause)
	}
}

// data writes what a script reads from an attribute.
func data(value any) (string, error) {
	text, err := json.Marshal(value)
	return string(text), err
}

// market writes market context as JSON with its external part, which is JSON in a string, as it is.
func market(context map[string]any) (string, error) {
	text, err := json.MarshalIndent(context, "", "  ")
	return string(text), err
}

func isNotFound(err error) bool {
	code, _ := exitcode.Of(err)
	return code == exitcode.NotFound
}

func isUsage(err error) bool {
	code, _ := exitcode.Of(err)
	return code == exitcode.Usage
}
