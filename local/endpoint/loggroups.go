package endpoint

import (
	"context"
	"slices"
	"strings"

	"trade-processing/local/awsapi"
	"trade-processing/local/cloud"
)

// describeLogGroups serves https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogGroups.html
func (e *Endpoint) describeLogGroups(_ context.Context, region string, in struct {
	Prefix    string `json:"logGroupNamePrefix"`
	Pattern   string `json:"logGroupNamePattern"`
	Limit     int    `json:"limit"`
	NextToken string `json:"nextToken"`
}) (any, error) {
	if in.Prefix != "" && in.Pattern != "" {
		return nil, awsapi.Error("InvalidParameterException", "logGroupNamePrefix and logGroupNamePattern can't be given together")
	}
	groups := slices.DeleteFunc(e.declared(cloud.LogGroupType, region), func(r *cloud.Resource) bool {
		return !strings.HasPrefix(r.ID, in.Prefix) || !strings.Contains(strings.ToLower(r.ID), strings.ToLower(in.Pattern))
	})
	slices.SortFunc(groups, func(a, b *cloud.Resource) int { return strings.Compare(a.ID, b.ID) })
	found, next, err := page(groups, id, in.NextToken, in.Limit, 50, 50)
	if err != nil {
		return nil, err
	}
	var listed []any
	for _, r := range found {
		listed = append(listed, object{
			"logGroupName": r.ID, "arn": text(r.Outputs, "arn") + ":*", "logGroupArn": r.Outputs["arn"], "retentionInDays": r.Inputs["retentionInDays"],
			"kmsKeyId": r.Inputs["kmsKeyId"], "creationTime": e.began.UnixMilli(), "metricFilterCount": 0, "logGroupClass": "STANDARD",
		})
	}
	return paged("logGroups", listed, "nextToken", next), nil
}
