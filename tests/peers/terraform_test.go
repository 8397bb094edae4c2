package peers_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"trade-processing/components/declared"
)

// terraform writes resources as Terraform's language, which Checkov reads, with the names of the provider that Pulumi's
// is generated from. Resources of other providers and components are left out.
func terraform(resources []*declared.Resource) []byte {
	var text bytes.Buffer
	for _, r := range resources {
		switch {
		case r.Type == "pulumi:providers:aws":
			fmt.Fprintf(&text, "provider \"aws\" {\n  alias = %s\n", quoted(r.Name))
		case strings.HasPrefix(r.Type, "aws:"):
			fmt.Fprintf(&text, "resource %s %s {\n  provider = aws.%s\n", quoted(typeOf(r.Type)), quoted(r.Name), r.Provider)
		default:
			continue
		}
		writeBody(&text, r.Type, r.Inputs, "  ")
		text.WriteString("}\n")
	}
	return text.Bytes()
}

// address is a resource's name in Terraform.
func address(r *declared.Resource) string { return typeOf(r.Type) + "." + r.Name }

// reference is what stands for a resource's output until it is known.
func reference(r *declared.Resource, output string) string {
	return "${" + address(r) + "." + snake(output) + "}"
}

// typeOf returns the Terraform type of a token such as aws:sqs/queuePolicy:QueuePolicy.
func typeOf(token string) string {
	module, name, _ := strings.Cut(strings.Split(token, ":")[1], "/")
	switch module {
	case "ec2":
		return "aws_" + snake(name)
	case "sqs":
		return "aws_sqs_queue" + strings.TrimPrefix("_"+snake(name), "_queue")
	}
	return "aws_" + module + "_" + snake(name)
}

// renamed are the properties that Pulumi names otherwise than Terraform.
var renamed = map[string]string{
	"aws:cloudwatch/metricAlarm:MetricAlarm name": "alarm_name",
	"aws:lambda/function:Function name":           "function_name",
}

func attribute(typ, name string) string { return cmp.Or(renamed[typ+" "+name], snake(name)) }

func snake(name string) string {
	var words strings.Builder
	for _, letter := range name {
		if unicode.IsUpper(letter) {
			words.WriteByte('_')
		}
		words.WriteRune(unicode.ToLower(letter))
	}
	return words.String()
}

// ownKeys are maps of the user's own keys, while other objects are blocks with properties of the type's.
var ownKeys = map[string]bool{"tags": true, "resourceTags": true, "dimensions": true, "variables": true}

// writeBody writes properties: an object is a block, and a list of objects is a block for each.
func writeBody(text *bytes.Buffer, typ string, properties map[string]any, indent string) {
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		blocks := blocksOf(properties[name])
		if blocks == nil || ownKeys[name] {
			fmt.Fprintf(text, "%s%s = %s\n", indent, attribute(typ, name), expression(properties[name]))
			continue
		}
		if _, list := properties[name].([]any); list {
			name = singular(name)
		}
		for _, block := range blocks {
			fmt.Fprintf(text, "%s%s {\n", indent, attribute(typ, name))
			writeBody(text, typ, block, indent+"  ")
			fmt.Fprintf(text, "%s}\n", indent)
		}
	}
}

// blocksOf returns the objects of a property, or nil if it holds other values.
func blocksOf(value any) []map[string]any {
	switch v := value.(type) {
	case map[string]any:
		return []map[string]any{v}
	case []any:
		var blocks []map[string]any
		for _, element := range v {
			if block, ok := element.(map[string]any); ok {
				blocks = append(blocks, block)
			}
		}
		return blocks
	}
	return nil
}

func singular(name string) string {
	if stem, ok := strings.CutSuffix(name, "ies"); ok {
		return stem + "y"
	}
	if stem, ok := strings.CutSuffix(name, "exes"); ok {
		return stem + "ex"
	}
	return strings.TrimSuffix(name, "s")
}

// expression writes a value. JSON is valid in Terraform's language; a document in a string becomes a call of
// jsonencode, whose result Checkov reads.
func expression(value any) string {
	if document, ok := value.(string); ok && strings.HasPrefix(document, "{") && json.Valid([]byte(document)) {
		return "jsonencode(" + document + ")"
	}
	return quoted(value)
}

func quoted(value any) string {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err) // of values that came as JSON
	}
	return strings.TrimSpace(text.String())
}
