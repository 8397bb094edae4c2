package stack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"testing"
)

// The body of a dashboard as far as this program uses it. PutDashboard refuses what is unknown or out of range.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
type (
	dashboardBody struct {
		Widgets []dashboardWidget `json:"widgets"`
	}
	dashboardWidget struct {
		Type                string
		X, Y, Width, Height int
		Properties          json.RawMessage
	}
	textProperties struct{ Markdown, Background string }
	graphOptions   struct {
		Title, Region, View string
		Stacked             bool
		Period              *int
		Stat                *string
		Metrics             [][]json.RawMessage
		YAxis               *struct {
			Left struct {
				Label     string
				ShowUnits bool
				Min       int
			}
		}
	}
	lineOptions struct {
		ID, Expression, Label, Stat *string
		Visible                     *bool
	}
)

var (
	statistic = regexp.MustCompile(`^(SampleCount|Average|Sum|Minimum|Maximum|p(\d{1,2}(\.\d{1,10})?|100))$`)
	lineID    = regexp.MustCompile(`^[a-z][a-zA-Z0-9_]*$`)
)

func strictly(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}

// widgetProblem returns what PutDashboard would refuse in a widget; empty if nothing.
func widgetProblem(w dashboardWidget) string {
	if w.X < 0 || w.X > 23 || w.Y < 0 || w.Width < 1 || w.X+w.Width > 24 || w.Height < 1 || w.Height > 1000 {
		return fmt.Sprintf("it is at %d,%d and %d×%d", w.X, w.Y, w.Width, w.Height)
	}
	if w.Type == "text" {
		var p textProperties
		if err := strictly(w.Properties, &p); err != nil || p.Markdown == "" || p.Background != "transparent" && p.Background != "solid" {
			return fmt.Sprintf("text %s (%v)", w.Properties, err)
		}
		return ""
	}
	var p graphOptions
	if err := strictly(w.Properties, &p); err != nil {
		return err.Error()
	}
	switch {
	case w.Type != "metric":
		return "type " + w.Type
	case p.Region == "" || len(p.Metrics) == 0 || len(p.Metrics) > 500:
		return "no region, or no metrics"
	case !slices.Contains([]string{"timeSeries", "singleValue", "gauge", "bar", "pie", "table"}, p.View):
		return "view " + p.View
	case p.Stat != nil && !statistic.MatchString(*p.Stat):
		return fmt.Sprintf("stat %q", *p.Stat)
	case p.Period != nil && *p.Period%60 != 0:
		return fmt.Sprintf("period %d", *p.Period)
	}
	for _, line := range p.Metrics {
		var options lineOptions
		if err := strictly(line[len(line)-1], &options); err != nil {
			return err.Error()
		}
		words := len(line) - 1 // namespace, name, and each dimension's name and value
		switch {
		case options.Expression == nil && (words < 2 || words%2 != 0), options.Expression != nil && words != 0:
			return fmt.Sprintf("a metric of %d words", words)
		case options.Stat != nil && !statistic.MatchString(*options.Stat):
			return fmt.Sprintf("stat %q", *options.Stat)
		case options.ID != nil && !lineID.MatchString(*options.ID):
			return fmt.Sprintf("id %q", *options.ID)
		}
	}
	return ""
}

func TestTheDashboardIsOneThatAWSTakes(t *testing.T) {
	for _, name := range []string{"dev", "prod"} {
		for _, dashboard := range declare(t, name, nil).All("aws:cloudwatch/dashboard:Dashboard") {
			var body dashboardBody
			if err := strictly([]byte(dashboard.Text("dashboardBody")), &body); err != nil {
				t.Fatal(err)
			}
			if n := len(body.Widgets); n == 0 || n > 500 {
				t.Errorf("%s: %d widgets", name, n)
			}
			for i, widget := range body.Widgets {
				if problem := widgetProblem(widget); problem != "" {
					t.Errorf("%s: widget %d: %s", name, i, problem)
				}
			}
		}
	}
}

func TestWhatADashboardMayNotHaveIsSeen(t *testing.T) {
	const metric = `{"region":"us-east-1","view":"timeSeries","metrics":[["AWS/SQS","Depth","QueueName","q",{}]]`
	for want, properties := range map[string]string{
		`stat ""`:                         metric + `,"stat":""}`,
		`json: unknown field "statistic"`: metric + `,"statistic":"Sum"}`,
		"period 90":                       metric + `,"period":90}`,
		"a metric of 3 words":             `{"region":"us-east-1","view":"timeSeries","metrics":[["AWS/SQS","Depth","QueueName",{}]]}`,
		"":                                metric + "}",
	} {
		if got := widgetProblem(dashboardWidget{Type: "metric", Width: 6, Height: 6, Properties: []byte(properties)}); got != want {
			t.Errorf("%s: %q, want %q", properties, got, want)
		}
	}
}
