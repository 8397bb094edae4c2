package rules

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// What is found by its ending is what looking at each mention finds.
func TestMentionsAreFoundAsByLookingAtAll(t *testing.T) {
	texts := []property.Value{
		property.New(property.Null), property.New(property.Computed), property.New(""), property.New("orders"), property.New("a/orders"), property.New("orders/"),
		property.New("arn:aws:sqs:us-east-1:111122223333:orders"), property.New("arn:aws:sqs:us-east-1:111122223333:a/orders"),
		property.New("https://sqs.us-east-1.amazonaws.com/111122223333/orders"), property.New([]property.Value{property.New("other"), property.New("table/orders")}),
	}
	sources := []map[string][]string{nil, {"of": {"urn:other"}}, {"of": {"urn:to"}}}
	answers := map[answer]int{}
	for _, given := range texts {
		for _, source := range sources {
			by := &Resource{Declared: Declared{Properties: property.NewMap(map[string]property.Value{"of": given}), PropertyDependencies: source}}
			found := newMentions([]mention{{by, "of", by.At("of")}})
			for _, arn := range texts {
				for _, name := range texts {
					for _, url := range texts {
						to := &Resource{Declared: Declared{URN: "urn:to", Properties: property.NewMap(map[string]property.Value{"arn": arn, "name": name, "url": url})}}
						want := by.refers("of", to)
						answers[want]++
						if got := found.name(to); got != want {
							t.Errorf("%v, made of %v, and arn %v, name %v, url %v: %v, want %v", given, source, arn, name, url, got, want)
						}
					}
				}
			}
		}
	}
	if len(answers) != 3 {
		t.Errorf("the answers are %v", answers)
	}
}
