package endpoint

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
)

// A route is an operation of a REST service. The path's groups and the query's values are members of the request, by name.
type route struct {
	method    string
	path      *regexp.Regexp
	operation string
	payload   bool // the body isn't JSON with members, but one member, Payload
}

func on(method, path, operation string) route {
	return route{method: method, path: regexp.MustCompile("^" + path + "/?$"), operation: operation}
}

// routes are those of the supported operations, by service.
var routes = map[string][]route{
	"xray":   {on(http.MethodPost, "/Traces", "BatchGetTraces")},
	"lambda": functionRoutes,
	"backup": backupRoutes,
}

// routed finds the route of a REST request, with the path's groups.
func routed(service string, r *http.Request) (route, map[string]string, bool) {
	for _, one := range routes[service] {
		groups := one.path.FindStringSubmatch(r.URL.EscapedPath())
		if one.method != r.Method || groups == nil {
			continue
		}
		members := map[string]string{}
		for i, name := range one.path.SubexpNames() {
			if name != "" {
				if value, err := url.PathUnescape(groups[i]); err == nil {
					members[name] = value
				}
			}
		}
		return one, members, true
	}
	return route{}, nil, false
}

// restOperation names the operation of a REST request: an unsupported one by method and path.
func restOperation(service string, r *http.Request) string {
	if one, _, found := routed(service, r); found {
		return one.operation
	}
	return r.Method + " " + r.URL.Path
}

// restJSON is the protocol of REST services. https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html
type restJSON struct {
	jsonProtocol
	service string
}

func (p restJSON) read(r *http.Request, body []byte) ([]byte, error) {
	one, path, _ := routed(p.service, r)
	members := map[string]any{}
	switch {
	case one.payload:
		members["Payload"] = body
	case len(body) > 0:
		if err := json.Unmarshal(body, &members); err != nil {
			return nil, err
		}
	}
	for name, value := range path {
		members[name] = value
	}
	for name, values := range r.URL.Query() {
		if len(values) > 0 {
			members[name] = values[0]
		}
	}
	return json.Marshal(members)
}

// payload is an answer that isn't JSON with members.
type payload struct {
	headers map[string]string
	body    []byte
}

func (p restJSON) answer(w http.ResponseWriter, value any) {
	raw, is := value.(payload)
	if !is {
		p.jsonProtocol.answer(w, value)
		return
	}
	for name, header := range raw.headers {
		w.Header().Set(name, header)
	}
	w.WriteHeader(http.StatusOK)
	w.Write(raw.body) //nolint:errcheck // the caller is gone
}
