package endpoint

import (
	"net/http"
	"regexp"
)

// A route is an operation of a REST service. The path's groups and the query's values are members of the request, by
// name.
type route struct {
	method, path string // the path as a regular expression
	operation    string
}

// routes are those of the supported operations, by service.
var routes = map[string][]route{
	"xray": {{http.MethodPost, "/Traces", "BatchGetTraces"}},
}

// compiled are the routes' paths.
var compiled = func() map[string]*regexp.Regexp {
	all := map[string]*regexp.Regexp{}
	for _, known := range routes {
		for _, one := range known {
			all[one.path] = regexp.MustCompile("^" + one.path + "/?$")
		}
	}
	return all
}()

// restOperation names the operation of a REST request: an unsupported one by method and path.
func restOperation(service string, r *http.Request) string {
	for _, one := range routes[service] {
		if one.method == r.Method && compiled[one.path].MatchString(r.URL.Path) {
			return one.operation
		}
	}
	return r.Method + " " + r.URL.Path
}
