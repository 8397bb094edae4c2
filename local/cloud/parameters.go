package cloud

import (
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"trade-processing/local/parameters"
)

// parameterKinds are SSM parameters.
var parameterKinds = map[string]kind{
	"aws:ssm/parameter:Parameter": living[parameterInputs]{
		requires: "name type", replaces: "name", computes: "arn version",
		identify: func(_ *Cloud, r *Resource, in parameterInputs) error {
			r.ID = in.Name
			r.set("arn", r.arn("ssm", "parameter%s", in.Name)).set("version", 1.0)
			return nil
		},
		start: func(c *Cloud, r *Resource, in parameterInputs) error {
			return c.in(r.Region).parameters.Put(in.parameter(r))
		},
		update: func(c *Cloud, r *Resource, in parameterInputs) error {
			version, _ := r.Outputs["version"].(float64)
			r.set("version", version+1)
			return c.in(r.Region).parameters.Put(in.parameter(r))
		},
		stop: func(c *Cloud, r *Resource) error {
			c.in(r.Region).parameters.Delete(r.ID)
			return nil
		},
	}.kind(),
}

type parameterInputs struct {
	Name           string `property:"name"`
	Type           string `property:"type"`
	Value          string `property:"value"`
	AllowedPattern string `property:"allowedPattern"`

	// On record.
	Description string            `property:"description"`
	KeyID       string            `property:"keyId"`
	Tags        map[string]string `property:"tags"`
}

func (in parameterInputs) parameter(r *Resource) parameters.Parameter {
	version, _ := r.Outputs["version"].(float64)
	return parameters.Parameter{
		Name: in.Name, Type: types.ParameterType(in.Type), Value: in.Value, AllowedPattern: in.AllowedPattern, Version: int64(version),
	}
}
