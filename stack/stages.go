package stack

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/components"
	"trade-processing/lambdas/enricher"
	"trade-processing/lambdas/market"
	"trade-processing/lambdas/parameters"
	"trade-processing/lambdas/recorder"
	"trade-processing/lambdas/validator"
)

// Stages returns the stages of the workflow in a stack without config.
func Stages() []components.Stage { return (&Config{}).stages() }

// Functions returns the names of the stages' functions, in the order of the table.
func Functions() []string {
	var names []string
	for _, stage := range Stages() {
		names = append(names, stage.Function)
	}
	return names
}

// Stages returns the one table of the workflow's stages. All but the last run in parallel; the last gets their answers.
// A row gives the stage its state, role, image, queue, alarms, dashboard lines and config keys (<function>Memory,
// <function>ReservedConcurrency), its line in the report of a run, and its place on the local cloud.
func (c *Config) stages() []components.Stage {
	stages := []components.Stage{
		{
			Function: validator.Name, State: "ValidateTrade", Result: "validation",
			Description:    "Says what is wrong with a trade",
			TimeoutSeconds: 5, ReadsParameters: true, Environment: c.rules(),
			Alarms: []components.StageAlarm{staleParameters(validator.Name)},
		},
		{
			Function: enricher.Name, State: "EnrichTrade", Result: "market",
			Description:     "Adds market context to a trade",
			TimeoutSeconds:  10, // it may wait for the HTTP API, with retries
			ReadsParameters: true, CallsAPI: c.APIEndpoint != "",
			Metrics: []components.StageMetric{
				{Graph: components.ErrorsGraph, Name: enricher.PartialContext, Label: "trades without full market context"},
				{Graph: components.ErrorsGraph, Name: enricher.APIFailures, Label: "failures of the market data API"},
			},
			Alarms: []components.StageAlarm{staleParameters(enricher.Name), calendarEnds()},
		},
		{
			Function: recorder.Name, State: "RecordTrade",
			Description:    "Writes a trade once",
			TimeoutSeconds: 10, WritesTable: true, Environment: c.retention(),
			Metrics: []components.StageMetric{
				{Graph: components.OutcomesGraph, Name: recorder.EndToEndLatency, Label: "recorded", Statistic: "SampleCount"},
				{Graph: components.OutcomesGraph, Name: recorder.TradesRejected, Label: "rejected"},
				{Graph: components.OutcomesGraph, Name: recorder.ReviewRequired, Label: "flagged for review"},
				{Graph: components.OutcomesGraph, Name: recorder.DuplicateTrades, Label: "duplicates"},
				{Graph: components.OutcomesGraph, Name: recorder.DuplicateRejections, Label: "duplicates of rejected trades"},
				{Graph: components.OutcomesGraph, Name: recorder.TradeConflicts, Label: "conflicts"},
				{Graph: components.OutcomesGraph, Name: recorder.ReplacedMissing, Label: "corrections of missing trades"},
				{Graph: components.LatencyGraph, Name: recorder.EndToEndLatency, Label: "p50", Statistic: "p50"},
				{Graph: components.LatencyGraph, Name: recorder.EndToEndLatency, Label: "p95", Statistic: "p95"},
				{Graph: components.LatencyGraph, Name: recorder.EndToEndLatency, Label: "p99", Statistic: "p99"},
				{Graph: components.VolumeGraph, Name: recorder.TradesRejected, Label: "trades", Statistic: "SampleCount"},
			},
			Alarms: []components.StageAlarm{c.rejections(), duplicateRejections(), late()},
		},
	}
	for i, stage := range stages {
		stages[i].MemoryMB = c.sizes[stage.Function].memoryMB
		stages[i].ReservedConcurrency = c.sizes[stage.Function].reservedConcurrency
	}
	return stages
}

// rules returns the validator's environment.
func (c *Config) rules() pulumi.StringMap {
	environment := pulumi.StringMap{
		"MAX_CLOCK_SKEW": pulumi.String(c.MaxClockSkew.String()),
		"SOURCES":        pulumi.String(strings.Join(c.Pipeline.Sources, ",")),
	}
	if len(c.AllowedCurrencies) > 0 {
		environment["ALLOWED_CURRENCIES"] = pulumi.String(strings.Join(c.AllowedCurrencies, ","))
	}
	return environment
}

// retention tells the recorder when DynamoDB may delete a trade.
func (c *Config) retention() pulumi.StringMap {
	if c.RetentionYears == 0 {
		return nil
	}
	return pulumi.StringMap{"RETENTION_YEARS": pulumi.String(strconv.Itoa(c.RetentionYears))}
}

// rejections watches the share of rejected trades: each counts 0 or 1, so the average is the share.
func (c *Config) rejections() components.StageAlarm {
	return components.StageAlarm{
		Name: "rejections",
		Description: fmt.Sprintf("More than %d %% of the trades were rejected in each of 3 periods of 5 minutes in a row: "+
			"a source sends bad trades, or a rule is wrong.", c.RejectionAlarmPercent),
		Metric: recorder.TradesRejected, Statistic: "Average", PeriodSeconds: 300, Periods: 3,
		Threshold: float64(c.RejectionAlarmPercent) / 100, Comparison: "GreaterThanThreshold",
	}
}

// calendarEnds watches a metric that is only there for trades at venues whose calendar ends soon.
func calendarEnds() components.StageAlarm {
	return components.StageAlarm{
		Name: "calendar-ends",
		Description: fmt.Sprintf("A venue's trading days, hours or settlement days are known for less than %d days. "+
			"After that, its trades have no full market context: add the next year.", market.EndsSoonDays),
		Metric: enricher.CalendarDaysLeft, Statistic: "Minimum", PeriodSeconds: 86400, Periods: 1,
		Threshold: market.EndsSoonDays, Comparison: "LessThanThreshold",
	}
}

func duplicateRejections() components.StageAlarm {
	return components.StageAlarm{
		Name: "duplicates-of-rejected",
		Description: "Rejected trades came again and still broke the rules: a source repeats what it should fix, " +
			"or events were replayed. Nothing was written. See the runbook: alarms.",
		Metric: recorder.DuplicateRejections, Statistic: "Sum", PeriodSeconds: 300, Periods: 1,
		Threshold: 1, Comparison: "GreaterThanOrEqualToThreshold",
	}
}

// late goes off when events wait for their executions, which nothing else shows while a quota of Step Functions holds them
// back and EventBridge tries again (docs/scale.md).
func late() components.StageAlarm {
	return components.StageAlarm{
		Name: "late",
		Description: "One trade in ten is recorded more than a minute after its event: more come than AWS's quotas let through, " +
			"or events were replayed, which makes them as old as they are. See the runbook: alarms.",
		Metric: recorder.EndToEndLatency, Statistic: "p90", PeriodSeconds: 60, Periods: 3,
		Threshold: 60_000, Comparison: "GreaterThanOrEqualToThreshold",
	}
}

func staleParameters(function string) components.StageAlarm {
	return components.StageAlarm{
		Name:        function + "-stale-parameters",
		Description: fmt.Sprintf("The %s can't read its parameters and continues with old ones. An instance that starts now has none, and fails.", function),
		Metric:      parameters.RefreshFailures, Statistic: "Sum", PeriodSeconds: 60, Periods: 3,
		Threshold: 1, Comparison: "GreaterThanOrEqualToThreshold",
	}
}

// parameters are what the functions read while they run. SSM refuses the same values that the functions would.
func (c *Config) parameters() []components.Parameter {
	var endpoint pulumi.StringInput = pulumi.String(c.APIEndpoint)
	switch {
	case c.APIEndpoint == "":
		endpoint = pulumi.String(parameters.Unset)
	case c.APIEndpointIsSecret:
		endpoint = pulumi.ToSecret(endpoint).(pulumi.StringOutput)
	}
	return []components.Parameter{
		{
			Name: parameters.EndpointName, Value: endpoint,
			Description:    "URL of the HTTP API for market context, or " + parameters.Unset,
			AllowedPattern: parameters.Patterns[parameters.EndpointName],
		},
		{
			Name: parameters.ThresholdName, Value: pulumi.String(c.ProcessingThreshold),
			Description:    "Amount above which a trade is flagged for review",
			AllowedPattern: parameters.Patterns[parameters.ThresholdName],
		},
		{
			Name: parameters.MaxRetriesName, Value: pulumi.String(strconv.Itoa(c.Pipeline.MaxRetries)),
			Description:    "How often a call to the HTTP API is retried",
			AllowedPattern: parameters.Patterns[parameters.MaxRetriesName],
		},
	}
}
