// Package cases holds what each rule is tested with: resources that break it and resources that keep it. The same cases
// are judged by the rules alone, by their mutants, and by the pack on the real engine.
package cases

import (
	"fmt"
	"slices"
	"strings"
)

// Case is one situation of one rule.
type Case struct {
	Rule string
	Says string // a sentence
	// Breaks are the beginnings of the messages that the rule has to report, in order; none where the case keeps the
	// rule.
	Breaks []string
	Stack  string         // the stack's name; "" for dev
	Config map[string]any // of the rule
	// Resources are declared in their order.
	Resources []Resource
	// Later tells that a preview can't know it: what is reported then is reported by the update only.
	Later bool
	// Mended are the inputs that a remediation makes of the first resource, where it changes it.
	Mended map[string]any
}

// Resource is a resource of a case.
type Resource struct {
	Name, Type string
	// Inputs are JSON with Ref, Unknown and Secret in it.
	Inputs   map[string]any
	Provider map[string]string // inputs of its provider, nested ones as JSON text; nil for one in us-east-1
	Protect  bool
}

// Ref is an output of a resource that was declared before.
type Ref struct{ Resource, Property string }

// Secret is a secret input.
type Secret struct{ Value any }

type (
	in   = map[string]any
	list = []any
)

// Account is the account of every made-up ARN.
const Account = "111122223333"

// All are all cases, by family.
func All() []Case {
	return slices.Concat(tagCases(), encryptionCases(), secretCases(), networkCases(), identityCases(), resilienceCases(), computeCases(), provenanceCases())
}

// StackName is the name of the stack that the case is of.
func (c Case) StackName() string {
	if c.Stack == "" {
		return "dev"
	}
	return c.Stack
}

// Computed are the outputs that AWS would make up for a resource, beside its inputs.
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

// one is a single resource.
func one(resourceType string, inputs map[string]any) []Resource {
	return []Resource{{Name: "it", Type: resourceType, Inputs: inputs}}
}

// protected is a single resource with the resource option protect.
func protected(resourceType string, inputs map[string]any) []Resource {
	return []Resource{{Name: "it", Type: resourceType, Inputs: inputs, Protect: true}}
}

// by is a single resource of a provider.
func by(provider map[string]string, resourceType string, inputs map[string]any) []Resource {
	return []Resource{{Name: "it", Type: resourceType, Inputs: inputs, Provider: provider}}
}

// breaks and keeps make a case of a rule.
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

// texts makes a list of texts.
func texts(elements ...string) []any {
	all := make([]any, len(elements))
	for i, element := range elements {
		all[i] = element
	}
	return all
}

// statement makes a policy document of one statement.
func statement(members map[string]any) map[string]any {
	return in{"Version": "2012-10-17", "Statement": list{members}}
}

const (
	key    = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	ownARN = "arn:aws:sqs:us-east-1:111122223333:orders"
)
