package engine

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi/pkg/v3/resource/deploy"
	"github.com/pulumi/pulumi/pkg/v3/resource/stack"
	"github.com/pulumi/pulumi/pkg/v3/secrets/b64"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// A stack here holds nothing real, and a key to its secrets would be stored next to them. They are marked as secrets
// and base64-encoded, so none is shown by accident.
var secrets = b64.NewBase64SecretsManager()

// read turns a state from write into a snapshot. The engine alters the snapshot it works on, so each operation gets its
// own.
func read(ctx context.Context, state []byte) (*deploy.Snapshot, error) {
	if len(state) == 0 {
		return deploy.NewSnapshot(deploy.Manifest{}, secrets, nil, nil, deploy.SnapshotMetadata{}, nil, nil), nil
	}
	var written apitype.UntypedDeployment
	if err := json.Unmarshal(state, &written); err != nil {
		return nil, fmt.Errorf("reading the state of the stack: %w", err)
	}
	snapshot, err := stack.DeserializeUntypedDeployment(ctx, &written, b64.Base64SecretsProvider)
	if err != nil {
		return nil, fmt.Errorf("reading the state of the stack: %w", err)
	}
	return snapshot, nil
}

func write(ctx context.Context, snapshot *deploy.Snapshot) ([]byte, error) {
	snapshot.SecretsManager = secrets
	written, err := stack.SerializeUntypedDeployment(ctx, snapshot, nil)
	if err != nil {
		return nil, fmt.Errorf("writing the state of the stack: %w", err)
	}
	state, err := json.Marshal(written)
	if err != nil {
		return nil, fmt.Errorf("writing the state of the stack: %w", err)
	}
	return state, nil
}

// Output is what a program exported, as JSON would represent it.
type Output struct {
	Value  any
	Secret bool
}

// Outputs are what a stack exported, by name.
type Outputs map[string]Output

// JSON returns the outputs as `pulumi stack output --json --show-secrets` prints them.
func (o Outputs) JSON() ([]byte, error) {
	values := map[string]any{}
	for name, output := range o {
		values[name] = output.Value
	}
	text, err := json.Marshal(values)
	if err != nil {
		return nil, fmt.Errorf("writing the stack's outputs: %w", err)
	}
	return text, nil
}

// outputs returns the outputs of the stack itself.
func outputs(snapshot *deploy.Snapshot) Outputs {
	all := Outputs{}
	for _, state := range snapshot.Resources {
		if state.Type != resource.RootStackType {
			continue
		}
		for name, value := range state.Outputs {
			all[string(name)] = Output{Value: value.MapRepl(nil, revealed), Secret: value.ContainsSecrets()}
		}
	}
	return all
}

// revealed returns the value of a secret, in the form that resource.PropertyValue.MapRepl asks for.
func revealed(value resource.PropertyValue) (any, bool) {
	if !value.IsSecret() {
		return nil, false
	}
	return value.SecretValue().Element.MapRepl(nil, revealed), true
}
