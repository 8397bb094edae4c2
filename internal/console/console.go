// Package console is the page that shows operators a deployed stack: what flows, what fails, each trade with its versions.
// It only looks, except that it redrives dead letters and sends events, after a confirmation. All that it loads is in the
// program, and everything from a trade is text to it.
package console

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"trade-processing/internal/operate"
)

// Options say what the console shows.
type Options struct {
	Stack *operate.Stack
	Title string        // names the stack
	Every time.Duration // between two looks at AWS, while a page is open
}

// Console shows one stack.
type Console struct {
	stack *operate.Stack
	title string
	every time.Duration
	guard guard
	now   func() time.Time
	file  bool // it writes a file rather than serves
}

// New returns a console that is served on loopback, at this port.
func New(options Options, port string) *Console {
	return &Console{stack: options.Stack, title: options.Title, every: options.Every, guard: newGuard(port), now: time.Now}
}

// Address is what opens the console: it has the key.
func (c *Console) Address() string {
	return "http://" + c.guard.hosts[0] + "/?" + keyParameter + "=" + c.guard.key
}

// view is a page of the console.
type view struct {
	Path, Name string
	Template   string
	read       func(*Console, *http.Request) (any, error)
	live       bool // it changes by itself
	Hidden     bool // it isn't in the menu
}

var views []view

func init() { // the views read from a Console, whose methods name views
	views = []view{
		{Path: "/", Name: "Overview", Template: "overview", live: true, read: func(c *Console, r *http.Request) (any, error) { return c.overview(r.Context(), spanOf(r)), nil }},
		{Path: "/workflow", Name: "Workflow", Template: "workflow", live: true, read: (*Console).workflow},
		{Path: "/trades", Name: "Trades", Template: "trades", read: (*Console).trades},
		{Path: "/trade", Name: "Trade", Template: "trade", read: (*Console).trade, Hidden: true},
		{Path: "/executions", Name: "Executions", Template: "executions", read: (*Console).executions},
		{Path: "/execution", Name: "Execution", Template: "execution", read: (*Console).execution, Hidden: true},
		{Path: "/letters", Name: "Dead letters", Template: "letters", read: (*Console).letters},
		{Path: "/alarms", Name: "Alarms", Template: "alarms", live: true, read: (*Console).alarms},
		{Path: "/resources", Name: "Resources", Template: "resources", read: (*Console).resources},
	}
}

// page is what every template gets.
type page struct {
	console *Console
	View    view
	Views   []view
	Live    string // where its changes come from; empty if it has none
	Token   string
	Data    any
	Err     string
	At      time.Time
}

// Title names the stack.
func (p page) Title() string { return p.console.title }

// Region is the stack's.
func (p page) Region() string { return p.console.stack.Outputs.Region }

// Bus is where events are sent.
func (p page) Bus() string { return p.console.stack.Outputs.EventBusName }

// InFile says that there is no server behind the page.
func (p page) InFile() bool { return p.console.file }

// With returns the page with other data, for a template within its template.
func (p page) With(data any) page {
	p.Data = data
	return p
}

// To returns an address on this server; empty if there is none.
func (p page) To(path string) string {
	if p.console.file {
		return ""
	}
	return path
}

func (p page) query(path, name, value string) string {
	if value == "" {
		return ""
	}
	return p.To(path + "?" + url.Values{name: {value}}.Encode())
}

// Trade returns the address of a trade.
func (p page) Trade(id string) string { return p.query("/trade", "id", id) }

// Execution returns the address of an execution.
func (p page) Execution(arn string) string { return p.query("/execution", "arn", arn) }

// Letters returns the address of a queue's letters.
func (p page) Letters(queue string) string { return p.query("/letters", "queue", queue) }

// Span returns the address of this view over another span.
func (p page) Span(name string) string { return p.query(p.View.Path, "span", name) }

// Handler serves the console.
func (c *Console) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /assets/", serveAssets())
	for _, v := range views {
		path := v.Path
		if path == "/" {
			path = "/{$}"
		}
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { c.show(w, r, v) })
		if v.live {
			mux.HandleFunc("GET /live"+v.Path, func(w http.ResponseWriter, r *http.Request) { c.stream(w, r, v) })
		}
	}
	mux.HandleFunc("GET /send", c.askSend)
	mux.HandleFunc("POST /send", c.send)
	mux.HandleFunc("GET /redrive", c.askRedrive)
	mux.HandleFunc("POST /redrive", c.redrive)
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		c.write(w, http.StatusNotFound, "page", c.page(view{Name: "Not found", Template: "nothing"}, nil, errors.New("there is no such page")))
	})
	return c.guard.protect(mux)
}

func (c *Console) page(v view, data any, err error) page {
	return page{console: c, View: v, Views: views, Data: data, Err: c.told(err), At: c.now(), Token: c.guard.token}
}

// show answers with a whole page.
func (c *Console) show(w http.ResponseWriter, r *http.Request, v view) {
	data, err := v.read(c, r)
	p := c.page(v, data, err)
	if v.live {
		p.Live = "/live" + v.Path
		if r.URL.RawQuery != "" {
			p.Live += "?" + r.URL.Query().Encode()
		}
	}
	c.write(w, statusOf(err), "page", p)
}

func statusOf(err error) int {
	switch {
	case err == nil:
		return http.StatusOK
	case isNotFound(err):
		return http.StatusNotFound
	case isUsage(err):
		return http.StatusBadRequest
	}
	return http.StatusBadGateway
}

func (c *Console) write(w http.ResponseWriter, status int, name string, p page) {
	var text bytes.Buffer
	if err := templates().ExecuteTemplate(&text, name, p); err != nil {
		http.Error(w, "writing the page: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(text.Bytes()) //nolint:errcheck // the reader is gone
}

// stream sends a view's contents again and again, as server-sent events, until the page is closed.
// https://html.spec.whatwg.org/multipage/server-sent-events.html
func (c *Console) stream(w http.ResponseWriter, r *http.Request, v view) {
	w.Header().Set("Content-Type", "text/event-stream")
	sent := http.NewResponseController(w)
	for {
		select {
		case <-r.Context().Done():
			return
		case <-time.After(c.every):
		}
		data, err := v.read(c, r)
		if r.Context().Err() != nil {
			return
		}
		var text bytes.Buffer
		if err := templates().ExecuteTemplate(&text, "live", c.page(v, data, err)); err != nil {
			return
		}
		fmt.Fprint(w, "event: view\n")
		for line := range bytes.Lines(text.Bytes()) {
			fmt.Fprintf(w, "data: %s\n", bytes.TrimRight(line, "\r\n"))
		}
		fmt.Fprint(w, "\n")
		if sent.Flush() != nil {
			return
		}
	}
}

// told explains an error; empty if there is none.
func (c *Console) told(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, context.Canceled):
		return "the page was closed"
	}
	return operate.Explain(err, c.stack.Outputs, "docs/console.md lists what the console calls").Error()
}
