// The bootstrap program of the validator's container image.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"trade-processing/lambdas/function"
	"trade-processing/lambdas/validator"
)

func main() {
	function.Main(func(ctx context.Context, environment function.Environment) (lambda.Handler, error) {
		cfg, err := config.LoadDefaultConfig(ctx, config.WithLogger(function.AWSLogger{}))
		if err != nil {
			return nil, err
		}
		return validator.New(environment, ssm.NewFromConfig(cfg))
	})
}
