package cloud

import (
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"trade-processing/local/parameters"
)

// parameterKinds are SSM parameters.
var parameterKinds = map[string]kind{
	"aws:ssm/parameter:Parameter": {
		uses: "name type value allowedPattern", records: "description keyId tags",
		requires: "name type", replaces: "name",
		computes: "arn version", renews: "version", unversioned: "tags",
		identify: then(named("ssm", "parameter"), func(_ *Cloud, r *Resource) {
			version, _ := r.Outputs["version"].(float64) // none yet: 0
			r.set("version", version+1)
		}),
		start: func(c *Cloud, r *Resource) error {
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
