package operate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// Metric is a statistic of one metric.
type Metric struct {
	Namespace  string
	Name       string
	Dimensions map[string]string
	Statistic  string // Sum, Average, Minimum, Maximum, SampleCount, or a percentile such as p99
}

// Series is what a metric was, period by period, the oldest first. A period without data is left out.
type Series struct {
	Times  []time.Time // when each period began
	Values []float64
}

// Sum returns the sum of the values: how often something happened, if they are sums.
func (s Series) Sum() float64 {
	sum := 0.0
	for _, value := range s.Values {
		sum += value
	}
	return sum
}

// Window is a span of time, divided into periods.
type Window struct {
	From, To time.Time
	Period   time.Duration // a multiple of a minute
}

// queriesPerCall is how many metrics one call may ask for.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
const queriesPerCall = 500

// Measure returns the series of these metrics of the stack's region, in their order.
func (s *Stack) Measure(ctx context.Context, window Window, metrics []Metric) ([]Series, error) {
	client := s.CloudWatch()
	measured := make([]Series, len(metrics))
	for first := 0; first < len(metrics); first += queriesPerCall {
		var queries []types.MetricDataQuery
		for i, metric := range metrics[first:min(first+queriesPerCall, len(metrics))] {
			queries = append(queries, metric.query(first+i, window.Period))
		}
		pages := cloudwatch.NewGetMetricDataPaginator(client, &cloudwatch.GetMetricDataInput{
			StartTime: &window.From, EndTime: &window.To, MetricDataQueries: queries, ScanBy: types.ScanByTimestampAscending,
		})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, fmt.Errorf("reading metrics: %w", err)
			}
			for _, result := range page.MetricDataResults {
				var i int
				if _, err := fmt.Sscanf(aws.ToString(result.Id), "m%d", &i); err != nil || i >= len(measured) {
					return nil, fmt.Errorf("reading metrics: an answer to %q, which wasn't asked", aws.ToString(result.Id))
				}
				measured[i].Times = append(measured[i].Times, result.Timestamps...)
				measured[i].Values = append(measured[i].Values, result.Values...)
			}
		}
	}
	return measured, nil
}

func (m Metric) query(i int, period time.Duration) types.MetricDataQuery {
	var dimensions []types.Dimension
	for name, value := range m.Dimensions {
		dimensions = append(dimensions, types.Dimension{Name: aws.String(name), Value: aws.String(value)})
	}
	slices.SortFunc(dimensions, func(a, b types.Dimension) int { return strings.Compare(*a.Name, *b.Name) })
	return types.MetricDataQuery{
		Id: aws.String(fmt.Sprintf("m%d", i)), ReturnData: aws.Bool(true),
		MetricStat: &types.MetricStat{
			Metric: &types.Metric{Namespace: &m.Namespace, MetricName: &m.Name, Dimensions: dimensions},
			Period: aws.Int32(int32(period.Seconds())), Stat: &m.Statistic,
		},
	}
}
