package function

import (
	"bytes"
	"context"
	"log"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
)

// Main serves a function's invocations until Lambda ends the process. Where wiring the handler fails, it says why in
// one JSON line, reports it to Lambda as the error of its initialisation, and exits with 1.
func Main(wire func(context.Context, Environment) (lambda.Handler, error)) {
	environment := Process()
	logger := slog.New(slog.NewJSONHandler(environment.Output, nil))
	slog.SetDefault(logger)
	log.SetFlags(0)
	log.SetOutput(runtimeLog{logger})
	handler, err := wire(context.Background(), environment)
	if err != nil {
		logger.Error("the function can't start", "errorType", ErrorType(err), "error", err.Error())
		if api := os.Getenv("AWS_LAMBDA_RUNTIME_API"); api != "" {
			if err := reportInit(api, err); err != nil {
				logger.Error("couldn't report this to Lambda", "error", err.Error())
			}
		}
		os.Exit(1)
	}
	lambda.Start(handler)
}

// runtimeLog takes what aws-lambda-go says through package log.
type runtimeLog struct{ logger *slog.Logger }

// Write makes a JSON line of a message, unless it is the error of an invocation: Handle has logged that, with its ids.
func (l runtimeLog) Write(message []byte) (int, error) {
	if !bytes.HasPrefix(message, []byte(`{"errorMessage":`)) {
		l.logger.Error("Lambda runtime: " + string(bytes.TrimSpace(message)))
	}
	return len(message), nil
}
