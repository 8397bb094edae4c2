package engine_test

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func TestWhatTheLocalCloudDoesNotKnowIsRefusedByName(t *testing.T) {
	d := newDesk(t, "local")
	for name, test := range map[string]struct {
		program pulumi.RunFunc
		want    []string
	}{
		"a resource type": {func(ctx *pulumi.Context) error {
			_, err := kms.NewCustomKeyStore(ctx, "store", &kms.CustomKeyStoreArgs{
				CloudHsmClusterId: pulumi.String("c"), CustomKeyStoreName: pulumi.String("s"),
				KeyStorePassword: pulumi.String("p"), TrustAnchorCertificate: pulumi.String("t"),
			})
			return err
		}, []string{"aws:kms/customKeyStore:CustomKeyStore", "does not know"}},
		"a property": {func(ctx *pulumi.Context) error {
			_, err := sqs.NewQueue(ctx, "queue", &sqs.QueueArgs{Name: pulumi.String("queue"), SqsManagedSseEnabled: pulumi.Bool(true)})
			return err
		}, []string{"aws:sqs/queue:Queue", "sqsManagedSseEnabled"}},
		"a kind of queue": {func(ctx *pulumi.Context) error {
			_, err := sqs.NewQueue(ctx, "queue", &sqs.QueueArgs{Name: pulumi.String("queue.fifo"), FifoQueue: pulumi.Bool(true)})
			return err
		}, []string{"fifoQueue"}},
	} {
		t.Run(name, func(t *testing.T) {
			d.program = test.program
			_, _, err := d.stack.Up(t.Context())
			for _, want := range test.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want it to name %s", err, want)
				}
			}
		})
	}
}
