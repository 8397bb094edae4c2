package function

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/aws/smithy-go/logging"
)

// AWSLogger is the logger of the AWS clients: the SDK's messages become lines like the function's own, with the ids of
// the invocation. The SDK's default logger writes plain text.
type AWSLogger struct{}

var _ logging.ContextLogger = AWSLogger{}

// Logf logs outside an invocation.
func (AWSLogger) Logf(classification logging.Classification, format string, arguments ...any) {
	logTo(slog.Default(), classification, format, arguments...)
}

// WithContext returns the logger for an invocation.
func (l AWSLogger) WithContext(ctx context.Context) logging.Logger {
	call, ok := ctx.Value(callKey{}).(*Call)
	if !ok {
		return l
	}
	return logging.LoggerFunc(func(classification logging.Classification, format string, arguments ...any) {
		logTo(call.Log(), classification, format, arguments...)
	})
}

func logTo(logger *slog.Logger, classification logging.Classification, format string, arguments ...any) {
	level := slog.LevelDebug
	if classification == logging.Warn {
		level = slog.LevelWarn
	}
	logger.Log(context.Background(), level, "AWS SDK: "+fmt.Sprintf(format, arguments...))
}
