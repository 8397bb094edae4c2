package function

import (
	"context"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
)

// Main serves a function's invocations until Lambda ends the process. Where wiring the handler fails, it says why in one
// JSON line and exits with 1, which Lambda reports as a failed initialisation.
func Main(wire func(context.Context, Environment) (lambda.Handler, error)) {
	environment := Process()
	logger := slog.New(slog.NewJSONHandler(environment.Output, nil))
	slog.SetDefault(logger) // aws-lambda-go reports through package log: its lines become JSON too
	handler, err := wire(context.Background(), environment)
	if err != nil {
		logger.Error("the function can't start", "error", err.Error())
		os.Exit(1)
	}
	lambda.Start(handler)
}
