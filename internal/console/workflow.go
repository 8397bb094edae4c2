package console

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"trade-processing/internal/operate"
	"trade-processing/internal/terminal"
)

// aslState is a state as far as a drawing needs it. https://states-language.net/spec.html
type aslState struct {
	Type     string
	Next     string
	End      bool
	Resource string
	Branches []aslMachine
	Catch    []struct {
		Next        string
		ErrorEquals []string
	}
	Parameters struct {
		FunctionName string
		QueueURL     string `json:"QueueUrl"`
	}
}

type aslMachine struct {
	StartAt string
	States  map[string]aslState
}

// workflowView is the deployed state machine as a drawing.
type workflowView struct {
	Span    span
	Spans   []span
	Type    string
	Width   float64
	Height  float64
	Nodes   []node
	Edges   []edge
	Missing string // why there are no numbers
}

// node is a state, or the frame of a parallel one.
type node struct {
	Name, Kind string // task, letter, fail, frame, end
	X, Y, W, H float64
	Notes      []string // below the name
	Title      string
}

// edge goes from one state to the next.
type edge struct {
	Path   string // of SVG
	Class  string // caught: only after an error
	X, Y   float64
	Label  string
	Anchor string
}

// Sizes of the drawing, in pixels.
const (
	taskWidth, letterWidth = 184.0, 226.0
	nodeHeight             = 58.0
	gapX, gapY             = 60.0, 46.0
	framePad               = 20.0
)

func (c *Console) workflow(r *http.Request) (any, error) {
	view := &workflowView{Span: spanOf(r), Spans: spans}
	found, err := c.stack.SFN().DescribeStateMachine(r.Context(), &sfn.DescribeStateMachineInput{StateMachineArn: &c.stack.Outputs.StateMachineARN})
	if err != nil {
		return view, fmt.Errorf("reading the state machine: %w", err)
	}
	view.Type = string(found.Type)
	var machine aslMachine
	if err := json.Unmarshal([]byte(aws.ToString(found.Definition)), &machine); err != nil {
		return view, fmt.Errorf("reading the state machine's definition: %w", err)
	}
	drawing := &drawing{console: c, view: view, at: map[string]node{}}
	width, height := drawing.measure(machine)
	view.Width, view.Height = width+2*framePad, height+2*gapY+2*nodeHeight/2
	drawing.edges(framePad, gapY, width, machine)
	window := view.Span.until(c.now())
	if err := drawing.totals.read(r.Context(), c.stack, whole(window)); err != nil {
		view.Missing = c.told(err)
		return view, nil
	}
	for _, write := range drawing.write {
		write()
	}
	return view, nil
}

// drawing places states and asks for their numbers.
type drawing struct {
	console *Console
	view    *workflowView
	at      map[string]node
	totals  request
	write   []func() // sets what the numbers say, once they are there
}

// chain returns the states from one to the end, along Next.
func chain(machine aslMachine, from string) []string {
	var names []string
	for from != "" && !slices.Contains(names, from) {
		names = append(names, from)
		from = machine.States[from].Next
	}
	return names
}

// rescue returns the states that take over after a task's error: along Catch as long as there is one, then Next.
func rescue(machine aslMachine, state string) []string {
	var names []string
	for {
		caught := machine.States[state].Catch
		switch {
		case len(caught) > 0:
			state = caught[0].Next
		case machine.States[state].Next != "" && len(names) > 0:
			state = machine.States[state].Next
		default:
			return names
		}
		if slices.Contains(names, state) || machine.States[state].Type == "" {
			return names
		}
		names = append(names, state)
	}
}

// measure returns the size of a machine's drawing: the states of the good path below each other, beside each what rescues it.
func (d *drawing) measure(machine aslMachine) (width, height float64) {
	for _, name := range chain(machine, machine.StartAt) {
		w, h := d.sizeOf(machine, name)
		width, height = max(width, w), height+h+gapY
	}
	return width, height - gapY
}

func (d *drawing) sizeOf(machine aslMachine, name string) (width, height float64) {
	width, height = taskWidth, nodeHeight
	if branches := machine.States[name].Branches; len(branches) > 0 {
		width, height = framePad, 0
		for _, branch := range branches {
			w, h := d.measure(branch)
			width, height = width+w+framePad, max(height, h)
		}
		return width, height + framePad*2 + 18
	}
	if beside := rescue(machine, name); len(beside) > 0 {
		width += gapX + letterWidth
		height = max(height, float64(len(beside))*(nodeHeight+gapY/2)-gapY/2)
	}
	return width, height
}

// edges places a machine's states in a box and draws what joins them.
func (d *drawing) edges(x, y, width float64, machine aslMachine) {
	top := machine.StartAt != "" && len(d.view.Nodes) == 0
	names := chain(machine, machine.StartAt)
	var before *node
	if top {
		start := node{Name: "start", Kind: "end", X: x + width/2, Y: y - gapY/2}
		d.view.Nodes = append(d.view.Nodes, start)
		before = &start
	}
	for _, name := range names {
		w, h := d.sizeOf(machine, name)
		placed := d.place(machine, name, x+(width-w)/2, y, w, h)
		if before != nil {
			label := ""
			if before.Kind == "end" {
				d.count(len(d.view.Edges), "started", d.console.ofMachine("ExecutionsStarted", "Sum"))
			}
			d.view.Edges = append(d.view.Edges, down(*before, placed, label))
		}
		before = &placed
		y += h + gapY
	}
	if top && before != nil {
		end := node{Name: "end", Kind: "end", X: before.X + before.W/2, Y: y - gapY/2 + 14}
		d.view.Nodes = append(d.view.Nodes, end)
		at := len(d.view.Edges)
		d.count(at, "succeeded", d.console.ofMachine("ExecutionsSucceeded", "Sum"))
		last := down(*before, end, "")
		last.Y = end.Y - gapY/2 // below what rescues the last state
		d.view.Edges = append(d.view.Edges, last)
		var p50, p95 float64
		d.totals.want(func(s []operate.Series) { p50, p95 = most(s[0]), most(s[1]) }, d.console.ofMachine("ExecutionTime", "p50"), d.console.ofMachine("ExecutionTime", "p95"))
		d.write = append(d.write, func() {
			if p50 > 0 {
				d.view.Edges[at].Label += ", p50 " + milliseconds(p50) + ", p95 " + milliseconds(p95)
			}
		})
	}
}

// place draws one state and what is in or beside it.
func (d *drawing) place(machine aslMachine, name string, x, y, w, h float64) node {
	state := machine.States[name]
	if len(state.Branches) > 0 {
		frame := node{Name: name, Kind: "frame", X: x, Y: y, W: w, H: h}
		d.view.Nodes = append(d.view.Nodes, frame)
		at := x + framePad
		for _, branch := range state.Branches {
			bw, _ := d.measure(branch)
			d.edges(at, y+framePad+18, bw, branch)
			at += bw + framePad
		}
		return frame
	}
	task := node{Name: name, Kind: "task", X: x, Y: y, W: taskWidth, H: nodeHeight}
	beside := rescue(machine, name)
	at := len(d.view.Nodes)
	d.view.Nodes = append(d.view.Nodes, task)
	d.calls(at, state)
	before := task
	for i, caught := range beside {
		letter := node{Name: caught, Kind: "letter", X: x + taskWidth + gapX, Y: y + float64(i)*(nodeHeight+gapY/2), W: letterWidth, H: nodeHeight}
		if machine.States[caught].Type == "Fail" {
			letter.Kind = "fail"
		}
		d.view.Nodes = append(d.view.Nodes, letter)
		d.view.Nodes[len(d.view.Nodes)-1].Notes = []string{about(caught, machine.States[caught])}
		if i == 0 {
			if url := machine.States[caught].Parameters.QueueURL; url != "" {
				d.count(len(d.view.Edges), "", ofQueue(url, "NumberOfMessagesSent", "Sum"))
			}
			y := task.Y + task.H/2
			d.view.Edges = append(d.view.Edges, edge{
				Path: fmt.Sprintf("M%.0f %.0fH%.0f", task.X+task.W, y, letter.X), Class: "caught", X: (task.X + task.W + letter.X) / 2, Y: y - 8, Anchor: "middle",
			})
		} else {
			joined := down(before, letter, "")
			joined.Class = "caught"
			d.view.Edges = append(d.view.Edges, joined)
		}
		before = letter
	}
	return task
}

// about says in a few words what a rescuing state does.
func about(name string, state aslState) string {
	switch {
	case state.Type == "Fail":
		return "the execution fails"
	case strings.HasPrefix(name, "Keep"):
		return "keeps the event in the queue"
	case strings.HasPrefix(name, "Page"):
		return "sets off an alarm"
	case state.Parameters.QueueURL != "":
		return "keeps a letter that names it"
	}
	return state.Type
}

func down(from, to node, label string) edge {
	x, y := from.X+from.W/2, from.Y+from.H
	tx, ty := to.X+to.W/2, to.Y
	path := fmt.Sprintf("M%.0f %.0fV%.0f", x, y, ty)
	if math.Abs(x-tx) > 1 {
		middle := (y + ty) / 2
		path = fmt.Sprintf("M%.0f %.0fV%.0fH%.0fV%.0f", x, y, middle, tx, ty)
	}
	return edge{Path: path, X: tx + 8, Y: (y+ty)/2 + 4, Label: label, Anchor: "start"}
}

// count writes a sum on an edge.
func (d *drawing) count(at int, word string, metrics ...operate.Metric) {
	sum := 0.0
	d.totals.want(func(s []operate.Series) {
		for _, one := range s {
			sum += one.Sum()
		}
	}, metrics...)
	d.write = append(d.write, func() {
		d.view.Edges[at].Label = strings.TrimSpace(count(sum) + " " + word)
	})
}

// calls writes on a task how often its function was called, and how long it took.
func (d *drawing) calls(at int, state aslState) {
	name, known := d.functionOf(state.Parameters.FunctionName)
	if !known {
		return
	}
	var calls, p50, p95, errors float64
	d.totals.want(func(s []operate.Series) { calls, p50, p95, errors = s[0].Sum(), most(s[1]), most(s[2]), s[3].Sum() },
		d.console.ofFunction(name, "Invocations", "Sum"), d.console.ofFunction(name, "Duration", "p50"), d.console.ofFunction(name, "Duration", "p95"), d.console.ofFunction(name, "Errors", "Sum"))
	d.write = append(d.write, func() {
		notes := []string{terminal.Plural(int64(calls), "call")}
		if errors > 0 {
			notes[0] += ", " + count(errors) + " failed"
		}
		if calls > 0 {
			notes = append(notes, "p50 "+milliseconds(p50)+", p95 "+milliseconds(p95))
		}
		d.view.Nodes[at].Notes = notes
	})
}

// functionOf finds the function that an alias's ARN is of: arn:aws:lambda:REGION:ACCOUNT:function:NAME:ALIAS.
func (d *drawing) functionOf(arn string) (string, bool) {
	parts := strings.Split(arn, ":")
	if len(parts) < 7 {
		return "", false
	}
	names := slices.Collect(maps.Values(d.console.stack.Outputs.FunctionNames))
	return parts[6], slices.Contains(names, parts[6])
}
