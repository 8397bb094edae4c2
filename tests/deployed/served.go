package deployed

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"trade-processing/internal/localrun"
	"trade-processing/internal/operate"
	"trade-processing/local/cloud"
	"trade-processing/local/endpoint"
	"trade-processing/local/queue"
)

// Served is a stack on a local cloud behind AWS's protocols.
type Served struct {
	Cloud    *cloud.Cloud
	Server   *httptest.Server
	Stack    *operate.Stack // as operators' commands find it
	Exported []byte         // what `pulumi stack output --json` prints
	Outputs  string         // a file with that

	// Tamper comes between the server and its callers. Nil: nothing does.
	Tamper Tampering

	t *testing.T
}

// Tampering may answer a call itself, and then returns true; it may also change what comes before or after.
type Tampering = func(w http.ResponseWriter, r *http.Request, call endpoint.Call, body []byte, serve http.Handler) bool

// Serve deploys a stack of the project in folder root and serves it until the test ends. The settings replace keys of the
// stack's config; the options lack only images and logs.
func Serve(t *testing.T, options cloud.Options, root, name string, settings map[string]string) *Served {
	t.Helper()
	logs := &endpoint.Logs{}
	options.Images, options.Logs = localrun.Images(), logs
	s := &Served{Cloud: cloud.New(options), Outputs: filepath.Join(t.TempDir(), "outputs.json"), t: t}
	t.Cleanup(func() { _ = s.Cloud.Close() })
	s.Exported = On(t, s.Cloud, root, name, settings)
	if err := os.WriteFile(s.Outputs, s.Exported, 0o600); err != nil {
		t.Fatal(err)
	}
	served := endpoint.New(s.Cloud, logs)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.Tamper != nil {
			call, body, err := endpoint.Read(r)
			if err == nil && s.Tamper(w, r, call, body, served) {
				return
			}
		}
		served.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Server.Close)
	outputs, err := operate.ReadOutputs(s.Exported)
	if err != nil {
		t.Fatal(err)
	}
	s.Stack = &operate.Stack{Outputs: outputs, Config: aws.Config{
		Region: outputs.Region, BaseEndpoint: &s.Server.URL, Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}}
	return s
}

// Setenv sets the variables with which AWS's clients call the server.
func (s *Served) Setenv() {
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": s.Server.URL, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	} {
		s.t.Setenv(name, value)
	}
}

// Queue finds a queue by its URL or name.
func (s *Served) Queue(url string) *queue.Queue {
	s.t.Helper()
	found, err := s.Cloud.Queue(s.Stack.Outputs.Region, url[strings.LastIndex(url, "/")+1:])
	if err != nil {
		s.t.Fatal(err)
	}
	return found
}
