package localrun

import (
	"github.com/aws/aws-lambda-go/lambda"

	"trade-processing/lambdas/enricher"
	"trade-processing/lambdas/function"
	"trade-processing/lambdas/recorder"
	"trade-processing/lambdas/validator"
	"trade-processing/local/cloud"
)

// Images returns the functions' own constructors, by the FUNCTION build argument of their container images: what runs
// locally is the code that is deployed.
func Images() map[string]cloud.Image {
	return map[string]cloud.Image{
		validator.Name: func(environment function.Environment, services cloud.Services) (lambda.Handler, error) {
			return validator.New(environment, services.SSM)
		},
		enricher.Name: func(environment function.Environment, services cloud.Services) (lambda.Handler, error) {
			return enricher.New(environment, services.SSM, services.HTTP)
		},
		recorder.Name: func(environment function.Environment, services cloud.Services) (lambda.Handler, error) {
			return recorder.New(environment, services.DynamoDB)
		},
	}
}
