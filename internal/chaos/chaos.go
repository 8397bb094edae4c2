// Package chaos runs the whole pipeline on the local cloud under one scheduler, lets a seeded plan of faults loose on
// it, and checks from outside that it keeps its promises. A seed gives the same trace, byte for byte, so a seed that
// fails fails again.
package chaos

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"trade-processing/internal/engine"
	"trade-processing/internal/localrun"
	"trade-processing/internal/operate"
	"trade-processing/local/cloud"
	"trade-processing/local/fault"
	"trade-processing/local/provider"
	"trade-processing/stack"
)

// begin is when every run begins. It is in the past, so that the functions' deadlines are, too: they shorten those that
// are in the future by the machine's clock, with a timer of its own.
var begin = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// Options say what a run does.
type Options struct {
	Seed   uint64
	Trades int   // how many events the seed has
	Events []int // the numbers of those that are sent; nil: all
	Faults []int // the numbers of the plan's faults that are on; nil: all
	// Trace, if not nil, receives everything that happens, in order.
	Trace io.Writer
	// Sabotage makes the pipeline break its promises, to show that it is noticed.
	Sabotage Sabotage
}

// Sabotage is how a test makes the pipeline break a promise. The zero value does nothing.
type Sabotage struct {
	Function func(name string, handler lambda.Handler) lambda.Handler // instead of a function's own
	Fault    func(fault.Call) fault.Fault                             // beside the plan's
	Deployed func(*cloud.Cloud)                                       // before the first event
	Early    func(*cloud.Cloud)                                       // after two minutes
	Late     func(*cloud.Cloud)                                       // before the last checks
	Saved    func([]byte)                                             // what was saved, before it is loaded
}

// Result is what a run showed.
type Result struct {
	Violations []string // of promises, each after the name of its invariant
	Faults     []Fault
	Injected   int // calls that a fault hit
	Events     int // that were sent
}

// Deployment is stack local, deployed once for many runs.
type Deployment struct {
	saved                               []byte
	region, bus, table, machine, prefix string
	outputs                             operate.Outputs
}

// Deploy deploys stack local of the project in a folder with the real engine.
func Deploy(ctx context.Context, root string) (*Deployment, error) {
	here := cloud.New(cloud.Options{Images: localrun.Images()})
	opened, err := engine.Open(engine.Options{
		Root: root, Stack: "local", Program: stack.DeployFrom(root), Providers: engine.InProcess(provider.Of(here)),
		Settings: map[string]string{"recorderReservedConcurrency": strconv.Itoa(reserved)},
	})
	if err != nil {
		return nil, err
	}
	_, outputs, err := opened.Up(ctx)
	if err != nil {
		return nil, err
	}
	text, err := outputs.JSON()
	if err != nil {
		return nil, err
	}
	d := &Deployment{}
	if d.outputs, err = operate.ReadOutputs(text); err != nil {
		return nil, err
	}
	d.region, d.bus, d.table, d.prefix = d.outputs.Region, d.outputs.EventBusName, d.outputs.TradeTableName, d.outputs.Prefix()
	if d.machine = d.outputs.StateMachineAliasARN; d.machine == "" {
		return nil, errors.New("stack local has no output stateMachineAliasArn")
	}
	var saved bytes.Buffer
	if err := here.Save(ctx, &saved); err != nil {
		return nil, err
	}
	d.saved = saved.Bytes()
	return d, nil
}

// Command returns the command that repeats a run.
func (o Options) Command() string {
	text := fmt.Sprintf("tradectl chaos --seed %d --trades %d", o.Seed, o.Trades)
	for _, list := range []struct {
		flag    string
		numbers []int
	}{{"--events", o.Events}, {"--faults", o.Faults}} {
		if list.numbers != nil {
			text += " " + list.flag + " " + strings.Trim(strings.Join(strings.Fields(fmt.Sprint(list.numbers)), ","), "[]")
			if len(list.numbers) == 0 {
				text += "none"
			}
		}
	}
	return text
}

// Shrink looks for fewer faults and events with which a run still breaks the first of its invariants.
func (d *Deployment) Shrink(ctx context.Context, failing Options, invariant string) (Options, error) {
	failing.Trace = nil
	if failing.Faults == nil {
		for _, f := range plan(failing.Seed) {
			failing.Faults = append(failing.Faults, f.Number)
		}
	}
	if failing.Events == nil {
		for i := range failing.Trades {
			failing.Events = append(failing.Events, i)
		}
	}
	for _, list := range []*[]int{&failing.Faults, &failing.Events} {
		for size := len(*list); size > 0; size /= 2 {
			for at := 0; at < len(*list); {
				kept := *list
				*list = slices.Delete(slices.Clone(kept), at, min(at+size, len(kept)))
				r, err := d.Run(ctx, failing)
				if err != nil {
					return failing, err
				}
				if !slices.ContainsFunc(r.Violations, func(v string) bool { return strings.HasPrefix(v, invariant+":") }) {
					*list = kept
					at += size
				}
			}
		}
	}
	return failing, nil
}
