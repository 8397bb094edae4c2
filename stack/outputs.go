package stack

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// repositoryPrefix returns the namespace of the stack's image repositories.
func (c *Config) repositoryPrefix() string { return project + "/" + c.Environment }

// parameterPrefix returns the SSM path of the stack's parameters.
func (c *Config) parameterPrefix() string { return "/" + project + "/" + c.Environment + "/" }

// export names what operators and tools read from the stack.
func (d *deployment) export(ctx *pulumi.Context) error {
	p := d.pipeline
	names, aliases, aliasARNs := pulumi.StringMap{}, pulumi.StringMap{}, pulumi.StringMap{}
	repositories, deadLetters, delivery := pulumi.StringMap{}, pulumi.StringMap{}, pulumi.StringMap{}
	for i, function := range p.Functions {
		name := d.Pipeline.Stages[i].Function
		names[name] = pulumi.String(function.Name)
		aliases[name] = function.AliasName
		aliasARNs[name] = function.AliasARN
		repositories[name] = function.RepositoryURL
		deadLetters[name] = function.DeadLetters.URL
	}
	for source, queue := range p.Delivery {
		delivery[source] = queue.URL
	}
	busDeadLetters := pulumi.String("").ToStringOutput()
	if p.Bus.DeadLetters != nil {
		busDeadLetters = p.Bus.DeadLetters.URL
	}
	for name, value := range map[string]pulumi.Input{
		"alarmTopicArn":               d.topic.ARN,
		"busDeadLetterQueueUrl":       busDeadLetters,
		"dashboardUrl":                p.Dashboard.URL,
		"deadLetterQueueUrls":         deadLetters, // by function
		"deliveryDeadLetterQueueUrls": delivery,    // by source system
		"environment":                 pulumi.String(d.Environment),
		"eventArchiveName":            p.Bus.ArchiveName,
		"eventBusArn":                 p.Bus.ARN,
		"eventBusName":                p.Bus.Name,
		"functionAliasArns":           aliasARNs, // by function, like all that follow
		"functionAliases":             aliases,
		"functionNames":               names,
		"keyArn":                      d.key.ARN,
		"parameterPrefix":             pulumi.String(d.parameterPrefix()),
		"region":                      pulumi.String(d.Region),
		"replicaRegions":              pulumi.ToStringArray(d.replicas()),
		"repositoryUrl":               pulumi.String(d.registryURL() + "/" + d.repositoryPrefix()), // of all, without the function
		"repositoryUrls":              repositories,
		"stateMachineAliasArn":        p.Workflow.AliasARN,
		"stateMachineArn":             p.Workflow.ARN,
		"tradeTableArn":               p.Table.ARN,
		"tradeTableName":              p.Table.Name,
	} {
		ctx.Export(name, value)
	}
	return nil
}

// registryURL returns the account's ECR registry.
func (d *deployment) registryURL() string {
	suffix := "amazonaws.com"
	if d.scope.Partition == "aws-cn" {
		suffix += ".cn"
	}
	return fmt.Sprintf("%s.dkr.ecr.%s.%s", d.scope.Account, d.scope.Region, suffix)
}
