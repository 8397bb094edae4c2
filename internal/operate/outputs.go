// Package operate is what operators do with a deployed stack. It talks to AWS's APIs and prints nothing: the commands and
// the console show what it returns. The local cloud is an endpoint like any other.
package operate

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Outputs are the stack outputs that operators' commands need, as `pulumi stack output --json` prints them.
type Outputs struct {
	Environment          string            `json:"environment"`
	Region               string            `json:"region"`
	ReplicaRegions       []string          `json:"replicaRegions"`
	EventBusName         string            `json:"eventBusName"`
	EventArchiveName     string            `json:"eventArchiveName"`
	TradeTableName       string            `json:"tradeTableName"`
	TradeTableARN        string            `json:"tradeTableArn"`
	StateMachineARN      string            `json:"stateMachineArn"`
	StateMachineAliasARN string            `json:"stateMachineAliasArn"` // what rules start
	ParameterPrefix      string            `json:"parameterPrefix"`
	KeyARN               string            `json:"keyArn"`
	FunctionNames        map[string]string `json:"functionNames"`               // by function
	FunctionAliases      map[string]string `json:"functionAliases"`             // likewise: what the workflow calls
	DeadLetters          map[string]string `json:"deadLetterQueueUrls"`         // by function
	Delivery             map[string]string `json:"deliveryDeadLetterQueueUrls"` // by source system
	BusDeadLettersURL    string            `json:"busDeadLetterQueueUrl"`       // empty: the bus has none
}

// ReadOutputs reads a stack's outputs. The error names all the missing ones.
func ReadOutputs(text []byte) (Outputs, error) {
	var outputs Outputs
	if err := json.Unmarshal(text, &outputs); err != nil {
		return outputs, fmt.Errorf("reading the stack's outputs: %w; `pulumi stack output --json` prints the right format", err)
	}
	var missing []string
	for name, value := range map[string]string{
		"environment": outputs.Environment, "region": outputs.Region, "eventBusName": outputs.EventBusName,
		"tradeTableName": outputs.TradeTableName, "tradeTableArn": outputs.TradeTableARN, "stateMachineArn": outputs.StateMachineARN,
		"functionNames.recorder": outputs.FunctionNames["recorder"], "deadLetterQueueUrls.validator": outputs.DeadLetters["validator"],
	} {
		if value == "" {
			missing = append(missing, name)
		}
	}
	if len(outputs.Delivery) == 0 {
		missing = append(missing, "deliveryDeadLetterQueueUrls")
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		return outputs, fmt.Errorf("the stack's outputs lack %s: is it the right stack, and did its deployment finish? `pulumi up` adds what a newer version of the program exports",
			strings.Join(missing, ", "))
	}
	return outputs, nil
}

// Sources returns the source systems of the stack.
func (o Outputs) Sources() []string { return slices.Sorted(maps.Keys(o.Delivery)) }

// Queues returns the URLs of all dead-letter queues, where trades that aren't recorded end up.
func (o Outputs) Queues() []string {
	urls := slices.Concat(slices.Collect(maps.Values(o.DeadLetters)), slices.Collect(maps.Values(o.Delivery)))
	if o.BusDeadLettersURL != "" {
		urls = append(urls, o.BusDeadLettersURL)
	}
	slices.Sort(urls)
	return slices.Compact(urls)
}

// Account returns the AWS account that the stack is in.
func (o Outputs) Account() string {
	parts := strings.SplitN(o.TradeTableARN, ":", 6) // arn:aws:dynamodb:REGION:ACCOUNT:table/NAME
	if len(parts) < 6 {
		return ""
	}
	return parts[4]
}

// Prefix returns what the names of the stack's resources begin with, its alarms among them.
func (o Outputs) Prefix() string { return "trade-processing-" + o.Environment + "-" }
