// The bootstrap program of the recorder's container image.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"trade-processing/lambdas/function"
	"trade-processing/lambdas/recorder"
)

func main() {
	function.Main(func(ctx context.Context, environment function.Environment) (lambda.Handler, error) {
		cfg, err := config.LoadDefaultConfig(ctx, config.WithLogger(function.AWSLogger{}))
		if err != nil {
			return nil, err
		}
		return recorder.New(environment, dynamodb.NewFromConfig(cfg))
	})
}
