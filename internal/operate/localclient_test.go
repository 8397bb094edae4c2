package operate_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"trade-processing/internal/operate"
)

// half an answer, in both protocols that begin with {.
const half = "HTTP/1.1 200 OK\r\nSmithy-Protocol: rpc-v2-cbor\r\nContent-Length: 1000\r\n\r\n{"

// ending serves calls: it says so much, and then ends.
func ending(t *testing.T, said string, end func(*net.TCPConn) error) (address string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			t.Error(err)
		}
		connection, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, err = io.WriteString(connection, said)
		if err := errors.Join(err, end(connection.(*net.TCPConn))); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// However a connection ends, it is told in the words of who was called: the local cloud, or AWS.
func TestWhoDoesNotAnswerIsNamed(t *testing.T) {
	reset := func(c *net.TCPConn) error { return errors.Join(c.SetLinger(0), c.Close()) }
	ended := make(chan struct{})
	hang := func(*net.TCPConn) error { <-ended; return nil }
	defer close(ended)
	t.Setenv("AWS_ACCESS_KEY_ID", "x")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "y")
	for name, test := range map[string]struct{ address, says string }{
		"it is gone":                {"http://127.0.0.1:1", "dial tcp 127.0.0.1:1: connect: connection refused"},
		"it ends before its answer": {ending(t, "", (*net.TCPConn).Close), "the connection was closed"},
		"it is killed before it":    {ending(t, "", reset), "connection reset by peer"},
		"it ends within its answer": {ending(t, half, (*net.TCPConn).Close), "the connection was closed"},
		"it never answers":          {ending(t, "", hang), "timeout awaiting response headers"},
	} {
		root := project(t)
		serveLocal(t, root, test.address)
		t.Setenv("AWS_ENDPOINT_URL", test.address)
		for who, is := range map[string]struct {
			where       operate.Where
			says, never string
		}{
			"the local cloud": {operate.Where{Local: true, Project: root}, "the local cloud doesn't answer (", "AWS"},
			"AWS":             {operate.Where{File: "-"}, "AWS can't be reached: is the network up, and is AWS_ENDPOINT_URL right, if set?", "local"},
		} {
			t.Run(who+": "+name, func(t *testing.T) {
				stack, err := operate.Open(t.Context(), strings.NewReader(outputs), is.where)
				if err != nil {
					t.Fatal(err)
				}
				stack.Config.RetryMaxAttempts = 1
				if name == "it never answers" {
					stack.AnswerWithin(time.Millisecond)
				}
				_, inJSON := stack.DynamoDB().ListTables(t.Context(), &dynamodb.ListTablesInput{})
				_, inCBOR := stack.CloudWatch().ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{})
				for _, err := range []error{inJSON, inCBOR} {
					if err == nil {
						t.Fatal("the call succeeds")
					}
					if said := operate.Explain(err, stack.Outputs, "").Error(); !strings.Contains(said, test.says) || !strings.Contains(said, is.says) || strings.Contains(said, is.never) {
						t.Errorf("it says %q", said)
					}
				}
			})
		}
	}
}
