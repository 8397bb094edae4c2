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
			r.set("arn", r.arn("ssm", "parameter%s", in.Name)).set("version", 1)
			return nil
		},
		start: startParameter,
		stop:  stopParameter,
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

func startParameter(c *Cloud, r *Resource, in parameterInputs) error {
	value := in.Value
	if value == "" {
		value = in.InsecureValue
	}
	version, err := c.in(r.Region).parameters.Put(parameters.Parameter{
		Name: in.Name, Type: types.ParameterType(in.Type), Value: value,
		DataType: in.DataType, AllowedPattern: in.AllowedPattern,
	})
	if err != nil {
		return err
	}
	r.set("version", version)
	return nil
}

func stopParameter(c *Cloud, r *Resource) error {
	c.in(r.Region).parameters.Delete(r.ID)
	return nil
}
