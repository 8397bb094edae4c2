package function

import (
	"bytes"
	"context"
	"log"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
)

// Main serves a function's invocations until Lambda ends the process. If wiring the handler fails, it logs the reason
// in one JSON line, reports it to Lambda as its initialisation error, and exits with 1.
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

// runtimeLog receives what aws-lambda-go logs through package log.
type runtimeLog struct{ logger *slog.Logger }

// Write turns a message into a JSON line, unless it is an invocation's error, which Handle has already logged with its
// ids.
func (l runtimeLog) Write(message []byte) (int, error) {
	if !bytes.HasPrefix(message, []byte(`{"errorMessage":`)) {
		l.logger.Error("Lambda runtime: " + string(bytes.TrimSpace(message)))
	}
	return len(message), nil
}
