package console

import (
	"context"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"golang.org/x/sync/errgroup"

	"trade-processing/internal/operate"
	"trade-processing/internal/terminal"
	"trade-processing/lambdas/recorder"
)

// overview is the first view: is everything all right, and how much flows.
type overview struct {
	Span     span
	Spans    []span
	Outcomes *chart
	Sources  *chart
	Latency  *chart
	Stages   []stageTimes
	Flow     string // why the charts are missing

	Alarms   []operate.Alarm
	Alarming int
	NoAlarms string

	Queues   []operate.QueueState
	Letters  int64
	NoQueues string

	Replicas   []replica
	NoReplicas string
}

// stageTimes is how a stage did over the whole window.
type stageTimes struct {
	Name             string
	Calls            float64
	P50, P95, P99    float64 // milliseconds; NaN if it wasn't called
	Errors, Refusals float64 // NaN where there is no such thing
}

type replica struct {
	Region, Status string
	Items          int64
	Behind         float64 // milliseconds, by CloudWatch; NaN if it doesn't say
}

// overview asks AWS for everything at once. What can't be read says so in its place.
func (c *Console) overview(ctx context.Context, of span) *overview {
	view := &overview{Span: of, Spans: spans}
	var all errgroup.Group
	all.Go(func() error { view.Flow = c.told(c.flow(ctx, view)); return nil })
	all.Go(func() error {
		var err error
		view.Alarms, err = c.stack.Alarms(ctx)
		view.NoAlarms = c.told(err)
		return nil
	})
	all.Go(func() error {
		var err error
		view.Queues, err = c.stack.LetterStates(ctx)
		view.NoQueues = c.told(err)
		return nil
	})
	all.Go(func() error {
		var err error
		view.Replicas, err = c.replicas(ctx)
		view.NoReplicas = c.told(err)
		return nil
	})
	_ = all.Wait() // each has told what went wrong
	for _, a := range view.Alarms {
		if a.State == string(types.StateValueAlarm) {
			view.Alarming++
		}
	}
	for _, q := range view.Queues {
		view.Letters += q.Waiting + q.Hidden
	}
	return view
}

// Verdict says in one line how the stack is.
func (o *overview) Verdict() string {
	var wrong []string
	if o.Alarming > 0 {
		wrong = append(wrong, terminal.Plural(o.Alarming, "alarm"))
	}
	if o.Letters > 0 {
		wrong = append(wrong, terminal.Plural(o.Letters, "dead letter"))
	}
	switch {
	case len(wrong) > 0:
		return strings.Join(wrong, ", ")
	case o.NoAlarms != "" || o.NoQueues != "":
		return "Not everything could be read"
	}
	return "All quiet: no alarm, no dead letters"
}

// Class is the verdict's colour.
func (o *overview) Class() string {
	switch {
	case o.Alarming > 0:
		return "bad"
	case o.Letters > 0 || o.NoAlarms != "" || o.NoQueues != "":
		return "warn"
	}
	return "good"
}

// flow reads what the charts show.
func (c *Console) flow(ctx context.Context, view *overview) error {
	window := view.Span.until(c.now())
	view.Outcomes = newChart("Trades by outcome", "trades", window)
	view.Sources = newChart("Events by source", "events", window)
	view.Sources.Sums = true // those of the outcomes are above them all
	view.Latency = newChart("From event to record", "ms", window)
	var series request
	for _, of := range outcomes {
		series.want(func(s []operate.Series) { view.Outcomes.add(of.Name, of.Class, true, s) }, of.metric(c)...)
	}
	for i, source := range c.stack.Outputs.Sources() {
		class := fmt.Sprintf("line%d", i%lineColours)
		series.want(func(s []operate.Series) { view.Sources.add(source, class, true, s) }, c.ofSource(source))
	}
	for i, percentile := range []string{"p50", "p95", "p99"} {
		class := fmt.Sprintf("line%d", i)
		series.want(func(s []operate.Series) { view.Latency.add(percentile, class, false, s) }, c.own(recorder.Name, recorder.EndToEndLatency, percentile))
	}
	var totals request
	stage := func(name string, metric func(metric, statistic string) operate.Metric, duration, calls, errors, refusals string) {
		at := len(view.Stages)
		view.Stages = append(view.Stages, stageTimes{Name: name})
		metrics := []operate.Metric{metric(duration, "p50"), metric(duration, "p95"), metric(duration, "p99"), metric(calls, "Sum"), metric(errors, "Sum"), metric(refusals, "Sum")}
		totals.want(func(s []operate.Series) {
			view.Stages[at] = stageTimes{name, s[3].Sum(), most(s[0]), most(s[1]), most(s[2]), s[4].Sum(), s[5].Sum()}
		}, metrics...)
	}
	for _, name := range slices.Sorted(maps.Keys(c.stack.Outputs.FunctionNames)) {
		physical := c.stack.Outputs.FunctionNames[name]
		stage(name, func(metric, statistic string) operate.Metric { return c.ofFunction(physical, metric, statistic) },
			"Duration", "Invocations", "Errors", "Throttles")
	}
	stage("whole execution", c.ofMachine, "ExecutionTime", "ExecutionsStarted", "ExecutionsFailed", "ExecutionThrottled")
	var both errgroup.Group
	both.Go(func() error { return series.read(ctx, c.stack, window) })
	both.Go(func() error { return totals.read(ctx, c.stack, whole(window)) })
	return both.Wait()
}

const lineColours = 6

// most returns the largest value of a series: of percentiles, an upper bound of the whole; NaN if it has none.
func most(s operate.Series) float64 {
	if len(s.Values) == 0 {
		return math.NaN()
	}
	return slices.Max(s.Values)
}

// alarmView is the stack's alarms.
type alarmView struct {
	Loud, Quiet []operate.Alarm // those that ring, and the others
}

func (c *Console) alarms(r *http.Request) (any, error) {
	all, err := c.stack.Alarms(r.Context())
	quiet := slices.IndexFunc(all, func(a operate.Alarm) bool { return a.State != string(types.StateValueAlarm) })
	if quiet < 0 {
		quiet = len(all)
	}
	return alarmView{all[:quiet], all[quiet:]}, err
}

// replicas returns the table in each region, its own first.
func (c *Console) replicas(ctx context.Context) ([]replica, error) {
	table := c.stack.Outputs.TradeTableName
	regions := append([]string{c.stack.Outputs.Region}, c.stack.Outputs.ReplicaRegions...)
	found := make([]replica, len(regions))
	all, within := errgroup.WithContext(ctx)
	for i, region := range regions {
		all.Go(func() error {
			config := c.stack.Config.Copy()
			config.Region = region
			answer, err := dynamodb.NewFromConfig(config).DescribeTable(within, &dynamodb.DescribeTableInput{TableName: &table})
			if err != nil {
				return fmt.Errorf("reading about table %s in %s: %w", table, region, err)
			}
			found[i] = replica{region, string(answer.Table.TableStatus), aws.ToInt64(answer.Table.ItemCount), math.NaN()}
			return nil
		})
	}
	if err := all.Wait(); err != nil {
		return nil, err
	}
	var lags []operate.Metric
	for _, region := range c.stack.Outputs.ReplicaRegions {
		lags = append(lags, operate.Metric{
			Namespace: "AWS/DynamoDB", Name: "ReplicationLatency", Dimensions: map[string]string{"TableName": table, "ReceivingRegion": region}, Statistic: "Average",
		})
	}
	if len(lags) == 0 {
		return found, nil
	}
	measured, err := c.stack.Measure(ctx, spans[0].until(c.now()), lags)
	if err != nil {
		return nil, err
	}
	for i := range lags {
		found[i+1].Behind = last(measured[i])
	}
	return found, nil
}
