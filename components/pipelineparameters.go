package components

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ssm"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// unsetParameter stands for no value, which an SSM parameter can't hold. The functions know it.
const unsetParameter = "none"

// newParameters makes what the functions read while they run. The stack config is their source: a value that an operator
// changes with the AWS CLI holds until a deployment changes it, or until one that refreshes first.
func (args *TradePipelineArgs) newParameters(ctx *pulumi.Context, p *TradePipeline, name string) error {
	endpoint := args.APIEndpoint
	if endpoint == "" {
		endpoint = unsetParameter
	}
	// A function that starts with a value it can't read fails every trade, so SSM refuses what the functions would.
	parameters := []struct {
		name, description, allowed, value string
		secret                            bool
	}{
		{"api-endpoint", "URL of the HTTP API for market context, or " + unsetParameter, `^(` + unsetParameter + `|https?://[^/?#\s]+([/?#]\S*)?)$`, endpoint, args.APISecret},
		{"processing-threshold", "Amount above which a trade is flagged for review", `^[0-9]{1,38}([.][0-9]{1,37})?$`, args.ProcessingThreshold, false},
		{"max-retries", "How often a call of the HTTP API is repeated", `^([0-9]|10)$`, fmt.Sprint(args.MaxRetries), false},
	}
	for _, parameter := range parameters {
		given := &ssm.ParameterArgs{
			Name:           pulumi.String(args.ParameterPrefix + parameter.name),
			Description:    pulumi.String(parameter.description),
			AllowedPattern: pulumi.String(parameter.allowed),
			Type:           pulumi.String("String"),
			Value:          pulumi.String(parameter.value),
		}
		if parameter.secret {
			given.Type, given.KeyId = pulumi.String("SecureString"), args.KeyARN
			given.Value = pulumi.ToSecret(pulumi.String(parameter.value)).(pulumi.StringOutput).ToStringPtrOutput()
		}
		if _, err := ssm.NewParameter(ctx, name+"-"+parameter.name, given, pulumi.Parent(p)); err != nil {
			return fmt.Errorf("making parameter %s: %w", parameter.name, err)
		}
	}
	return nil
}
