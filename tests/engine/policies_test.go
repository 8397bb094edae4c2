package engine_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/policy/pack"
)

// TestMain lets this program be the policy pack that its tests put on a stack.
func TestMain(m *testing.M) {
	if pack.Called(os.Args) {
		os.Exit(pack.Main(context.Background(), os.Args, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

func TestThePolicyPackStopsAStackThatBreaksIt(t *testing.T) {
	options := optionsFor(t, "dev")
	options.Policies = true
	d := openDesk(t, options)

	deploys := d.program
	d.program = func(ctx *pulumi.Context) error {
		_, err := sqs.NewQueue(ctx, "scratch", &sqs.QueueArgs{Name: pulumi.String("scratch")})
		return errors.Join(err, deploys(ctx))
	}
	_, err := d.stack.Preview(t.Context())
	if err == nil {
		t.Fatal("a queue without a key is allowed")
	}
	for _, want := range []string{"policy sqs-customer-key is broken (mandatory)\n  aws:sqs/queue:Queue \"scratch\"\n", "kmsMasterKeyId"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error says nothing of %q: %v", want, err)
		}
	}

	d.program = deploys
	if verdict := d.up().Policies; len(verdict.Violations) > 0 || len(verdict.Passed) < 40 {
		t.Errorf("without it: %s; %v", verdict.Summary(), verdict.Violations)
	}
}
