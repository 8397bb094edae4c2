package operate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"trade-processing/internal/exitcode"
)

var errNoCredentials = errors.New("no AWS credentials: get some with `aws sso login` or `aws configure`, choose with AWS_PROFILE")

// FindCredentials fails if there are none, and so nothing can be called.
func FindCredentials(ctx context.Context, config aws.Config) error {
	if config.Credentials == nil {
		return exitcode.With(exitcode.Usage, errNoCredentials)
	}
	if _, err := config.Credentials.Retrieve(ctx); err != nil {
		return exitcode.Usagef("%w: %w", errNoCredentials, plainly(err))
	}
	return nil
}

// errNoAnswer is told about an answer that lacks what every answer of AWS has.
var errNoAnswer = errors.New("the answer isn't AWS's: is AWS_ENDPOINT_URL right, if set?")

// gotAnswer reports whether a call that failed got a whole answer. If that has no error of AWS's, it is from somebody else, such as
// a proxy.
func gotAnswer(err error) bool {
	var answer *smithyhttp.ResponseError
	return errors.As(err, &answer) && answer.HTTPStatusCode() != 0 && !unreachable(err)
}

// unreachable reports whether a connection couldn't be made, or ended before the answer did.
func unreachable(err error) bool {
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, io.ErrUnexpectedEOF)
}

// unsent returns what the network says about a call that got no whole answer, without what HTTP says.
func unsent(err error) string {
	var silent localSilent
	var call *url.Error
	var network *net.OpError
	switch {
	case errors.As(err, &silent):
		return silent.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed"
	case errors.As(err, &call):
		return call.Err.Error()
	case errors.As(err, &network):
		return network.Error()
	}
	return err.Error()
}

// Reason returns what AWS says in an error or, if it says nothing, what kept it from that, without the SDK's own words.
func Reason(err error) string {
	var refusal smithy.APIError
	var call *smithy.OperationError
	switch {
	case errors.As(err, &refusal):
		return refusal.ErrorCode() + ": " + refusal.ErrorMessage()
	case gotAnswer(err):
		return errNoAnswer.Error()
	case unreachable(err):
		return unsent(err)
	case errors.As(err, &call):
		return call.Err.Error()
	}
	return err.Error()
}

// shortened is an error in fewer words.
type shortened struct {
	text string
	error
}

func (s *shortened) Error() string { return s.text }
func (s *shortened) Unwrap() error { return s.error }

// plainly leaves out the SDK's own words about a call: how often it tried, and what HTTP thought of it.
func plainly(err error) error {
	var call *smithy.OperationError
	if !errors.As(err, &call) {
		return err
	}
	return &shortened{strings.Replace(err.Error(), call.Error(), call.ServiceID+" "+call.OperationName+": "+Reason(call), 1), err}
}

// problems are the errors of calls that were made at once, each kind once.
type problems []error

func (p problems) Unwrap() []error { return p }
func (p problems) Error() string {
	texts := make([]string, len(p))
	for i, one := range p {
		texts[i] = one.Error()
	}
	return strings.Join(texts, "\n")
}

// distinct joins the errors of calls that were made at once. What all of them met is told once: that there is no network, or that
// an operation isn't permitted.
func distinct(all ...error) error {
	var kept problems
	kinds := map[string]bool{}
	for _, err := range all {
		var several problems
		if !errors.As(err, &several) && err != nil {
			several = problems{err}
		}
		for _, one := range several {
			if kind := kindOf(one); !kinds[kind] {
				kinds[kind] = true
				kept = append(kept, plainly(one))
			}
		}
	}
	if len(kept) == 0 {
		return nil
	}
	return kept
}

func kindOf(err error) string {
	var call *smithy.OperationError
	var refusal smithy.APIError
	switch {
	case errors.As(err, &call) && errors.As(err, &refusal):
		return call.ServiceID + " " + call.OperationName + " " + refusal.ErrorCode()
	case gotAnswer(err):
		return "somebody else's answer"
	case unreachable(err):
		return "no network"
	}
	return err.Error()
}

// Explain says in few words what AWS says, and adds how to fix it. permissions says where those that a caller needs are listed.
func Explain(err error, outputs Outputs, permissions string) error {
	if code, _ := exitcode.Of(err); code != exitcode.Failure {
		return err // it says so itself
	}
	err = plainly(err)
	var refusal smithy.APIError
	if !errors.As(err, &refusal) {
		var silent localSilent // says so itself
		if unreachable(err) && !errors.As(err, &silent) {
			return fmt.Errorf("%w\nAWS can't be reached: is the network up, and is AWS_ENDPOINT_URL right, if set?", err)
		}
		return err
	}
	code := refusal.ErrorCode()
	has := func(words ...string) bool {
		for _, word := range words {
			if strings.Contains(code, word) {
				return true
			}
		}
		return false
	}
	switch {
	case has("Expired"):
		return fmt.Errorf("%w\nThe credentials have expired: renew them with `aws sso login`, or wherever they came from", err)
	case has("UnrecognizedClient", "InvalidClientTokenId", "SignatureDoesNotMatch", "InvalidSignature", "IncompleteSignature"):
		return fmt.Errorf("%w\nAWS doesn't know these credentials: choose others with AWS_PROFILE", err)
	case has("AccessDenied", "AuthorizationError", "NotAuthorized", "UnauthorizedOperation"):
		return fmt.Errorf("%w\nThe caller's role lacks this permission: %s", err, permissions)
	case has("NotFound", "DoesNotExist", "NonExistentQueue"):
		err = fmt.Errorf("%w\nIt isn't in account %s, region %s: are these the outputs of a stack that was destroyed, or deployed elsewhere?",
			err, outputs.Account(), outputs.Region)
		if lost, is := errors.AsType[*smithy.OperationError](err); is && lost.ServiceID == dynamodb.ServiceID && len(outputs.ReplicaRegions) > 0 {
			err = fmt.Errorf("%w If only the table is gone, its replicas have the trades: `get` and `list` with --replica %s; see docs/runbook.md#the-table-itself-is-gone",
				err, outputs.ReplicaRegions[0])
		}
		return err
	}
	return err
}
