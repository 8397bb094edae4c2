package function

import (
	"bytes"
	"context"
	"log"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
)

// Main serves a function's invocations until Lambda ends the process. Where wiring the handler fails, it says why in one
// JSON line and exits with 1, which Lambda reports as a failed initialisation.
func Main(wire func(context.Context, Environment) (lambda.Handler, error)) {
	environment := Process()
	logger := slog.New(slog.NewJSONHandler(environment.Output, nil))
	slog.SetDefault(logger)
	log.SetFlags(0)
	log.SetOutput(runtimeLog{logger})
	handler, err := wire(context.Background(), environment)
	if err != nil {
		logger.Error("the function can't start", "error", err.Error())
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
