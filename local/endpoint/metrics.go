package endpoint

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"trade-processing/local/awsapi"
	"trade-processing/local/metrics"
)

type getMetricDataInput struct {
	StartTime, EndTime moment
	ScanBy             string
	MetricDataQueries  []struct {
		ID         string `json:"Id"`
		Label      string
		ReturnData *bool
		MetricStat struct {
			Metric struct {
				Namespace, MetricName string
				Dimensions            []struct{ Name, Value string }
			}
			Period int
			Stat   string
		}
	}
}

// mostQueries is how many metrics one call may ask for.
const mostQueries = 500

// getMetricData answers with metrics, all on one page. There is no metric math.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
func (e *Endpoint) getMetricData(_ context.Context, region string, in getMetricDataInput) (any, error) {
	from, to := time.Time(in.StartTime), time.Time(in.EndTime)
	switch {
	case len(in.MetricDataQueries) == 0 || len(in.MetricDataQueries) > mostQueries:
		return nil, awsapi.Error("ValidationError", "The collection MetricDataQueries must have 1 to %d elements.", mostQueries)
	case !from.Before(to):
		return nil, awsapi.Error("ValidationError", "The parameter StartTime must be less than the parameter EndTime.")
	}
	results := []any{}
	for _, query := range in.MetricDataQueries {
		asked := query.MetricStat
		statistic, err := metrics.ParseStatistic(asked.Stat)
		if err != nil {
			return nil, awsapi.Error("ValidationError", "%v", err)
		}
		period := time.Duration(asked.Period) * time.Second
		if period <= 0 || period%time.Minute != 0 {
			return nil, awsapi.Error("ValidationError", "The parameter Period must be a multiple of 60 here, not %d.", asked.Period)
		}
		dimensions := map[string]string{}
		for _, dimension := range asked.Metric.Dimensions {
			dimensions[dimension.Name] = dimension.Value
		}
		times, values := []any{}, []any{}
		series := e.cloud.Metric(region, metrics.Metric{Namespace: asked.Metric.Namespace, Name: asked.Metric.MetricName, Dimensions: dimensions})
		// Beyond the retention there is nothing, however long ago the window begins.
		for at := later(from, to.Add(-metrics.Retention)).Truncate(time.Minute); at.Before(to); at = at.Add(period) {
			if value, any := series.Value(statistic, at, at.Add(period)); any {
				times, values = append(times, moment(at)), append(values, value)
			}
		}
		if in.ScanBy != "TimestampAscending" {
			slices.Reverse(times)
			slices.Reverse(values)
		}
		if query.ReturnData == nil || *query.ReturnData {
			results = append(results, object{"Id": query.ID, "Label": cmp.Or(query.Label, asked.Metric.MetricName), "StatusCode": "Complete", "Timestamps": times, "Values": values})
		}
	}
	return object{"MetricDataResults": results}, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// listMetrics serves https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html
func (e *Endpoint) listMetrics(_ context.Context, region string, in struct {
	Namespace, MetricName, NextToken string
	Dimensions                       []struct {
		Name  string
		Value *string
	}
}) (any, error) {
	named := func(m metrics.Metric) string { return fmt.Sprint(m.Namespace, "/", m.Name, m.Dimensions) }
	matching := slices.DeleteFunc(e.cloud.Metrics(region).Metrics(), func(m metrics.Metric) bool {
		if in.Namespace != "" && in.Namespace != m.Namespace || in.MetricName != "" && in.MetricName != m.Name {
			return true
		}
		for _, wanted := range in.Dimensions {
			if value, has := m.Dimensions[wanted.Name]; !has || wanted.Value != nil && value != *wanted.Value {
				return true
			}
		}
		return false
	})
	found, next, err := page(matching, named, in.NextToken, 0, 500, 500)
	if err != nil {
		return nil, err
	}
	var listed []any
	for _, m := range found {
		dimensions := []any{}
		for _, name := range slices.Sorted(maps.Keys(m.Dimensions)) {
			dimensions = append(dimensions, object{"Name": name, "Value": m.Dimensions[name]})
		}
		listed = append(listed, object{"Namespace": m.Namespace, "MetricName": m.Name, "Dimensions": dimensions})
	}
	return paged("Metrics", listed, "NextToken", next), nil
}
