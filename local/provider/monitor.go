package provider

import (
	"fmt"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/local/cloud"
)

// Monitor deploys a program onto a cloud without the engine, for unit tests:
// pass it to pulumi.WithMocks. Unlike a monitor that invents answers it
// refuses unknown types and properties, applies the provider's default tags,
// and refuses a URN that is registered twice.
type Monitor struct {
	cloud *cloud.Cloud

	mu        sync.Mutex
	providers map[string]settings // by provider id
	seen      map[string]bool     // parent, type and name
	log       []Registration
}

// Registration is one resource as the program registered it.
type Registration struct {
	Type, Name   string
	Parent       string // the parent's URN; the stack itself has none
	Provider     string // reference of the provider instance, "" for components
	Region       string
	Custom       bool
	Inputs       resource.PropertyMap // as the program sent them, after the default tags
	Protect      bool
	IgnoreChange []string
	Dependencies []string // URNs
}

// NewMonitor makes a monitor over a cloud.
func NewMonitor(c *cloud.Cloud) *Monitor {
	return &Monitor{cloud: c, providers: map[string]settings{}, seen: map[string]bool{}}
}

// Registrations lists what the program registered so far, in order.
func (m *Monitor) Registrations() []Registration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Registration(nil), m.log...)
}

// NewResource registers a resource, as the engine's monitor would.
func (m *Monitor) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	registration := Registration{Type: args.TypeToken, Name: args.Name, Custom: args.Custom, Provider: args.Provider}
	if rpc := args.RegisterRPC; rpc != nil {
		registration.Parent = rpc.GetParent()
		registration.Protect = rpc.GetProtect()
		registration.IgnoreChange = rpc.GetIgnoreChanges()
		registration.Dependencies = rpc.GetDependencies()
	}
	identity := strings.Join([]string{registration.Parent, args.TypeToken, args.Name}, "|")
	m.mu.Lock()
	twice := m.seen[identity]
	m.seen[identity] = true
	m.mu.Unlock()
	if twice {
		return "", nil, fmt.Errorf("%s %q is registered twice under %s", args.TypeToken, args.Name, registration.Parent)
	}

	id, outputs := args.Name+"-id", args.Inputs
	registration.Inputs = args.Inputs
	switch {
	case strings.HasPrefix(args.TypeToken, "pulumi:providers:"):
		read, err := readSettings(args.Inputs)
		if err != nil {
			return "", nil, fmt.Errorf("provider %s: %w", args.Name, err)
		}
		m.mu.Lock()
		m.providers[id] = read
		m.mu.Unlock()
	case args.Custom:
		instance := m.settingsOf(args.Provider)
		known, unknown := split(args.Inputs)
		checked, err := cloud.Check(args.TypeToken, args.Name, known, unknown, instance.defaultTags)
		if err != nil {
			return "", nil, err
		}
		created, err := m.cloud.Create(args.TypeToken, args.Name, instance.region, checked)
		if err != nil {
			return "", nil, err
		}
		id, registration.Region = created.ID, created.Region
		registration.Inputs = resource.NewPropertyMapFromMap(checked)
		outputs = resource.NewPropertyMapFromMap(created.Outputs)
	}
	m.mu.Lock()
	m.log = append(m.log, registration)
	m.mu.Unlock()
	return id, outputs, nil
}

// Call answers a function call of the program, such as aws:index/getRegion.
func (m *Monitor) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	known, _ := split(args.Args)
	result, err := m.cloud.Invoke(args.Token, m.settingsOf(args.Provider).region, known)
	if err != nil {
		return nil, err
	}
	return resource.NewPropertyMapFromMap(result), nil
}

// settingsOf finds the instance that a provider reference, "urn::id", names.
func (m *Monitor) settingsOf(reference string) settings {
	m.mu.Lock()
	defer m.mu.Unlock()
	if at := strings.LastIndex(reference, "::"); at >= 0 {
		return m.providers[reference[at+2:]]
	}
	return settings{}
}

var _ pulumi.MockResourceMonitor = (*Monitor)(nil)
