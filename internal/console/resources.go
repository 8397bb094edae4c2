package console

import (
	"maps"
	"net/http"
	"slices"
)

// resource is a node of the tree: what the stack's outputs name, in the order of a trade's way.
type resource struct {
	Kind, Name string
	About      string
	Address    string // of the view that shows it
	Children   []resource
}

func (c *Console) resources(*http.Request) (any, error) {
	o := c.stack.Outputs
	bus := resource{Kind: "event bus", Name: o.EventBusName, About: "takes the events"}
	for _, source := range o.Sources() {
		bus.Children = append(bus.Children, resource{
			Kind: "rule", Name: o.Prefix() + "from-" + source, About: "passes on what " + source + " sends",
			Children: []resource{queueOf(o.Delivery[source], "delivery-"+source, "keeps what couldn't be delivered")},
		})
	}
	if o.BusDeadLettersURL != "" {
		bus.Children = append(bus.Children, queueOf(o.BusDeadLettersURL, "bus", "keeps what the bus couldn't encrypt"))
	}
	machine := resource{Kind: "state machine", Name: afterLast(o.StateMachineARN, ":"), About: "runs once for each event", Address: "/workflow"}
	for _, name := range slices.Sorted(maps.Keys(o.FunctionNames)) {
		machine.Children = append(machine.Children, resource{
			Kind: "function", Name: o.FunctionNames[name], Children: []resource{queueOf(o.DeadLetters[name], name, "keeps what the "+name+" failed on")},
		})
	}
	table := resource{Kind: "table", Name: o.TradeTableName, About: "in " + o.Region, Address: "/trades"}
	for _, region := range o.ReplicaRegions {
		table.Children = append(table.Children, resource{Kind: "replica", Name: region})
	}
	return []resource{bus, machine, table, {Kind: "alarms", Name: o.Prefix() + "…", Address: "/alarms"}}, nil
}

func queueOf(url, name, about string) resource {
	return resource{Kind: "queue", Name: afterLast(url, "/"), About: about, Address: "/letters?queue=" + name}
}
