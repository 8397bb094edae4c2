package cloud

import (
	"fmt"
	"strconv"
	"strings"
)

// workflowKinds are Step Functions state machines and their aliases.
var workflowKinds = map[string]kind{
	MachineType: {
		uses: "name definition type publish roleArn",
		records: "loggingConfiguration.includeExecutionData loggingConfiguration.level loggingConfiguration.logDestination " +
			"tracingConfiguration.enabled encryptionConfiguration.kmsDataKeyReusePeriodSeconds " +
			"encryptionConfiguration.kmsKeyId encryptionConfiguration.type tags",
		requires: "definition name roleArn", replaces: "name type",
		computes: "arn stateMachineVersionArn", renews: "stateMachineVersionArn", unversioned: "tags",
		check: func(inputs Properties) error {
			definition := inputs.text("definition")
			if definition == "" {
				return nil // unknown in a preview
			}
			_, err := compileMachine(definition)
			return err
		},
		identify: then(byARN("states", "stateMachine:"), func(_ *Cloud, r *Resource) {
			if r.Inputs["publish"] == true {
				last, _ := strconv.Atoi(afterLast(r.Outputs.text("stateMachineVersionArn"), ":")) // none yet: 0
				r.set("stateMachineVersionArn", fmt.Sprintf("%s:%d", r.ID, last+1))
			}
		}),
		start: startMachine,
		stop: func(c *Cloud, r *Resource) error {
			c.dropAliases(r)
			return dropMachine(c, r)
		},
	},
	MachineAliasType: {
		uses:    "name routingConfigurations.stateMachineVersionArn routingConfigurations.weight",
		records: "description", requires: "name routingConfigurations", replaces: "name", computes: "arn",
		check: func(inputs Properties) error {
			if routes, given := inputs["routingConfigurations"].([]any); given && len(routes) != 1 {
				return fmt.Errorf("routingConfigurations: one version is known here, and no weighted pair; there are %d", len(routes))
			}
			return nil
		},
		identify: with(func(_ *Cloud, r *Resource, in machineAliasInputs) error {
			r.ID = in.machine() + ":" + r.Inputs.text("name")
			r.set("arn", r.ID)
			return nil
		}),
		start: with(func(c *Cloud, r *Resource, in machineAliasInputs) error {
			target, err := c.live.machines.get(in.machine())
			if err == nil {
				c.live.machines.put(r.ID, target)
			}
			return err
		}),
		stop: dropMachine,
	},
}

type machineAliasInputs struct {
	Routing [1]struct {
		VersionARN string `property:"stateMachineVersionArn"`
	} `property:"routingConfigurations"`
}

// machine returns the ARN of the state machine whose version the alias leads to.
func (in machineAliasInputs) machine() string {
	version := in.Routing[0].VersionARN
	return strings.TrimSuffix(version, ":"+afterLast(version, ":"))
}

// dropAliases deletes the aliases of a state machine, as AWS does with the machine
// (https://docs.aws.amazon.com/step-functions/latest/apireference/API_DeleteStateMachine.html).
func (c *Cloud) dropAliases(machine *Resource) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key := range c.resources {
		if key.typ == MachineAliasType && key.region == machine.Region && strings.HasPrefix(key.id, machine.ID+":") {
			c.live.machines.drop(key.id)
			c.forget(key)
		}
	}
}

func dropMachine(c *Cloud, r *Resource) error {
	c.live.machines.drop(r.ID)
	return nil
}
