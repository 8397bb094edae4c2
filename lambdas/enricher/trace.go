package enricher

import (
	"net/http"
	"regexp"
	"strings"
)

// passOn passes the trace to the API: X-Ray's header as it arrived, and the same in W3C Trace Context's form. A
// producer may send any text as a header of X-Ray's; with one that HTTP has no room for, no request would go out, and
// that would count as a failure of the API.
func passOn(traceHeader string, header http.Header) {
	if traceHeader == "" || strings.ContainsFunc(traceHeader, func(r rune) bool { return r < ' ' || r > '~' }) {
		return
	}
	header.Set("X-Amzn-Trace-Id", traceHeader)
	if parent, ok := traceparent(traceHeader); ok {
		header.Set("traceparent", parent)
	}
}

// The parts of X-Ray's header, such as Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1.
var (
	xrayRoot   = regexp.MustCompile(`^1-[0-9a-f]{8}-[0-9a-f]{24}$`)
	xrayParent = regexp.MustCompile(`^[0-9a-f]{16}$`)
)

// traceparent writes X-Ray's header as W3C's version 00. A W3C trace id is X-Ray's without its version and dashes.
func traceparent(xray string) (string, bool) {
	var root, parent string
	flags := "00"
	for part := range strings.SplitSeq(xray, ";") {
		switch name, value, _ := strings.Cut(part, "="); name {
		case "Root":
			root = value
		case "Parent":
			parent = value
		case "Sampled":
			if value == "1" {
				flags = "01"
			}
		}
	}
	if !xrayRoot.MatchString(root) || !xrayParent.MatchString(parent) {
		return "", false
	}
	return "00-" + strings.ReplaceAll(root[len("1-"):], "-", "") + "-" + parent + "-" + flags, true
}
