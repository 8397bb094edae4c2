package function

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// initReportTimeout bounds the report of a failed start. The API answers at once, and the process ends anyway.
const initReportTimeout = 2 * time.Second

// reportInit tells Lambda why the function can't start, which aws-lambda-go doesn't do. Without it, a caller learns
// only that the runtime exited; with it, the reason is in the failed execution
// (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-initerror).
func reportInit(api string, reason error) error {
	body, err := json.Marshal(response(reason))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), initReportTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+api+"/2018-06-01/runtime/init/error", bytes.NewReader(body)) //nolint:gosec // Lambda sets the address
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Lambda-Runtime-Function-Error-Type", ErrorType(reason))
	// The API is on this host: no proxy reaches it.
	answer, err := (&http.Client{Transport: &http.Transport{}}).Do(request) //nolint:gosec // the same
	if err != nil {
		return err
	}
	if err := answer.Body.Close(); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusAccepted {
		return fmt.Errorf("the Runtime API answered %s", answer.Status)
	}
	return nil
}
