package cloud

import (
	"fmt"
	"strings"
)

// workflowKinds are Step Functions state machines and their aliases.
var workflowKinds = map[string]kind{
	"aws:sfn/stateMachine:StateMachine": living[machineInputs]{
		requires: "definition name roleArn", replaces: "name type",
		computes: "arn creationDate revisionId stateMachineVersionArn status versionDescription",
		validate: func(in machineInputs) error {
			if in.Definition == "" {
				return nil // unknown in a preview
			}
			_, err := compileMachine(in.Definition)
			return err
		},
		identify: func(_ *Cloud, r *Resource, in machineInputs) error {
			r.ID = r.arn("states", "stateMachine:%s", in.Name)
			r.set("arn", r.ID).set("status", "ACTIVE").set("creationDate", "2020-01-01T00:00:00Z")
			r.publish(in)
			return nil
		},
		start: startMachine,
		update: func(c *Cloud, r *Resource, in machineInputs) error {
			r.publish(in)
			return startMachine(c, r, in)
		},
		stop: func(c *Cloud, r *Resource) error { c.live.machines.drop(r.ID); return nil },
	}.kind(),
	"aws:sfn/alias:Alias": living[machineAliasInputs]{
		requires: "name routingConfigurations", replaces: "name", computes: "arn creationDate",
		validate: func(in machineAliasInputs) error {
			if len(in.Routing) > 1 {
				return fmt.Errorf("routingConfigurations: only one version is known here, not a weighted pair")
			}
			return nil
		},
		identify: func(_ *Cloud, r *Resource, in machineAliasInputs) error {
			version := in.Routing[0].VersionARN
			r.ID = strings.TrimSuffix(version, ":"+afterLast(version, ":")) + ":" + in.Name
			r.set("arn", r.ID).set("creationDate", "2020-01-01T00:00:00Z")
			return nil
		},
		start: func(c *Cloud, r *Resource, in machineAliasInputs) error {
			version := in.Routing[0].VersionARN
			target, err := c.live.machines.get(strings.TrimSuffix(version, ":"+afterLast(version, ":")))
			if err != nil {
				return err
			}
			c.live.machines.put(r.ID, target)
			return nil
		},
		stop: func(c *Cloud, r *Resource) error { c.live.machines.drop(r.ID); return nil },
	}.kind(),
}

type machineInputs struct {
	Name       string `property:"name"`
	Definition string `property:"definition"`
	Type       string `property:"type"`
	Publish    bool   `property:"publish"`

	// On record.
	RoleARN                 string            `property:"roleArn"`
	LoggingConfiguration    map[string]any    `property:"loggingConfiguration"`
	TracingConfiguration    map[string]any    `property:"tracingConfiguration"`
	EncryptionConfiguration map[string]any    `property:"encryptionConfiguration"`
	Tags                    map[string]string `property:"tags"`
}

type machineAliasInputs struct {
	Name    string `property:"name"`
	Routing []struct {
		VersionARN string `property:"stateMachineVersionArn"`
		Weight     int    `property:"weight"`
	} `property:"routingConfigurations"`
	Description string `property:"description"` // on record
}
