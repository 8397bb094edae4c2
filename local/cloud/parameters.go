package cloud

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"

	"trade-processing/local/access"
	"trade-processing/local/parameters"
)

// parameterKinds are SSM parameters.
var parameterKinds = map[string]kind{
	ParameterType: {
		uses: "name type value allowedPattern", records: "description keyId tags",
		requires: "name type", replaces: "name",
		computes: "arn version", renews: "version", unversioned: "tags",
		identify: then(named("ssm", "parameter"), func(_ *Cloud, r *Resource) {
			version, _ := r.Outputs["version"].(float64) // none yet: 0
			r.set("version", version+1)
		}),
		start: func(c *Cloud, r *Resource) error {
			if c.restoring && c.in(r.Region).parameters.Versions(r.ID) != nil {
				return nil // it may have been changed by PutParameter since
			}
			version, _ := r.Outputs["version"].(float64)
			return c.in(r.Region).parameters.Put(parameters.Parameter{
				Name: r.ID, Type: types.ParameterType(r.Inputs.text("type")), Value: r.Inputs.text("value"),
				AllowedPattern: r.Inputs.text("allowedPattern"), Version: int64(version),
			})
		},
		stop: func(c *Cloud, r *Resource) error {
			c.in(r.Region).parameters.Delete(r.ID)
			return nil
		},
	},
}

// Parameters returns a region's parameters.
func (c *Cloud) Parameters(region string) *parameters.Store { return c.in(region).parameters }

// parameterClient is SSM as a function in one region sees it.
type parameterClient struct {
	cloud    *Cloud
	region   string
	function string // ARN; empty for an administrator
}

// GetParametersByPath lists the parameters below a path.
func (p parameterClient) GetParametersByPath(ctx context.Context, in *ssm.GetParametersByPathInput, options ...func(*ssm.Options)) (*ssm.GetParametersByPathOutput, error) {
	path := "arn:aws:ssm:" + p.region + ":" + Account + ":parameter" + strings.TrimSuffix(aws.ToString(in.Path), "/")
	if err := p.cloud.allowedTo(p.function, access.GetParameters, path); err != nil {
		return nil, &smithy.OperationError{ServiceID: "SSM", OperationName: "GetParametersByPath", Err: err}
	}
	return p.cloud.in(p.region).parameters.GetParametersByPath(ctx, in, options...)
}
