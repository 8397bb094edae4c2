package components

import (
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const dashboardType = "trade-processing:components:Dashboard"

// DashboardArgs are the arguments of NewDashboard.
type DashboardArgs struct {
	// Scope is where the component is created. Default: the account and region of its provider.
	Scope Scope

	// DashboardName is the physical name: up to 255 letters, digits, - and _. It is part of the URL.
	DashboardName string `pulumi:"dashboardName"`

	// Questions are answered from top to bottom, each by a row of graphs.
	Questions []Question `pulumi:"questions"`
}

// Question is a row of the dashboard.
type Question struct {
	// Text is the row's heading.
	Text string `pulumi:"text"`

	// Graphs share the row: 1, 2, 3, 4 or 6.
	Graphs []Graph `pulumi:"graphs"`
}

// Graph is one graph of a dashboard.
type Graph struct {
	// Title is shown above the graph.
	Title string `pulumi:"title"`

	// Metrics are its lines.
	Metrics []Metric `pulumi:"metrics"`

	// Stat is the statistic for metrics without their own, such as Sum.
	Stat string `pulumi:"stat,optional"`

	// Unit is the label of the axis, such as "USD per hour".
	Unit string `pulumi:"unit,optional"`
}

// Metric is one line of a graph: a CloudWatch metric, or an expression over others.
type Metric struct {
	// Namespace is the metric's namespace, such as AWS/SQS.
	Namespace string `pulumi:"namespace,optional"`

	// Name is the metric's name.
	Name string `pulumi:"name,optional"`

	// Dimensions distinguish this metric from others with its name.
	Dimensions []Dimension `pulumi:"dimensions,optional"`

	// Expression is metric math, instead of the three above.
	Expression string `pulumi:"expression,optional"`

	// ID is how an expression refers to it: it begins with a lower-case letter and is unique in its graph.
	ID string `pulumi:"id,optional"`

	// Label names the line.
	Label string `pulumi:"label,optional"`

	// Stat is the statistic, such as p99. Default: the graph's.
	Stat string `pulumi:"stat,optional"`

	// Hidden hides the line: only an expression uses it.
	Hidden bool `pulumi:"hidden,optional"`
}

// Dimension distinguishes metrics with the same name.
type Dimension struct {
	// Name is the dimension's name, such as QueueName.
	Name string `pulumi:"name"`

	// Value is the dimension's value.
	Value string `pulumi:"value"`
}

// Dashboard is a CloudWatch dashboard.
type Dashboard struct {
	pulumi.ResourceState

	// URL opens the dashboard in the console.
	URL pulumi.StringOutput `pulumi:"url"`
}

// The grid of CloudWatch dashboards is 24 wide.
const (
	gridWidth   = 24
	titleHeight = 1
	graphHeight = 6
	graphPeriod = 60 // seconds
)

// NewDashboard creates a Dashboard.
func NewDashboard(ctx *pulumi.Context, name string, given *DashboardArgs, opts ...pulumi.ResourceOption) (*Dashboard, error) {
	args := *given
	d := &Dashboard{}
	if err := register(ctx, dashboardType, name, d, &args.Scope, args.check, opts); err != nil {
		return nil, err
	}
	d.URL = pulumi.String(args.url()).ToStringOutput()
	body, err := json.Marshal(map[string]any{"widgets": args.widgets()})
	if err != nil {
		return nil, fmt.Errorf("rendering dashboard %s: %w", name, err)
	}
	_, err = cloudwatch.NewDashboard(ctx, name+"-dashboard", &cloudwatch.DashboardArgs{
		DashboardName: pulumi.String(args.DashboardName),
		DashboardBody: pulumi.String(body),
	}, pulumi.Parent(d))
	if err != nil {
		return nil, fmt.Errorf("creating dashboard %s: %w", name, err)
	}
	return d, registerOutputs(ctx, name, d)
}

func (args *DashboardArgs) check(name string) error {
	a := &arguments{component: name}
	a.scope(args.Scope)
	a.name("DashboardName", args.DashboardName, dashboardName)
	if len(args.Questions) == 0 {
		a.problem("Questions", "is empty")
	}
	for i, question := range args.Questions {
		if n := len(question.Graphs); n == 0 || gridWidth%n != 0 {
			a.problem(fmt.Sprintf("Questions[%d].Graphs", i), "has %d graphs; 1, 2, 3, 4 or 6 fill a row", n)
		}
	}
	return a.err()
}

// consoles are the addresses of AWS's consoles by partition.
var consoles = map[string]string{
	"aws": "console.aws.amazon.com", "aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com",
}

func (args *DashboardArgs) url() string {
	return fmt.Sprintf("https://%s/cloudwatch/home?region=%s#dashboards:name=%s", consoles[args.Scope.Partition], args.Scope.Region, args.DashboardName)
}

// widget is a part of a dashboard's body
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html).
type widget struct {
	Type       string         `json:"type"`
	X          int            `json:"x"`
	Y          int            `json:"y"`
	Width      int            `json:"width"`
	Height     int            `json:"height"`
	Properties map[string]any `json:"properties"`
}

func (args *DashboardArgs) widgets() []widget {
	var made []widget
	y := 0
	for _, question := range args.Questions {
		made = append(made, widget{
			Type: "text", Y: y, Width: gridWidth, Height: titleHeight,
			Properties: map[string]any{"markdown": "## " + question.Text, "background": "transparent"},
		})
		y += titleHeight
		width := gridWidth / len(question.Graphs)
		for i, graph := range question.Graphs {
			made = append(made, widget{
				Type: "metric", X: i * width, Y: y, Width: width, Height: graphHeight,
				Properties: graph.properties(args.Scope.Region),
			})
		}
		y += graphHeight
	}
	return made
}

func (g Graph) properties(region string) map[string]any {
	var lines [][]any
	for _, metric := range g.Metrics {
		lines = append(lines, metric.line())
	}
	properties := map[string]any{
		"title": g.Title, "region": region, "view": "timeSeries", "stacked": false, "period": graphPeriod, "metrics": lines,
	}
	if g.Stat != "" { // an empty one is refused
		properties["stat"] = g.Stat
	}
	if g.Unit != "" {
		properties["yAxis"] = map[string]any{"left": map[string]any{"label": g.Unit, "showUnits": false, "min": 0}}
	}
	return properties
}

// line returns a metric in a dashboard's form: namespace, name, dimensions, and how to show it.
func (m Metric) line() []any {
	show := map[string]any{}
	for key, value := range map[string]string{"id": m.ID, "label": m.Label, "stat": m.Stat, "expression": m.Expression} {
		if value != "" {
			show[key] = value
		}
	}
	if m.Hidden {
		show["visible"] = false
	}
	if m.Expression != "" {
		return []any{show}
	}
	line := []any{m.Namespace, m.Name}
	for _, dimension := range m.Dimensions {
		line = append(line, dimension.Name, dimension.Value)
	}
	return append(line, show)
}
