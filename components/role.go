package components

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// roleArgs are the differences between this package's roles.
type roleArgs struct {
	name        pulumi.StringInput
	description string
	trust       pulumi.String
	boundary    pulumi.StringInput // the ARN of a permissions boundary; nil: none
}

func newRole(ctx *pulumi.Context, parent pulumi.Resource, name string, args roleArgs) (*iam.Role, error) {
	role := &iam.RoleArgs{
		Name:             args.name,
		Description:      pulumi.String(args.description),
		AssumeRolePolicy: args.trust,
	}
	if args.boundary != nil {
		role.PermissionsBoundary = args.boundary.ToStringOutput().ToStringPtrOutput()
	}
	made, err := iam.NewRole(ctx, name, role, pulumi.Parent(parent))
	if err != nil {
		return nil, fmt.Errorf("creating role %s: %w", name, err)
	}
	return made, nil
}
