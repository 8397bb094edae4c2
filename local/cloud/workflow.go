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
		renews:   "stateMachineVersionArn", unversioned: "tags",
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
		renew: func(_ *Cloud, r *Resource, in machineInputs) error {
			r.publish(in)
			return nil
		},
		start: startMachine,
		stop:  func(c *Cloud, r *Resource) error { c.live.machines.drop(r.ID); return nil },
	}.kind(),
	"aws:sfn/alias:Alias": living[machineAliasInputs]{
		requires: "name routingConfigurations", replaces: "name", computes: "arn creationDate",
		validate: func(in machineAliasInputs) error {
			if in.Routing != nil && len(in.Routing) != 1 { // nil: unknown in a preview
				return fmt.Errorf("routingConfigurations: one version is known here, and no weighted pair; there are %d", len(in.Routing))
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
	RoleARN              string `property:"roleArn"`
	LoggingConfiguration struct {
		IncludeExecutionData bool   `property:"includeExecutionData"`
		Level                string `property:"level"`
		LogDestination       string `property:"logDestination"`
	} `property:"loggingConfiguration"`
	TracingConfiguration struct {
		Enabled bool `property:"enabled"`
	} `property:"tracingConfiguration"`
	EncryptionConfiguration struct {
		KMSDataKeyReusePeriodSeconds int    `property:"kmsDataKeyReusePeriodSeconds"`
		KMSKeyID                     string `property:"kmsKeyId"`
		Type                         string `property:"type"`
	} `property:"encryptionConfiguration"`
	Tags map[string]string `property:"tags"`
}

type machineAliasInputs struct {
	Name    string `property:"name"`
	Routing []struct {
		VersionARN string `property:"stateMachineVersionArn"`
		Weight     int    `property:"weight"`
	} `property:"routingConfigurations"`
	Description string `property:"description"` // on record
}
