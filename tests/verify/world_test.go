// Package verify_test proves deployments of the real program, on the embedded local cloud behind AWS's wire protocols:
// a sound one, which must pass, and for each step one broken where that step must notice.
package verify_test

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"trade-processing/internal/localrun"
	"trade-processing/internal/operate"
	"trade-processing/internal/verify"
	"trade-processing/local/clock"
	"trade-processing/local/cloud"
	"trade-processing/local/endpoint"
	"trade-processing/local/queue"
	"trade-processing/tests/deployed"
)

const root = "../.."

// world is a deployed stack behind an endpoint.
type world struct {
	t       *testing.T
	cloud   *cloud.Cloud
	server  *httptest.Server
	outputs map[string]any

	// tamper may answer a call itself, and then returns true; it may also change what comes before or after. Nil:
	// nothing is tampered with.
	tamper func(w http.ResponseWriter, r *http.Request, call endpoint.Call, body []byte, serve http.Handler) bool
}

// newWorld deploys a stack and serves it. The settings replace keys of the stack's config.
func newWorld(t *testing.T, name string, settings map[string]string) *world {
	t.Helper()
	logs := &endpoint.Logs{}
	w := &world{t: t}
	w.cloud = cloud.New(cloud.Options{Images: localrun.Images(), Logs: logs, Clock: hasty{clock.Real(), time.Now()}})
	var err error
	if w.outputs, err = deployed.On(t.Context(), w.cloud, root, name, settings); err != nil {
		t.Fatal(err)
	}
	served := endpoint.New(w.cloud, logs)
	w.server = httptest.NewServer(http.HandlerFunc(func(response http.ResponseWriter, r *http.Request) {
		call, body, err := endpoint.Read(r)
		if err != nil || w.tamper == nil || !w.tamper(response, r, call, body, served) {
			served.ServeHTTP(response, r)
		}
	}))
	t.Cleanup(w.server.Close)
	return w
}

// hasty is a clock that runs ten times faster, so nobody waits long for a retry or a replica. It stays within the
// allowed skew of the verification's clock, because no test takes half a minute.
type hasty struct {
	clock.Clock
	begun time.Time
}

const haste = 10

func (h hasty) Now() time.Time { return h.begun.Add(haste * time.Since(h.begun)) }

func (h hasty) Sleep(ctx context.Context, d time.Duration) error { return h.Clock.Sleep(ctx, d/haste) }

// options returns the options of a verification that waits no longer than necessary here.
func (w *world) options() verify.Options {
	w.t.Helper()
	text, err := json.Marshal(w.outputs)
	if err != nil {
		w.t.Fatal(err)
	}
	outputs, err := operate.ReadOutputs(text)
	if err != nil {
		w.t.Fatal(err)
	}
	return verify.Options{
		Outputs: outputs,
		Config: aws.Config{
			BaseEndpoint: aws.String(w.server.URL),
			Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
			}),
		},
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
	for _, r := range w.cloud.Resources() {
		if r.Type == cloud.TargetType {
			ids = append(ids, r.Inputs["targetId"].(string))
		}
	}
	return ids
}

// queueOf finds a queue by its URL.
func (w *world) queueOf(url string) *queue.Queue {
	w.t.Helper()
	found, err := w.cloud.Queue(w.outputs["region"].(string), url[strings.LastIndex(url, "/")+1:])
	if err != nil {
		w.t.Fatal(err)
	}
	return found
}

// deadLetters returns the URL of a function's dead-letter queue.
func (w *world) deadLetters(function string) string {
	return w.outputs["deadLetterQueueUrls"].(map[string]any)[function].(string)
}

// bodies returns the messages in all queues.
func (w *world) bodies() []string {
	w.t.Helper()
	var all []string
	for name := range maps.Keys(w.cloud.QueueDepths(w.outputs["region"].(string))) {
		for message := range w.queueOf(name).Messages() {
			all = append(all, message.Body)
		}
	}
	return all
}
