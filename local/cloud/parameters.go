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
			version, _ := r.Outputs["version"].(float64)
			return c.in(r.Region).parameters.Restore(in.parameter(), int64(version))
		},
		update: func(c *Cloud, r *Resource, in parameterInputs) error {
			version, err := c.in(r.Region).parameters.Put(in.parameter())
			r.set("version", float64(version))
			return err
		},
		stop: func(c *Cloud, r *Resource) error {
			c.in(r.Region).parameters.Delete(r.ID)
			return nil
		},
	}.kind(),
}

type parameterInputs struct {
	Name           string            `property:"name"`
	Type           string            `property:"type"`
	Value          string            `property:"value"`
	InsecureValue  string            `property:"insecureValue"`
	AllowedPattern string            `property:"allowedPattern"`
	DataType       string            `property:"dataType"`
	Description    string            `property:"description"` // on record
	KeyID          string            `property:"keyId"`       // on record
	Tier           string            `property:"tier"`        // on record
	Overwrite      bool              `property:"overwrite"`   // on record
	Tags           map[string]string `property:"tags"`        // on record
}

func (in parameterInputs) parameter() parameters.Parameter {
	value := in.Value
	if value == "" {
		value = in.InsecureValue
	}
	return parameters.Parameter{
		Name: in.Name, Type: types.ParameterType(in.Type), Value: value,
		DataType: in.DataType, AllowedPattern: in.AllowedPattern,
	}
}
