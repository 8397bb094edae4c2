// Package cases holds the test cases of each rule: resources that break it and resources that keep it. The same cases
// test the rules alone, their mutants, and the pack on the real engine.
package cases

import (
	"fmt"
	"slices"
	"strings"
)

// Case is one situation for one rule.
type Case struct {
	Rule string
	Says string // a sentence
	// Breaks are the beginnings of the messages the rule must report, in order; none if the case keeps the rule.
	Breaks []string
	Stack  string         // the stack's name; "" for dev
	Config map[string]any // of the rule
	// Resources are declared in their order.
	Resources []Resource
	// Later means that a preview can't know it: only the update reports the problem.
	Later bool
	// Mended are the first resource's inputs after a remediation, if it changes them.
	Mended map[string]any
}

// Resource is a resource of a case.
type Resource struct {
	Name, Type string
	// Inputs are JSON that may contain Ref, Unknown and Secret.
	Inputs   map[string]any
	Provider map[string]string // inputs of its provider, nested ones as JSON text; nil for one in us-east-1
	Protect  bool
}

// Ref is an output of a resource declared earlier.
type Ref struct{ Resource, Property string }

// Secret is a secret input.
type Secret struct{ Value any }

type (
	in   = map[string]any
	list = []any
)

// Account is the account of every made-up ARN.
const Account = "111122223333"

// All returns all cases, by family.
func All() []Case {
	return slices.Concat(tagCases(), encryptionCases(), secretCases(), networkCases(), identityCases(), resilienceCases(), computeCases(), provenanceCases())
}

// StackName returns the name of the case's stack.
func (c Case) StackName() string {
	if c.Stack == "" {
		return "dev"
	}
	return c.Stack
}

// Computed returns the outputs that AWS would add to a resource's inputs.
func Computed(resourceType, name string, inputs map[string]any) map[string]any {
	if given, ok := inputs["name"].(string); ok {
		name = given
	}
	formats := map[string]string{
		"aws:dynamodb/table:Table": "dynamodb:R:A:table/N", "aws:ec2/vpc:Vpc": "ec2:R:A:vpc/N", "aws:ecr/repository:Repository": "ecr:R:A:repository/N",
		"aws:lambda/function:Function": "lambda:R:A:function:N", "aws:sfn/stateMachine:StateMachine": "states:R:A:stateMachine:N", "aws:sqs/queue:Queue": "sqs:R:A:N",
	}
	format, known := formats[resourceType]
	if !known {
		return nil
	}
	arn := "arn:aws:" + strings.NewReplacer("R", "us-east-1", "A", Account, "N", name).Replace(format)
	outputs := map[string]any{"arn": arn}
	if resourceType == "aws:sqs/queue:Queue" {
		outputs["url"] = fmt.Sprintf("https://sqs.us-east-1.amazonaws.com/%s/%s", Account, name)
	}
	return outputs
}

// one returns a single resource.
func one(resourceType string, inputs map[string]any) []Resource {
	return []Resource{{Name: "it", Type: resourceType, Inputs: inputs}}
}

// protected returns a single resource with the resource option protect.
func protected(resourceType string, inputs map[string]any) []Resource {
	return []Resource{{Name: "it", Type: resourceType, Inputs: inputs, Protect: true}}
}

// by returns a single resource with a provider.
func by(provider map[string]string, resourceType string, inputs map[string]any) []Resource {
	return []Resource{{Name: "it", Type: resourceType, Inputs: inputs, Provider: provider}}
}

// breaks and keeps return a case of a rule.
func breaks(rule, says string, resources []Resource, messages ...string) Case {
	return Case{Rule: rule, Says: says, Resources: resources, Breaks: messages}
}

func keeps(rule, says string, resources []Resource) Case {
	return Case{Rule: rule, Says: says, Resources: resources}
}

// inStack, with and later change a case.
func (c Case) inStack(name string) Case { c.Stack = name; return c }

func (c Case) with(option string, setting any) Case {
	config := map[string]any{option: setting}
	for other, given := range c.Config {
		config[other] = given
	}
	c.Config = config
	return c
}

func (c Case) later() Case { c.Later = true; return c }

// texts returns a list of strings.
func texts(elements ...string) []any {
	all := make([]any, len(elements))
	for i, element := range elements {
		all[i] = element
	}
	return all
}

// statement returns a policy document with one statement.
func statement(members map[string]any) map[string]any {
	return in{"Version": "2012-10-17", "Statement": list{members}}
}

const (
	key    = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	ownARN = "arn:aws:sqs:us-east-1:111122223333:orders"
)
