package operate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"

	"trade-processing/internal/exitcode"
)

var errNoCredentials = errors.New("no AWS credentials: get some with `aws sso login` or `aws configure`, choose with AWS_PROFILE")

// FindCredentials fails if there are none, and so nothing can be called.
func FindCredentials(ctx context.Context, config aws.Config) error {
	if config.Credentials == nil {
		return exitcode.With(exitcode.Usage, errNoCredentials)
	}
	if _, err := config.Credentials.Retrieve(ctx); err != nil {
		return exitcode.Usagef("%w: %w", errNoCredentials, err)
	}
	return nil
}

// errNoAnswer is told about an answer that lacks what every answer of AWS has.
var errNoAnswer = errors.New("the answer isn't AWS's: is AWS_ENDPOINT_URL right, if set?")

// Explain adds to an AWS error how to fix it. permissions says where those that a caller needs are listed.
func Explain(err error, outputs Outputs, permissions string) error {
	var refusal smithy.APIError
	switch code, _ := exitcode.Of(err); {
	case code != exitcode.Failure:
		return err // it says so itself
	case !errors.As(err, &refusal):
		var unreachable net.Error
		if errors.As(err, &unreachable) {
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
		return fmt.Errorf("%w\nIt isn't in account %s, region %s: are these the outputs of a stack that was destroyed, or deployed elsewhere?",
			err, outputs.Account(), outputs.Region)
	}
	return err
}
