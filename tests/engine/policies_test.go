package engine_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/internal/engine"
	"trade-processing/policy/pack"
)

func TestThePolicyPackStopsAStackThatBreaksIt(t *testing.T) {
	policies, err := pack.Server(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	d := openDesk(t, engine.Options{Stack: "dev", Policies: policies})

	deploys := d.program
	d.program = func(ctx *pulumi.Context) error {
		_, err := sqs.NewQueue(ctx, "scratch", &sqs.QueueArgs{Name: pulumi.String("scratch")})
		return errors.Join(err, deploys(ctx))
	}
	_, err = d.stack.Preview(t.Context())
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
