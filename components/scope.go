package components

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Scope is where a component's resources live. With it, the ARN of a resource with a chosen name is known before the
// resource exists, which key and queue policies need. A component asks its own provider for it; a given one must be the
// provider's.
type Scope struct {
	Partition string // aws, aws-cn or aws-us-gov
	Account   string // the 12 digits of the account
	Region    string

	checked bool // found by a component, so its children needn't ask again
}

// LookupScope asks a provider for its account, partition and region.
func LookupScope(ctx *pulumi.Context, opts ...pulumi.InvokeOption) (Scope, error) {
	caller, err := aws.GetCallerIdentity(ctx, &aws.GetCallerIdentityArgs{}, opts...)
	if err != nil {
		return Scope{}, fmt.Errorf("asking AWS for the account: %w", err)
	}
	partition, err := aws.GetPartition(ctx, &aws.GetPartitionArgs{}, opts...)
	if err != nil {
		return Scope{}, fmt.Errorf("asking AWS for the partition: %w", err)
	}
	region, err := aws.GetRegion(ctx, &aws.GetRegionArgs{}, opts...)
	if err != nil {
		return Scope{}, fmt.Errorf("asking AWS for the region: %w", err)
	}
	return Scope{Partition: partition.Partition, Account: caller.AccountId, Region: region.Name}, nil
}

// resolve finds a component's scope through its provider, or checks the given one.
func (s *Scope) resolve(ctx *pulumi.Context, name string, component pulumi.Resource) error {
	if s.checked {
		return nil
	}
	found, err := LookupScope(ctx, pulumi.Parent(component))
	if err != nil {
		return err
	}
	if given := *s; given != (Scope{}) && given != found {
		return &ArgumentError{Component: name, Argument: "Scope", Reason: fmt.Sprintf(
			"is %s of account %s in partition %s, but the provider's is %s of account %s in partition %s",
			given.Region, given.Account, given.Partition, found.Region, found.Account, found.Partition)}
	}
	found.checked = true
	*s = found
	return nil
}

// In returns the same account in another region of the partition.
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
