// Package fault lets a test or a seeded simulation decide what goes wrong with calls to the local cloud.
package fault

import (
	"context"
	"time"

	"trade-processing/local/clock"
)

// A Call is one request that a service is about to serve.
type Call struct {
	// Service is the service's endpoint prefix: dynamodb, kms, lambda, sqs, ssm or states.
	Service string
	// Operation is the API operation, such as "PutItem".
	Operation string
	// Resource is the name of the table, function or queue, or the path of the parameters.
	Resource string
	// Key says what the call is about, so a decision can depend on it rather than on the order of concurrent calls: the
	// hash key of an item, the body of a message, the payload of an invocation.
	Key string
}

// A Fault is what goes wrong with one call; the zero Fault means nothing does.
type Fault struct {
	// Delay passes on the clock before the call takes effect.
	Delay time.Duration
	// Err is answered instead of the result, such as a *types.ProvisionedThroughputExceededException.
	Err error
	// Applied makes the call take effect even though it answers Err, as if the answer was lost on the way back.
	Applied bool
}

// A Hook decides about a call. It is called by many goroutines at once, some of which hold locks, so it must not call
// the services itself. A nil Hook lets every call pass.
type Hook func(Call) Fault

// Serve runs one call under a hook. The key is built only if there is a hook, because a call may be served a hundred
// thousand times without one.
func Serve[T any](ctx context.Context, c clock.Clock, hook Hook, call Call, key func() string, serve func() (T, error)) (T, error) {
	if hook == nil {
		return serve()
	}
	call.Key = key()
	fault := hook(call)
	var none T
	if fault.Delay > 0 {
		if err := c.Sleep(ctx, fault.Delay); err != nil {
			return none, err
		}
	}
	if fault.Err == nil {
		return serve()
	}
	if fault.Applied {
		// The call's own answer, success or failure, is lost.
		_, _ = serve()
	}
	return none, fault.Err
}
