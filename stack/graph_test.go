package stack

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trade-processing/components/declared"
)

var update = flag.Bool("update", false, "write the golden resource graphs anew")

// These files show a reviewer what a change does to AWS. After an intended change:
//
//	go test ./stack -run TestTheResourceGraphIsTheGoldenOne -update
func TestTheResourceGraphIsTheGoldenOne(t *testing.T) {
	for _, name := range []string{"dev", "prod"} {
		t.Run(name, func(t *testing.T) {
			got := graph(t, declare(t, name, nil))
			golden := filepath.Join("testdata", name+".graph.json")
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
				t.Errorf("the golden graph (-) and this one (+); write it anew with -update if that is meant:\n%s", diff)
			}
		})
	}
}

// node is a resource in a golden graph, without what the stack's file can't change.
type node struct {
	URN           string         `json:"urn"`
	Provider      string         `json:"provider,omitempty"`
	Protect       bool           `json:"protect,omitempty"`
	IgnoreChanges []string       `json:"ignoreChanges,omitempty"`
	ReplaceWith   []string       `json:"replaceWith,omitempty"`
	DeleteFirst   *bool          `json:"deleteBeforeReplace,omitempty"`
	DependsOn     []string       `json:"dependsOn,omitempty"`
	Inputs        map[string]any `json:"inputs,omitempty"`
}

// imageTag changes with the functions' sources, which is not a change to the graph.
var imageTag = regexp.MustCompile(`\b[0-9a-f]{16}\b`)

func graph(t *testing.T, stack *declared.Stack) []byte {
	t.Helper()
	var nodes []node
	for _, r := range stack.Resources {
		inputs := readable(r.Inputs).(map[string]any)
		if name, ok := inputs["imageName"].(string); ok {
			inputs["imageName"] = imageTag.ReplaceAllString(name, "<tag>")
			build := inputs["build"].(map[string]any)
			for _, path := range []string{"context", "dockerfile"} {
				build[path] = imageTag.ReplaceAllString(build[path].(string), "<tag>")
			}
			arguments := build["args"].(map[string]any)
			arguments["VERSION"], arguments["REVISION"] = "<tag>", "<digest>"
		}
		nodes = append(nodes, node{
			URN: shortURN(r.URN), Provider: r.Provider, Protect: r.Protect, IgnoreChanges: r.IgnoreChanges,
			ReplaceWith: shortURNs(r.ReplaceWith), DeleteFirst: r.DeleteBeforeReplace, DependsOn: shortURNs(r.DependsOn), Inputs: inputs,
		})
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(nodes); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

// readable replaces JSON documents in strings, such as policies, with their content.
func readable(value any) any {
	switch v := value.(type) {
	case map[string]any:
		read := map[string]any{}
		for name, inner := range v {
			read[name] = readable(inner)
		}
		return read
	case []any:
		var read []any
		for _, inner := range v {
			read = append(read, readable(inner))
		}
		return read
	case string:
		var document map[string]any
		if strings.HasPrefix(v, "{") && json.Unmarshal([]byte(v), &document) == nil {
			return document
		}
	}
	return value
}

// shortURN drops the part that all URNs of the stack share.
func shortURN(urn string) string {
	parts := strings.SplitN(urn, "::", 3)
	return strings.ReplaceAll(parts[len(parts)-1], "trade-processing:components:", "")
}

func shortURNs(urns []string) []string {
	var short []string
	for _, urn := range urns {
		short = append(short, shortURN(urn))
	}
	return short
}
