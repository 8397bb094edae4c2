package cost

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

const (
	// Million is how many trades the costs are for.
	Million = 1e6

	hours   = 730.0 // of a month
	seconds = hours * 3600
	gb      = 1e9
)

// Assumptions are what only AWS can tell.
type Assumptions struct {
	// PerSecond is how many trades come.
	PerSecond float64

	// CallMS is how long a call of a function takes, and ExecutionMS an execution, in milliseconds, on average. The
	// dashboard shows both.
	CallMS, ExecutionMS float64

	// Insights says that the images contain Lambda Insights.
	Insights bool
}

// Assumed are the assumptions unless others are given: a million trades a month, and warm functions. An execution calls two
// of them one after the other, and is billed in steps of 100 ms.
var Assumed = Assumptions{PerSecond: Million / seconds, CallMS: 10, ExecutionMS: 100}

// Line is one thing that AWS bills, a sum, or a choice.
type Line struct {
	Workflow string `json:"workflow"` // STANDARD or EXPRESS
	Service  string `json:"service"`
	What     string `json:"what"`

	Quantity float64 `json:"quantity,omitempty"` // for a million trades, or for a month
	Price    *Price  `json:"price,omitempty"`

	Trades float64 `json:"trades"` // USD for a million trades
	Month  float64 `json:"month"`  // USD a month, at the rate, in the first month
}

// Lines lists what a stack costs.
func Lines(d Definition, u Usage, a Assumptions, prices []Price) []Line {
	b, u := bill{d: d, a: a, prices: prices}, u.with(d.Express)
	trades := a.PerSecond * seconds / Million
	regions := append([]string{d.Region}, d.Replicas...)

	// An event is billed by 64 KB or part of them: https://aws.amazon.com/eventbridge/pricing/
	b.trades("EventBridge", "events", Million*math.Ceil(u.EventBytes/(64<<10)), "event", Million)
	b.trades("EventBridge", "archive", Million*u.EventBytes, "archive", gb)

	if d.Express {
		// Memory is billed in chunks of 64 MB and time in steps of 100 ms; a trade's execution needs one chunk: 50 MB, the
		// definition, and its data for each branch. https://aws.amazon.com/step-functions/pricing/
		const chunkGB, step = 64.0 / 1024, 100
		b.trades("Step Functions", "executions", Million, "express-request", Million)
		b.trades("Step Functions", "duration", Million*chunkGB*math.Ceil(a.ExecutionMS/step)*step/1000/3600, "express-duration", 1)
	} else {
		b.trades("Step Functions", "transitions", Million*u.Transitions, "transition", Million)
	}

	// Time is billed by the millisecond: https://aws.amazon.com/lambda/pricing/
	calls := Million * float64(d.Calls)
	b.trades("Lambda", "calls", calls, "call", Million)
	b.trades("Lambda", "duration", calls*float64(d.MemoryMB)/1024*math.Ceil(a.CallMS)/1000, "call-duration", 1)

	// Each replica's writes are billed in its own region, at the price of other writes:
	// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/global-tables-billing.html
	for _, region := range regions {
		b.region = region
		b.trades("DynamoDB", "writes in "+region, Million*(u.TableUnits+u.IndexUnits), "write", Million)
	}
	b.region = d.Region
	b.trades("DynamoDB", "reads for other versions", Million*u.Rejected, "read", Million)
	b.trades("DynamoDB", "replication", Million*u.ItemBytes*float64(len(d.Replicas)), "transfer", gb)
	b.trades("CloudWatch", "functions' logs", Million*u.LogBytes, "logs", gb)
	if d.Traced {
		b.trades("X-Ray", fmt.Sprintf("traces of %.0f %%", d.Sampled*100), Million*d.Sampled, "trace", Million)
	}

	b.month("KMS", "keys", float64(d.Keys), "key", 1)
	b.month("PrivateLink", "interface endpoints, in each zone", float64(d.Endpoints)*hours, "endpoint", 1)
	b.month("CloudWatch", "metric alarms", float64(d.Alarms), "alarm", 1)
	b.month("CloudWatch", "composite alarms", float64(d.Composites), "composite", 1)
	b.month("CloudWatch", "dashboards", float64(d.Dashboards), "dashboard", 1)
	b.month("CloudWatch", "custom metrics", float64(u.Metrics), "metric", 1)
	if a.Insights {
		// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Lambda-Insights-metrics.html
		const metrics, line = 8, 1100.0
		b.month("Lambda Insights", "metrics", float64(metrics*d.Calls), "metric", 1)
		b.trades("Lambda Insights", "log lines", calls*line, "logs", gb)
	}

	// What a month's trades take, for the first month; it grows with each.
	for _, region := range regions {
		b.region = region
		b.month("Storage", "table in "+region, trades*Million*u.StoredBytes, "stored", gb)
		if d.Recovery {
			b.month("Storage", "point-in-time recovery in "+region, trades*Million*u.ItemBytes, "recovery", gb)
		}
	}
	b.region = d.Region
	b.month("Storage", "backups", trades*Million*u.ItemBytes*float64(d.Backups), "backup", gb)
	b.month("Storage", "archive", trades*Million*u.EventBytes*kept(d.ArchiveDays), "archive-stored", gb)
	b.month("Storage", "logs", trades*Million*u.LogBytes*kept(d.LogDays), "logs-stored", gb)
	return b.lines
}

// kept returns which share of a month's data is there at the end of the month; everything, if it is kept longer.
func kept(days int) float64 {
	if days == 0 {
		return 1
	}
	return min(float64(days)*24/hours, 1)
}

// bill collects lines.
type bill struct {
	d      Definition
	a      Assumptions
	prices []Price
	region string
	lines  []Line
}

func (b *bill) add(l Line) {
	if l.Quantity > 0 {
		b.lines = append(b.lines, l)
	}
}

func (b *bill) priced(name string) Price {
	if b.region == "" {
		return priceOf(b.prices, name, b.d.Region)
	}
	return priceOf(b.prices, name, b.region)
}

// trades adds what grows with the trades; the price is for so many.
func (b *bill) trades(service, what string, quantity float64, price string, per float64) {
	p := b.priced(price)
	usd := quantity / per * p.USD
	b.add(Line{Service: service, What: what, Quantity: quantity, Price: &p, Trades: usd, Month: usd * b.a.PerSecond * seconds / Million})
}

// month adds what a month costs.
func (b *bill) month(service, what string, quantity float64, price string, per float64) {
	p := b.priced(price)
	b.add(Line{Service: service, What: what, Quantity: quantity, Price: &p, Month: quantity / per * p.USD})
}

// Compared lists the lines of a stack, their sum, and what other choices would change: for its own workflow type, or for
// others, standard or express.
func Compared(d Definition, u Usage, a Assumptions, prices []Price, workflows []string) []Line {
	if len(workflows) == 0 {
		workflows = []string{d.workflow()}
	}
	var all []Line
	for _, workflow := range workflows {
		d.Express = strings.EqualFold(workflow, "express")
		lines := Lines(d, u, a, prices)
		lines = append(append(lines, Sum(lines)), Choices(d, u, a, prices)...)
		for i := range lines {
			lines[i].Workflow = d.workflow()
		}
		all = append(all, lines...)
	}
	return all
}

func (d Definition) workflow() string {
	if d.Express {
		return "EXPRESS"
	}
	return "STANDARD"
}

// Sum adds lines up.
func Sum(lines []Line) Line {
	total := Line{Service: "Sum", What: "all"}
	for _, l := range lines {
		total.Trades += l.Trades
		total.Month += l.Month
	}
	return total
}

// Choices lists what other choices would save: negative, if they cost more. Those that change nothing are left out.
func Choices(d Definition, u Usage, a Assumptions, prices []Price) []Line {
	now := Sum(Lines(d, u, a, prices))
	var found []Line
	choose := func(what string, change func(*Definition, *Assumptions)) {
		other, assumed := d, a
		change(&other, &assumed)
		then := Sum(Lines(other, u, assumed, prices))
		l := Line{Service: "Choice", What: what, Trades: then.Trades - now.Trades, Month: then.Month - now.Month}
		if math.Abs(l.Trades)+math.Abs(l.Month) > 0.005 {
			found = append(found, l)
		}
	}
	choose("workflowType: EXPRESS", func(d *Definition, _ *Assumptions) { d.Express = true })
	choose("workflowType: STANDARD", func(d *Definition, _ *Assumptions) { d.Express = false })
	for i, region := range d.Replicas {
		choose("no replica in "+region, func(d *Definition, _ *Assumptions) {
			d.Replicas = slices.Delete(slices.Clone(d.Replicas), i, i+1)
			d.Keys--
			d.Alarms -= alarmsOfReplica
		})
	}
	choose("vpcEndpoints: [], in a VPC that has them", func(d *Definition, _ *Assumptions) { d.Endpoints = 0 })
	choose("backup: false", func(d *Definition, _ *Assumptions) { d.Backups = 0 })
	choose("backupRetentionDays: 7", func(d *Definition, _ *Assumptions) { d.Backups = min(d.Backups, 7) })
	choose("archiveDays: 7", func(d *Definition, _ *Assumptions) { d.ArchiveDays = 7 })
	choose("logRetentionDays: 7", func(d *Definition, _ *Assumptions) { d.LogDays = 7 })
	choose(fmt.Sprintf("memory of %d MB, half as much", d.MemoryMB/2), func(d *Definition, _ *Assumptions) { d.MemoryMB /= 2 })
	choose("images with Lambda Insights", func(_ *Definition, a *Assumptions) { a.Insights = true })
	choose("images without Lambda Insights", func(_ *Definition, a *Assumptions) { a.Insights = false })
	return found
}

// alarmsOfReplica are on the latency of replication and on throttles in the region.
const alarmsOfReplica = 2
