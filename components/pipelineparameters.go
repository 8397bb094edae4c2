package components

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ssm"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Parameter is an SSM parameter of a pipeline. The stack's config is its source: a value that an operator sets with the
// AWS CLI lasts until a deployment changes it, or until one that refreshes first.
type Parameter struct {
	// Name is what follows the pipeline's ParameterPrefix.
	Name string `pulumi:"name"`

	// Description says what the functions use the value for.
	Description string `pulumi:"description"`

	// AllowedPattern is the regular expression that a value must match in SSM. A function that starts with a value it
	// can't read fails every trade, so let SSM refuse what the functions would.
	AllowedPattern string `pulumi:"allowedPattern"`

	// Value is the value, which can't be empty. A secret one is stored as a SecureString under the pipeline's key.
	Value pulumi.StringInput `pulumi:"value"`
}

func (p Parameter) secret() bool {
	output, isOutput := p.Value.(pulumi.Output)
	return isOutput && pulumi.IsSecret(output)
}

func (args *TradePipelineArgs) hasSecrets() bool {
	for _, parameter := range args.Parameters {
		if parameter.secret() {
			return true
		}
	}
	return false
}

func (args *TradePipelineArgs) checkParameters(a *arguments) {
	for i, parameter := range args.Parameters {
		field := fmt.Sprintf("Parameters[%d]", i)
		a.text(field+".Name", parameter.Name)
		a.text(field+".Description", parameter.Description)
		a.text(field+".AllowedPattern", parameter.AllowedPattern)
		a.given(field+".Value", parameter.Value)
	}
}

// newParameters creates what the functions read while they run.
func (args *TradePipelineArgs) newParameters(ctx *pulumi.Context, p *TradePipeline, name string) error {
	for _, parameter := range args.Parameters {
		given := &ssm.ParameterArgs{
			Name:           pulumi.String(args.ParameterPrefix + parameter.Name),
			Description:    pulumi.String(parameter.Description),
			AllowedPattern: pulumi.String(parameter.AllowedPattern),
			Type:           pulumi.String("String"),
			Value:          parameter.Value.ToStringOutput().ToStringPtrOutput(),
		}
		if parameter.secret() {
			given.Type, given.KeyId = pulumi.String("SecureString"), args.KeyARN
		}
		if _, err := ssm.NewParameter(ctx, name+"-"+parameter.Name, given, pulumi.Parent(p)); err != nil {
			return fmt.Errorf("creating parameter %s: %w", parameter.Name, err)
		}
	}
	return nil
}
