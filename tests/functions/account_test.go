package functions_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"trade-processing/components/declared"
	"trade-processing/internal/localrun"
	"trade-processing/internal/stackconfig"
	"trade-processing/local/cloud"
	"trade-processing/local/endpoint"
	"trade-processing/local/fault"
	"trade-processing/stack"
)

// stackName is the stack whose functions are run, with its own table, parameters and variables.
const stackName = "local"

// region is the stack's primary region.
const region = "us-east-1"

// Account is the functions' surroundings: the stack's table and parameters in a local cloud, which programs reach
// through an endpoint that speaks AWS's protocols.
type Account struct {
	cloud     *cloud.Cloud
	endpoint  *httptest.Server
	variables map[string]map[string]string // by function

	trouble atomic.Pointer[fault.Fault] // of every call to a service
}

// open declares the stack and creates what its functions need, for one test.
func open(t testing.TB) *Account {
	t.Helper()
	project, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	config, err := stackconfig.Read(project, stackName)
	if err != nil {
		t.Fatal(err)
	}
	program, err := declared.Declare(declared.Program{Run: stack.DeployFrom(project), Stack: stackName, Folder: project, Config: config})
	if err != nil {
		t.Fatal(err)
	}
	a := &Account{variables: map[string]map[string]string{}}
	a.cloud = cloud.New(cloud.Options{Images: localrun.Images(), Faults: a.faultOf})
	for _, typ := range []string{"aws:dynamodb/table:Table", "aws:ssm/parameter:Parameter"} {
		for _, r := range program.All(typ) {
			inputs, err := cloud.Check(typ, r.Name, r.Inputs, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := a.cloud.Create(typ, r.Name, region, inputs); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, function := range Functions() {
		r, err := program.Find("aws:lambda/function:Function", "-"+function+"-function")
		if err != nil {
			t.Fatal(err)
		}
		variables, _ := r.At("environment.variables").(map[string]any)
		a.variables[function] = map[string]string{}
		for name, value := range variables {
			a.variables[function][name], _ = value.(string)
		}
	}
	served := endpoint.New(a.cloud, nil) // no function reads logs
	a.endpoint = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f := a.faultOf(fault.Call{}); f.Delay > 0 {
			// The delay itself would outlive the case. The server notices that a caller has gone once its request is read.
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
			return
		}
		served.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		a.endpoint.CloseClientConnections() // along with every call waiting there
		a.endpoint.Close()
	})
	return a
}

// Services returns the account's services as the local cloud's functions get them.
func (a *Account) Services() cloud.Services { return a.cloud.Services(region) }

// Variables returns the environment variables that the stack gives to a function.
func (a *Account) Variables(function string) map[string]string {
	variables := map[string]string{}
	for name, value := range a.variables[function] {
		variables[name] = value
	}
	return variables
}

// ProcessVariables returns Variables plus what Lambda itself adds for a program, with the account's endpoint instead of
// AWS's.
func (a *Account) ProcessVariables(function string) map[string]string {
	variables := a.Variables(function)
	variables["AWS_REGION"] = region
	variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"] = "AKIDEXAMPLE", "none"
	variables["AWS_ENDPOINT_URL"] = a.endpoint.URL
	variables["AWS_LAMBDA_FUNCTION_NAME"] = "trade-processing-" + stackName + "-" + function
	return variables
}

// long is longer than any case takes.
const long = time.Hour

// Trouble is what is wrong with the services that a function calls.
type Trouble struct {
	// Silent services accept a call and never answer.
	Silent bool

	// Err is what each call answers, an SDK error; nil if nothing is wrong.
	Err error
}

// Suffer makes every call from now on run into a trouble; the zero Trouble ends it.
func (a *Account) Suffer(t Trouble) {
	f := fault.Fault{Err: t.Err}
	if t.Silent {
		f.Delay = long
	}
	a.trouble.Store(&f)
}

func (a *Account) faultOf(fault.Call) fault.Fault {
	if f := a.trouble.Load(); f != nil {
		return *f
	}
	return fault.Fault{}
}
