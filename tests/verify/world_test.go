// Package verify_test proves deployments of the real program, on the embedded local cloud behind AWS's wire protocols:
// a sound one, which must pass, and for each step one broken where that step must notice.
package verify_test

import (
	"maps"
	"testing"
	"time"

	"trade-processing/internal/verify"
	"trade-processing/local/cloud"
	"trade-processing/tests/deployed"
)

const root = "../.."

// world is a deployed stack.
type world struct {
	*deployed.Served
	t *testing.T
}

// newWorld deploys a stack and serves it. The settings replace keys of the stack's config.
func newWorld(t *testing.T, name string, settings map[string]string) *world {
	t.Helper()
	// Nobody waits long for a retry or a replica, and the clock stays within the verification's allowed skew, because no test
	// takes half a minute.
	return &world{deployed.Serve(t, cloud.Options{Clock: deployed.Hasty(10)}, root, name, settings), t}
}

// options returns the options of a verification that waits no longer than necessary here.
func (w *world) options() verify.Options {
	config := w.Stack.Config
	config.Region = "" // the outputs name it
	return verify.Options{
		Outputs: w.Stack.Outputs, Config: config,
		Timeout: 600 * time.Millisecond, Poll: 20 * time.Millisecond, Grace: 300 * time.Millisecond, Watch: -1,
	}
}

func (w *world) verify() *verify.Report { return verify.Run(w.t.Context(), w.options()) }

// verifyDelivery also has a delivery fail.
func (w *world) verifyDelivery() *verify.Report {
	options := w.options()
	options.Delivery = true
	return verify.Run(w.t.Context(), options)
}

// targets lists the ids of all rules' targets.
func (w *world) targets() []string {
	var ids []string
	for _, r := range w.Cloud.Resources() {
		if r.Type == cloud.TargetType {
			ids = append(ids, r.Inputs["targetId"].(string))
		}
	}
	return ids
}

// bodies returns the messages in all queues.
func (w *world) bodies() []string {
	w.t.Helper()
	var all []string
	for name := range maps.Keys(w.Cloud.QueueDepths(w.Stack.Outputs.Region)) {
		for message := range w.Queue(name).Messages() {
			all = append(all, message.Body)
		}
	}
	return all
}
