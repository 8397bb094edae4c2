// The bootstrap program of the enricher's container image.
package main

import (
	"context"
	"net/http"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"trade-processing/lambdas/enricher"
	"trade-processing/lambdas/function"
)

func main() {
	function.Main(func(ctx context.Context, environment function.Environment) (lambda.Handler, error) {
		cfg, err := config.LoadDefaultConfig(ctx, config.WithLogger(function.AWSLogger{}))
		if err != nil {
			return nil, err
		}
		return enricher.New(environment, ssm.NewFromConfig(cfg), &http.Client{})
	})
}
