package components

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Scope is where a component's resources live. With it, the ARN of a resource whose name is chosen is known before the
// resource exists, which is what the policies of a key or a queue need.
type Scope struct {
	Partition string // aws, aws-cn or aws-us-gov
	Account   string // the 12 digits of the account
	Region    string
}

// LookupScope asks AWS for the account and the partition of a provider whose region is known.
func LookupScope(ctx *pulumi.Context, region string, opts ...pulumi.InvokeOption) (Scope, error) {
	caller, err := aws.GetCallerIdentity(ctx, &aws.GetCallerIdentityArgs{}, opts...)
	if err != nil {
		return Scope{}, fmt.Errorf("asking AWS for the account: %w", err)
	}
	partition, err := aws.GetPartition(ctx, &aws.GetPartitionArgs{}, opts...)
	if err != nil {
		return Scope{}, fmt.Errorf("asking AWS for the partition: %w", err)
	}
	return Scope{Partition: partition.Partition, Account: caller.AccountId, Region: region}, nil
}

// In is the same account in another region of the partition.
func (s Scope) In(region string) Scope {
	s.Region = region
	return s
}

// ARN names a resource of this account and region, such as ARN("sqs", "orders").
func (s Scope) ARN(service, resource string) string {
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s", s.Partition, service, s.Region, s.Account, resource)
}

// Global names a resource of a service that has no regions, such as Global("iam", "root").
func (s Scope) Global(service, resource string) string {
	return fmt.Sprintf("arn:%s:%s::%s:%s", s.Partition, service, s.Account, resource)
}

// LogGroupARN names a log group by its name, and the streams in it.
func (s Scope) LogGroupARN(name string) (group, streams string) {
	group = s.ARN("logs", "log-group:"+name)
	return group, group + ":*"
}
