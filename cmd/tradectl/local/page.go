package local

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"trade-processing/internal/console"
	"trade-processing/internal/operate"
	"trade-processing/internal/outfile"
	"trade-processing/local/endpoint"
)

// writePage writes the console's views of the stack. They ask this process's cloud as they would ask AWS, but without a
// network.
func writePage(ctx context.Context, file *outfile.File, d *deployed) error {
	outputs := map[string]any{}
	for name, output := range d.outputs {
		outputs[name] = output.Value
	}
	text, err := json.Marshal(outputs)
	if err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	read, err := operate.ReadOutputs(text)
	if err != nil {
		return err
	}
	here := "http://local"
	stack := &operate.Stack{Outputs: read, Config: aws.Config{
		Region: read.Region, BaseEndpoint: &here, Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
		HTTPClient: inProcess{endpoint.New(d.cloud, &endpoint.Logs{})},
	}}
	if err := console.WriteFile(ctx, file, stack, "trade-processing "+read.Environment); err != nil {
		return err
	}
	return file.Commit()
}

// inProcess is an HTTP client that calls a handler.
type inProcess struct{ handler http.Handler }

func (c inProcess) Do(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	answer := httptest.NewRecorder()
	c.handler.ServeHTTP(answer, r)
	return answer.Result(), nil
}
