package operate

import (
	"net/http"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// AnswerWithin changes how long a call may wait.
func (s *Stack) AnswerWithin(limit time.Duration) {
	set := func(t *http.Transport) { t.ResponseHeaderTimeout = limit }
	switch client := s.Config.HTTPClient.(type) {
	case localClient:
		s.Config.HTTPClient = localClient{client.WithTransportOptions(set)}
	case *awshttp.BuildableClient:
		s.Config.HTTPClient = client.WithTransportOptions(set)
	}
}
