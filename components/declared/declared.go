// Package declared runs a Pulumi program without an engine and records what it declares, so a test can look at the
// inputs the program sent: those of every resource, including the components' children. For the types that the
// components declare, what AWS would compute is made up in AWS's own formats. A program that needs more, of other types
// or from function calls, provides it with Program.Computed and Program.Answers.
package declared

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Resource is one resource as the program declared it.
type Resource struct {
	URN    string
	Type   string // the token, such as aws:sqs/queue:Queue
	Name   string // the logical name
	Parent string // the URN of the parent
	Custom bool   // false for a component
	Inputs map[string]any

	Secrets       []string // the paths of secret inputs
	Provider      string   // the logical name of the explicit provider; empty for a default one
	DependsOn     []string // URNs, sorted
	IgnoreChanges []string
	ReplaceWith   []string // URNs

	// DeleteBeforeReplace is nil where the provider decides.
	DeleteBeforeReplace *bool
	Protect             bool
	DeleteTimeout       string
}

// Program is what to run, and as what.
type Program struct {
	Run     pulumi.RunFunc
	Project string            // default: trade-processing
	Stack   string            // default: test
	Folder  string            // the project's folder
	Config  map[string]string // by key with its namespace
	Secrets []string          // the keys of Config that are secret

	// Computed returns a resource's outputs besides its inputs, such as its id and its arn, overriding the made-up ones.
	// It may be nil, and so may its result.
	Computed func(*Resource) map[string]any

	// Answers are AWS's answers to function calls other than the components', by token, such as "aws:ec2/getAmi:getAmi".
	Answers map[string]map[string]any
}

// Stack is what a program declared.
type Stack struct {
	URN       string         // of the stack itself
	Resources []*Resource    // in the order of their URNs
	Outputs   map[string]any // by name; empty if the program failed
}

// Declare runs a program. An error is the program's own, or means that a URN was declared twice, which Pulumi's own
// mocks silently accept. What was declared before the error is returned with it.
func Declare(p Program) (*Stack, error) {
	if p.Project == "" {
		p.Project = "trade-processing"
	}
	if p.Stack == "" {
		p.Stack = "test"
	}
	r := newRecorder(p)
	outputs := map[string]any{}
	var mu sync.Mutex
	var known sync.WaitGroup // the end of the program doesn't wait for its exports
	err := pulumi.RunErr(func(ctx *pulumi.Context) error {
		if err := p.Run(ctx); err != nil {
			return err
		}
		for name, output := range ctx.GetCurrentExportMap() {
			known.Add(1)
			pulumi.ToOutput(output).ApplyT(func(value any) any {
				defer known.Done()
				mu.Lock()
				defer mu.Unlock()
				outputs[name] = value
				return value
			})
		}
		return nil
	}, pulumi.WithMocks(p.Project, p.Stack, r), func(info *pulumi.RunInfo) {
		info.RootDirectory, info.Config, info.ConfigSecretKeys = p.Folder, p.Config, p.Secrets
	})
	slices.SortFunc(r.resources, func(a, b *Resource) int { return strings.Compare(a.URN, b.URN) })
	if err == nil {
		known.Wait()
	}
	return &Stack{URN: r.urn("", stackType, p.Project+"-"+p.Stack), Resources: r.resources, Outputs: outputs}, err
}

// All returns the resources of a type, in the order of their URNs.
func (s *Stack) All(typ string) []*Resource {
	var found []*Resource
	for _, r := range s.Resources {
		if r.Type == typ {
			found = append(found, r)
		}
	}
	return found
}

// Find returns the one resource of a type whose logical name ends like this, or an error.
func (s *Stack) Find(typ, end string) (*Resource, error) {
	var found []*Resource
	for _, r := range s.All(typ) {
		if strings.HasSuffix(r.Name, end) {
			found = append(found, r)
		}
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("%d resources of type %s have a name that ends in %q, but one was expected", len(found), typ, end)
	}
	return found[0], nil
}

// At returns an input by its path, such as "environment.variables.TABLE_NAME"; a number takes an element of a list. It
// is nil if there is none.
func (r *Resource) At(path string) any {
	var at any = r.Inputs
	for step := range strings.SplitSeq(path, ".") {
		switch here := at.(type) {
		case map[string]any:
			at = here[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(here) {
				return nil
			}
			at = here[i]
		default:
			return nil
		}
	}
	return at
}

// Text returns a string input, by its path; empty if there is none.
func (r *Resource) Text(path string) string {
	text, _ := r.At(path).(string)
	return text
}
