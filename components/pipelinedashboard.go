package components

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func (args *TradePipelineArgs) newDashboard(ctx *pulumi.Context, p *TradePipeline, name string) (err error) {
	p.Dashboard, err = NewDashboard(ctx, name+"-overview", &DashboardArgs{
		Scope: args.Scope, DashboardName: args.Prefix, Questions: args.questions(p),
	}, pulumi.Parent(p))
	return err
}

// questions returns what somebody woken at night asks, in order.
func (args *TradePipelineArgs) questions(p *TradePipeline) []Question {
	questions := []Question{
		{"Are trades flowing?", []Graph{args.arrivals(p), args.outcomes()}},
		{"How late are they?", []Graph{args.latency(), args.durations(p)}},
		{"What fails?", []Graph{args.executions(p), args.functionErrors(p), args.tableErrors(p)}},
		{"What is waiting in which queue?", []Graph{args.queueDepths(p), args.queueAges(p)}},
		{"What does it cost?", []Graph{args.costs(p), args.volume(p)}},
	}
	for i, question := range questions {
		// A stage may have no metric for a graph, and CloudWatch refuses a graph without one.
		questions[i].Graphs = slices.DeleteFunc(question.Graphs, func(g Graph) bool { return len(g.Metrics) == 0 })
	}
	return questions
}

// own adds the stages' own metrics to their graph.
func (args *TradePipelineArgs) own(graph string, g Graph) Graph {
	for _, stage := range args.Stages {
		for _, metric := range stage.Metrics {
			if metric.Graph == graph {
				g.Metrics = append(g.Metrics, Metric{
					Namespace: args.MetricsNamespace, Name: metric.Name, Stat: metric.Statistic, Label: metric.Label,
					Dimensions: []Dimension{{"Environment", args.Environment}, {"Function", stage.Function}},
				})
			}
		}
	}
	return g
}

func (args *TradePipelineArgs) arrivals(p *TradePipeline) Graph {
	g := Graph{Title: "Events by source", Stat: "Sum", Unit: "events per minute"}
	for _, source := range args.Sources {
		dimensions := []Dimension{{"RuleName", args.Prefix + "-from-" + source}}
		if p.Bus.PhysicalName != DefaultBus {
			dimensions = slices.Insert(dimensions, 0, Dimension{"EventBusName", p.Bus.PhysicalName})
		}
		g.Metrics = append(g.Metrics, Metric{Namespace: "AWS/Events", Name: "TriggeredRules", Dimensions: dimensions, Label: source})
	}
	return g
}

func (args *TradePipelineArgs) outcomes() Graph {
	return args.own(OutcomesGraph, Graph{Title: "Trades by outcome", Stat: "Sum", Unit: "trades per minute"})
}

func (args *TradePipelineArgs) latency() Graph {
	return args.own(LatencyGraph, Graph{Title: "From event to record", Unit: "milliseconds"})
}

func (args *TradePipelineArgs) durations(p *TradePipeline) Graph {
	g := Graph{Title: "Duration of functions, p99", Stat: "p99", Unit: "milliseconds"}
	for _, f := range p.Functions {
		g.Metrics = append(g.Metrics, Metric{Namespace: "AWS/Lambda", Name: "Duration", Dimensions: []Dimension{{"FunctionName", f.Name}}})
	}
	return g
}

func (args *TradePipelineArgs) executions(p *TradePipeline) Graph {
	g := Graph{Title: "Executions that did not succeed", Stat: "Sum", Unit: "executions per minute"}
	for _, metric := range []string{"ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted", "ExecutionThrottled"} {
		g.Metrics = append(g.Metrics, Metric{Namespace: "AWS/States", Name: metric, Dimensions: args.machine(p)})
	}
	return g
}

func (args *TradePipelineArgs) machine(p *TradePipeline) []Dimension {
	return []Dimension{{"StateMachineArn", args.Scope.ARN("states", "stateMachine:"+p.Workflow.Name)}}
}

func (args *TradePipelineArgs) functionErrors(p *TradePipeline) Graph {
	g := Graph{Title: "Errors and throttles of functions", Stat: "Sum", Unit: "calls per minute"}
	for _, f := range p.Functions {
		for _, metric := range []string{"Errors", "Throttles"} {
			g.Metrics = append(g.Metrics, Metric{Namespace: "AWS/Lambda", Name: metric, Dimensions: []Dimension{{"FunctionName", f.Name}}})
		}
	}
	return args.own(ErrorsGraph, g)
}

func (args *TradePipelineArgs) tableErrors(p *TradePipeline) Graph {
	table := Dimension{"TableName", args.Prefix + "-trades"}
	g := Graph{Title: "Throttles and replication of the table", Stat: "Sum", Metrics: []Metric{
		{Namespace: "AWS/DynamoDB", Name: "WriteThrottleEvents", Dimensions: []Dimension{table}},
		{Namespace: "AWS/DynamoDB", Name: "ReadThrottleEvents", Dimensions: []Dimension{table}},
	}}
	for _, replica := range args.Replicas {
		g.Metrics = append(g.Metrics, Metric{
			Namespace: "AWS/DynamoDB", Name: "ReplicationLatency", Stat: "Average", Label: "ms behind in " + replica.Region,
			Dimensions: []Dimension{table, {"ReceivingRegion", replica.Region}},
		})
	}
	return g
}

// queues returns all dead-letter queues of the pipeline.
func (args *TradePipelineArgs) queues(p *TradePipeline) []*MonitoredQueue {
	var queues []*MonitoredQueue
	for _, f := range p.Functions {
		queues = append(queues, f.DeadLetters)
	}
	for _, source := range args.Sources {
		queues = append(queues, p.Delivery[source])
	}
	if p.Bus.DeadLetters != nil {
		queues = append(queues, p.Bus.DeadLetters)
	}
	return queues
}

func (args *TradePipelineArgs) queueDepths(p *TradePipeline) Graph {
	return args.ofQueues(p, Graph{Title: "Messages", Stat: "Maximum"}, "ApproximateNumberOfMessagesVisible")
}

func (args *TradePipelineArgs) queueAges(p *TradePipeline) Graph {
	return args.ofQueues(p, Graph{Title: "Age of the oldest message", Stat: "Maximum", Unit: "seconds"}, "ApproximateAgeOfOldestMessage")
}

func (args *TradePipelineArgs) ofQueues(p *TradePipeline, g Graph, metric string) Graph {
	for _, queue := range args.queues(p) {
		g.Metrics = append(g.Metrics, Metric{Namespace: "AWS/SQS", Name: metric, Dimensions: []Dimension{{"QueueName", queue.Name}}})
	}
	return g
}

// List prices of us-east-1 in USD, November 2025 (https://aws.amazon.com/pricing). They make the graph an estimate of
// what grows; the bill is what counts.
const (
	priceFunctionGBSecond = 0.0000133334 // arm64
	priceFunctionCall     = 0.0000002
	priceTransition       = 0.000025 // STANDARD
	priceExpressExecution = 0.000001 // EXPRESS
	priceExpressGBSecond  = 0.00001667
	priceWriteUnit        = 0.000000625 // the same for a write to the table and for one to a replica

	expressMemoryGB = 0.0625 // the minimum that is billed
)

// costs estimates what depends on the number of trades. Keys, endpoints, alarms and storage cost the same every hour.
func (args *TradePipelineArgs) costs(p *TradePipeline) Graph {
	const hourly = 60 // from one minute to one hour
	g := Graph{Title: "Estimated cost", Stat: "Sum", Unit: "USD per hour"}
	var functions string
	for i, f := range p.Functions {
		memory := cmp.Or(args.Stages[i].MemoryMB, defaultMemoryMB)
		duration, calls := fmt.Sprintf("duration%d", i), fmt.Sprintf("calls%d", i)
		dimensions := []Dimension{{"FunctionName", f.Name}}
		g.Metrics = append(g.Metrics,
			Metric{Namespace: "AWS/Lambda", Name: "Duration", Dimensions: dimensions, ID: duration, Hidden: true},
			Metric{Namespace: "AWS/Lambda", Name: "Invocations", Dimensions: dimensions, ID: calls, Hidden: true})
		perMillisecond := float64(memory) / 1024 * priceFunctionGBSecond / 1000
		functions += fmt.Sprintf("+%s*%.12f+%s*%.12f", duration, perMillisecond, calls, priceFunctionCall)
	}
	transitions := 1 + len(args.Stages) // the start, and each stage
	if len(args.Stages) > 1 {
		transitions++ // the parallel state
	}
	executions := fmt.Sprintf("executions*%.12f", float64(transitions)*priceTransition)
	g.Metrics = append(g.Metrics, Metric{
		Namespace: "AWS/States", Name: "ExecutionsStarted", Dimensions: args.machine(p), ID: "executions", Hidden: true,
	})
	if args.WorkflowType == Express {
		g.Metrics = append(g.Metrics, Metric{
			Namespace: "AWS/States", Name: "ExpressExecutionBilledDuration", Dimensions: args.machine(p), ID: "billed", Hidden: true,
		})
		executions = fmt.Sprintf("executions*%.12f+billed*%.12f", priceExpressExecution, expressMemoryGB*priceExpressGBSecond/1000)
	}
	regions := 1 + len(args.Replicas)
	g.Metrics = append(g.Metrics,
		Metric{
			Namespace: "AWS/DynamoDB", Name: "ConsumedWriteCapacityUnits", ID: "writes", Hidden: true,
			Dimensions: []Dimension{{"TableName", args.Prefix + "-trades"}},
		},
		Metric{Expression: fmt.Sprintf("(%s)*%d", functions[1:], hourly), Label: "functions", ID: "functions"},
		Metric{Expression: fmt.Sprintf("(%s)*%d", executions, hourly), Label: "workflow", ID: "workflow"},
		Metric{Expression: fmt.Sprintf("writes*%.12f*%d", float64(regions)*priceWriteUnit, hourly), Label: "table and replicas", ID: "table"},
	)
	return g
}

// volume returns what is billed.
func (args *TradePipelineArgs) volume(p *TradePipeline) Graph {
	table := []Dimension{{"TableName", args.Prefix + "-trades"}}
	return args.own(VolumeGraph, Graph{Title: "What is billed", Stat: "Sum", Metrics: []Metric{
		{Namespace: "AWS/States", Name: "ExecutionsStarted", Dimensions: args.machine(p), Label: "executions"},
		{Namespace: "AWS/DynamoDB", Name: "ConsumedWriteCapacityUnits", Dimensions: table, Label: "write units"},
		{Namespace: "AWS/DynamoDB", Name: "ConsumedReadCapacityUnits", Dimensions: table, Label: "read units"},
	}})
}
