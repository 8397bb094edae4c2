// Package endpoint serves a local cloud over AWS's own wire protocols, so programs written for AWS run against it with
// AWS_ENDPOINT_URL and any credentials.
//
// It serves what `tradectl verify` and the functions call, and refuses anything unknown by name: an operation, a field
// of a request. Signatures are read for their region and service, but not verified.
package endpoint

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/smithy-go"

	"trade-processing/local/awsapi"
	"trade-processing/local/cloud"
)

// Endpoint is an http.Handler that serves all regions of a cloud.
type Endpoint struct {
	cloud  *cloud.Cloud
	logs   *Logs
	traces traces
	began  time.Time

	changing sync.Mutex // one change of a resource at a time
}

// New returns an endpoint. logs are the cloud's: its Options.Logs.
func New(c *cloud.Cloud, logs *Logs) *Endpoint {
	return &Endpoint{cloud: c, logs: logs, began: time.Now()}
}

// Call is a request, as far as its headers say.
type Call struct {
	Service   string // as signatures name it, such as events
	Region    string
	Operation string // such as PutEvents
	Protocol  string // of the request
}

// operation serves one operation: it reads a body, which is JSON whatever the protocol, and returns what the answer is
// made of (see answer.go).
type operation func(e *Endpoint, ctx context.Context, region string, body []byte) (any, error)

// operations are the supported ones, by the service's name in signatures.
var operations = map[string]map[string]operation{
	"sts": identityOperations, "events": eventOperations, "dynamodb": tableOperations, "ssm": parameterOperations,
	"sqs": queueOperations, "monitoring": alarmOperations, "states": machineOperations, "logs": logOperations, "lambda": functionOperations, "kms": keyOperations, "xray": traceOperations,
	"iam": roleOperations, "sns": topicOperations, "ec2": networkOperations, "ecr": repositoryOperations,
	"backup": backupOperations,
}

// serve turns a method whose request is JSON into an operation.
func serve[In any](do func(*Endpoint, context.Context, string, In) (any, error)) operation {
	return func(e *Endpoint, ctx context.Context, region string, body []byte) (any, error) {
		var in In
		decoder := json.NewDecoder(bytes.NewReader(body))
		decoder.DisallowUnknownFields()
		err := decoder.Decode(&in)
		if refusal, ok := errors.AsType[smithy.APIError](err); ok {
			return nil, refusal
		}
		if err != nil {
			if _, member, unknown := strings.Cut(err.Error(), "json: unknown field "); unknown { // which has no type
				return nil, &awsapi.Unsupported{Feature: "the member " + member}
			}
			return nil, awsapi.Error("SerializationException", "%v", err)
		}
		return do(e, ctx, region, in)
	}
}

// scope finds region and service in a signature.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
var scope = regexp.MustCompile(`Credential=[^/]+/\d{8}/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request`)

// Read says what a request asks for. Its body is read, and can be read again.
func Read(r *http.Request) (Call, []byte, error) {
	found := scope.FindStringSubmatch(r.Header.Get("Authorization"))
	if found == nil {
		return Call{}, nil, awsapi.Error("MissingAuthenticationToken", "the request has no signature of version 4")
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return Call{}, nil, fmt.Errorf("reading a request: %w", err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	call := Call{Region: found[1], Service: found[2]}
	switch target := r.Header.Get("X-Amz-Target"); {
	case target != "": // SERVICE_VERSION.OPERATION
		call.Protocol, call.Operation = jsonRequest, target[strings.LastIndex(target, ".")+1:]
	case strings.HasPrefix(r.URL.Path, "/service/"): // /service/NAME/operation/OPERATION
		call.Protocol, call.Operation = cborRequest, r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	case formValue(body, "Action") != "":
		call.Protocol, call.Operation = queryRequest, formValue(body, "Action")
	default:
		call.Protocol, call.Operation = restRequest, restOperation(call.Service, r)
	}
	return call, body, nil
}

func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call, body, err := Read(r)
	protocol := call.protocol(r.Header.Get("Content-Type"))
	if err != nil {
		protocol.fail(w, err)
		return
	}
	do, known := operations[call.Service][call.Operation]
	if !known {
		protocol.fail(w, awsapi.Error("UnknownOperationException", "%s of %s is not served here", call.Operation, call.Service))
		return
	}
	if speaks := cmp.Or(served[call.Service], jsonRequest); !strings.Contains(speaks, call.Protocol) {
		protocol.fail(w, &awsapi.Unsupported{Operation: call.Operation, Feature: "the protocol " + call.Protocol + " of " + call.Service + ", only " + speaks})
		return
	}
	if body, err = protocol.read(r, body); err != nil {
		protocol.fail(w, awsapi.Error("SerializationException", "%v", err))
		return
	}
	// As on AWS, a request that has arrived is served, whether or not the caller waits for the answer.
	answer, err := do(e, context.WithoutCancel(r.Context()), call.Region, body)
	if err != nil {
		if unsupported, ok := errors.AsType[*awsapi.Unsupported](err); ok && unsupported.Operation == "" {
			unsupported.Operation = call.Operation
		}
		protocol.fail(w, err)
		return
	}
	e.cloud.Sync() // what was done outlives a kill from here on
	protocol.answer(w, answer)
}

// status returns the HTTP status of an error, with its code and message.
func status(err error) (int, string, string) {
	if unsupported, ok := errors.AsType[*awsapi.Unsupported](err); ok {
		return http.StatusBadRequest, "UnsupportedOperationException", unsupported.Error()
	}
	refusal, named := errors.AsType[smithy.APIError](err)
	switch {
	case !named:
		return http.StatusInternalServerError, "InternalFailure", err.Error()
	case refusal.ErrorFault() == smithy.FaultServer:
		return http.StatusInternalServerError, refusal.ErrorCode(), refusal.ErrorMessage()
	}
	return http.StatusBadRequest, refusal.ErrorCode(), refusal.ErrorMessage()
}

// change changes some of a resource's properties without the engine, whose state doesn't know of it, as on AWS; nil removes
// one.
func (e *Endpoint) change(r *cloud.Resource, some object) error {
	e.changing.Lock()
	defer e.changing.Unlock()
	now, there := e.cloud.Read(r.Type, r.Region, r.ID)
	if !there {
		return awsapi.Error("ResourceNotFoundException", "%s was deleted meanwhile.", r.ID)
	}
	properties := maps.Clone(now.Inputs)
	maps.Copy(properties, some)
	maps.DeleteFunc(properties, func(_ string, value any) bool { return value == nil })
	checked, err := cloud.Check(r.Type, r.Name, properties, nil, nil)
	if err == nil {
		_, err = e.cloud.Update(r.Type, r.Region, r.ID, checked)
	}
	if err != nil {
		return awsapi.Validation("%v", err)
	}
	return nil
}

// Operations lists what is served, as a service's name in signatures and an operation.
func Operations() []string {
	var all []string
	for service, known := range operations {
		for name := range known {
			all = append(all, service+" "+name)
		}
	}
	slices.Sort(all)
	return all
}
