package metrics

import (
	"fmt"
	"regexp"
	"strings"
)

// A CompositeAlarm is in ALARM if any of the metric alarms in its rule is, and OK otherwise.
type CompositeAlarm struct {
	Name string
	Rule string // ALARM("name or ARN") OR ALARM(…)
}

// maxRule is the longest rule, in bytes.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
const maxRule = 10240

var ruleTerm = regexp.MustCompile(`^\s*ALARM\s*\(\s*"([^"]+)"\s*\)\s*$`)

// alarms returns the names in the rule. It supports the part of CloudWatch's grammar that asks whether any of several
// alarms is on.
func (c CompositeAlarm) alarms() ([]string, error) {
	if c.Name == "" {
		return nil, fmt.Errorf("composite alarm with rule %q: it has no name", c.Rule)
	}
	if len(c.Rule) > maxRule {
		return nil, fmt.Errorf("composite alarm %q: its rule has %d bytes, more than %d", c.Name, len(c.Rule), maxRule)
	}
	var names []string
	for term := range strings.SplitSeq(c.Rule, " OR ") {
		found := ruleTerm.FindStringSubmatch(term)
		if found == nil {
			return nil, fmt.Errorf("composite alarm %q: the term %q of its rule is not supported here; terms are ALARM(\"name\"), joined by OR", c.Name, term)
		}
		name := found[1]
		if strings.HasPrefix(name, "arn:") {
			_, name, _ = strings.Cut(name, ":alarm:")
		}
		names = append(names, name)
	}
	return names, nil
}
