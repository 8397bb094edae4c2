package engine_test

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ssm"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func TestASecretStandsNowhereInTheStateAsPlainText(t *testing.T) {
	d := newDesk(t, "local")
	secret := "https://market-data.example.com/?key=s3cr3t-t0ken-1"
	d.program = func(ctx *pulumi.Context) error {
		value := pulumi.ToSecret(pulumi.String(secret)).(pulumi.StringOutput)
		made, err := ssm.NewParameter(ctx, "endpoint", &ssm.ParameterArgs{
			Name: pulumi.String("/endpoint"), Type: pulumi.String("SecureString"), Value: value,
		})
		if err == nil {
			ctx.Export("value", made.Value)
		}
		return err
	}
	d.up()
	if output := d.outputs["value"]; !output.Secret || output.Value != secret {
		t.Errorf("the output is %+v", output)
	}
	secret = "https://market-data.example.com/?key=s3cr3t-t0ken-2"
	d.up()
	if r, found := d.cloud.Read("aws:ssm/parameter:Parameter", "us-east-1", "/endpoint"); !found || r.Inputs["value"] != secret {
		t.Errorf("the parameter is %v", r)
	}

	state := string(d.stack.Export())
	if !strings.Contains(state, "aws:ssm/parameter:Parameter") {
		t.Errorf("there is no state to look at: %s", state)
	}
	if strings.Contains(state, "s3cr3t-t0ken") {
		t.Errorf("the state holds the secret: %s", state)
	}
}
