package endpoint

import (
	"net/http"
	"net/http/httptest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// Config returns the configuration of clients that call the endpoint without a network: it answers in the caller's
// goroutine.
func (e *Endpoint) Config(region string) aws.Config {
	return aws.Config{
		Region: region, BaseEndpoint: aws.String("http://local"), HTTPClient: client{e},
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	}
}

type client struct{ *Endpoint }

func (c client) Do(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	answer := httptest.NewRecorder()
	c.ServeHTTP(answer, r)
	return answer.Result(), nil
}
