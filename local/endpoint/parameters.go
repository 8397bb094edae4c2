package endpoint

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

type getParametersByPathInput struct {
	Path           string
	Recursive      *bool
	WithDecryption *bool
	NextToken      *string
	MaxResults     *int32
}

func (e *Endpoint) getParametersByPath(ctx context.Context, region string, in getParametersByPathInput) (any, error) {
	got, err := e.cloud.Services(region).SSM.GetParametersByPath(ctx, &ssm.GetParametersByPathInput{
		Path: aws.String(in.Path), Recursive: in.Recursive, WithDecryption: in.WithDecryption, NextToken: in.NextToken, MaxResults: in.MaxResults,
	})
	if err != nil {
		return nil, err
	}
	type parameter struct {
		Name, Value *string
		Type        string
		Version     int64
	}
	answer := struct {
		Parameters []parameter
		NextToken  *string `json:",omitempty"`
	}{NextToken: got.NextToken}
	for _, p := range got.Parameters {
		answer.Parameters = append(answer.Parameters, parameter{p.Name, p.Value, string(p.Type), p.Version})
	}
	return answer, nil
}
