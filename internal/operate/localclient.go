package operate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// localClient calls the local cloud. Only it knows that a call that fails was for that, and not for AWS.
type localClient struct{ *awshttp.BuildableClient }

func (c localClient) Do(r *http.Request) (*http.Response, error) {
	answer, err := c.BuildableClient.Do(r)
	if err != nil {
		return nil, noLocalAnswer(r.Context(), err)
	}
	answer.Body = localBody{r.Context(), answer.Body}
	return answer, nil
}

// localBody is an answer, in the middle of which the local cloud may end.
type localBody struct {
	call context.Context
	io.ReadCloser
}

func (b localBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = noLocalAnswer(b.call, err)
	}
	return n, err
}

// localSilent is why the local cloud didn't answer.
type localSilent struct{ error }

func (e localSilent) Error() string {
	return fmt.Sprintf("the local cloud doesn't answer (%s): `tradectl local status` says whether it is up, `tradectl local up` starts it", unsent(e.error))
}

func (e localSilent) Unwrap() error { return e.error }

func noLocalAnswer(call context.Context, err error) error {
	if call.Err() != nil {
		return err // who called didn't wait
	}
	return localSilent{err}
}
