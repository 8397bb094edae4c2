package cloud

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"

	lambdas "trade-processing/lambdas/function"
	"trade-processing/local/function"
	"trade-processing/local/metrics"
	"trade-processing/local/parameters"
	"trade-processing/local/states"
)

// functionKinds are container images, the functions that run them, and their aliases.
var functionKinds = map[string]kind{
	"docker:index/image:Image": living[imageInputs]{
		requires: "imageName", computes: "baseImageName repoDigest registryServer",
		renews: "baseImageName repoDigest registryServer", unversioned: "buildOnPreview registry skipPush",
		identify: func(_ *Cloud, r *Resource, in imageInputs) error {
			r.ID = in.ImageName // and stays so, whatever is pushed later
			r.push(in)
			return nil
		},
		renew: func(_ *Cloud, r *Resource, in imageInputs) error {
			r.push(in)
			return nil
		},
	}.kind(),
	"aws:lambda/function:Function": living[functionInputs]{
		requires: "name role", replaces: "name packageType",
		computes: "arn invokeArn lastModified qualifiedArn qualifiedInvokeArn version signingJobArn",
		renews:   "qualifiedArn qualifiedInvokeArn version", unversioned: "reservedConcurrentExecutions tags",
		identify: func(_ *Cloud, r *Resource, in functionInputs) error {
			r.ID = in.Name
			arn := r.arn("lambda", "function:%s", in.Name)
			r.set("arn", arn).set("lastModified", "2020-01-01T00:00:00.000+0000").
				set("invokeArn", "arn:aws:apigateway:"+r.Region+":lambda:path/2015-03-31/functions/"+arn+"/invocations")
			r.publishFunction(in)
			return nil
		},
		renew: func(_ *Cloud, r *Resource, in functionInputs) error {
			r.publishFunction(in)
			return nil
		},
		start: startFunction,
		stop: func(c *Cloud, r *Resource) error {
			living, err := c.live.functions.get(r.Outputs.text("arn"))
			if err != nil {
				return err
			}
			living.Close()
			c.live.functions.drop(r.Outputs.text("arn"))
			return nil
		},
	}.kind(),
	"aws:lambda/alias:Alias": living[functionAliasInputs]{
		requires: "functionName functionVersion name", replaces: "functionName name", computes: "arn invokeArn",
		identify: func(_ *Cloud, r *Resource, in functionAliasInputs) error {
			name := afterLast(in.FunctionName, ":")
			r.ID = r.arn("lambda", "function:%s:%s", name, in.Name)
			r.set("arn", r.ID).
				set("invokeArn", "arn:aws:apigateway:"+r.Region+":lambda:path/2015-03-31/functions/"+r.ID+"/invocations")
			return nil
		},
		start: func(c *Cloud, r *Resource, in functionAliasInputs) error {
			of, err := c.live.functions.get(r.arn("lambda", "function:%s", afterLast(in.FunctionName, ":")))
			if err != nil {
				return err
			}
			return of.SetAlias(in.Name, in.FunctionVersion)
		},
		stop: func(c *Cloud, r *Resource) error {
			of, err := c.live.functions.get(r.arn("lambda", "function:%s", afterLast(r.Inputs.text("functionName"), ":")))
			if err != nil {
				return nil //nolint:nilerr // the function went first, and its aliases with it
			}
			of.DeleteAlias(r.Inputs.text("name"))
			return nil
		},
	}.kind(),
	"aws:lambda/permission:Permission": record{
		accepts:  "action eventSourceToken function principal qualifier sourceAccount sourceArn statementId",
		replaces: "action function principal qualifier sourceAccount sourceArn statementId",
		requires: "action function principal", identify: joined("", "statementId"),
	}.kind(),
}

type imageInputs struct {
	ImageName string `property:"imageName"`
	Build     struct {
		Args       map[string]string `property:"args"`
		Context    string            `property:"context"`
		Dockerfile string            `property:"dockerfile"`
		Platform   string            `property:"platform"`
		// On record: nothing is built here.
		BuilderVersion string `property:"builderVersion"`
		CacheFrom      struct {
			Images []string `property:"images"`
		} `property:"cacheFrom"`
		Target string `property:"target"`
	} `property:"build"`

	// On record.
	BuildOnPreview *bool `property:"buildOnPreview"`
	Registry       struct {
		Server   string `property:"server"`
		Username string `property:"username"`
		Password string `property:"password"`
	} `property:"registry"`
	SkipPush bool `property:"skipPush"`
}

type functionInputs struct {
	Name                         string `property:"name"`
	ImageURI                     string `property:"imageUri"`
	PackageType                  string `property:"packageType"`
	Timeout                      int    `property:"timeout"`
	ReservedConcurrentExecutions *int   `property:"reservedConcurrentExecutions"`
	Publish                      bool   `property:"publish"`
	Environment                  struct {
		Variables map[string]string `property:"variables"`
	} `property:"environment"`

	// On record.
	Architectures    []string `property:"architectures"`
	DeadLetterConfig struct {
		TargetARN string `property:"targetArn"`
	} `property:"deadLetterConfig"`
	Description string `property:"description"`
	ImageConfig struct {
		Commands         []string `property:"commands"`
		EntryPoints      []string `property:"entryPoints"`
		WorkingDirectory string   `property:"workingDirectory"`
	} `property:"imageConfig"`
	KMSKeyARN     string `property:"kmsKeyArn"`
	LoggingConfig struct {
		LogFormat           string `property:"logFormat"`
		LogGroup            string `property:"logGroup"`
		ApplicationLogLevel string `property:"applicationLogLevel"`
		SystemLogLevel      string `property:"systemLogLevel"`
	} `property:"loggingConfig"`
	MemorySize                     int      `property:"memorySize"`
	ReplaceSecurityGroupsOnDestroy bool     `property:"replaceSecurityGroupsOnDestroy"`
	ReplacementSecurityGroupIDs    []string `property:"replacementSecurityGroupIds"`
	Role                           string   `property:"role"`
	TracingConfig                  struct {
		Mode string `property:"mode"`
	} `property:"tracingConfig"`
	VPCConfig struct {
		IPv6AllowedForDualStack bool     `property:"ipv6AllowedForDualStack"`
		SecurityGroupIDs        []string `property:"securityGroupIds"`
		SubnetIDs               []string `property:"subnetIds"`
	} `property:"vpcConfig"`
	Tags map[string]string `property:"tags"`
}

type functionAliasInputs struct {
	Name            string `property:"name"`
	FunctionName    string `property:"functionName"`
	FunctionVersion string `property:"functionVersion"`
	Description     string `property:"description"` // on record
}

// push gives an image the digest that a push would. It stands for the image's whole content by its name, whose tag is a
// hash of the sources, and its build arguments.
func (r *Resource) push(in imageInputs) {
	var arguments strings.Builder
	for _, name := range slices.Sorted(maps.Keys(in.Build.Args)) {
		fmt.Fprintf(&arguments, "\n%s=%s", name, in.Build.Args[name])
	}
	repository, _, _ := strings.Cut(in.ImageName, "@")
	if colon := strings.LastIndex(repository, ":"); colon > strings.LastIndex(repository, "/") {
		repository = repository[:colon]
	}
	server, _, _ := strings.Cut(in.ImageName, "/")
	r.set("baseImageName", in.ImageName).set("registryServer", server).
		set("repoDigest", repository+"@sha256:"+hash(in.ImageName+arguments.String(), 64))
}

// publishFunction gives a function that publishes versions the next one.
func (r *Resource) publishFunction(in functionInputs) {
	version := "$LATEST"
	if in.Publish {
		last, _ := strconv.Atoi(r.Outputs.text("version")) // none yet: 0
		version = strconv.Itoa(last + 1)
	}
	arn := r.Outputs.text("arn")
	r.set("version", version).set("qualifiedArn", arn+":"+version).
		set("qualifiedInvokeArn", r.Outputs.text("invokeArn")+":"+version)
}

// Image is what a container image holds: code that makes a handler from the variables of the function that runs it.
type Image func(environment lambdas.Environment, services Services) (lambda.Handler, error)

// Services are the AWS services that a function in one region calls.
type Services struct {
	DynamoDB tableClient
	SSM      *parameters.Store
	HTTP     *http.Client
}

// Services are the services of a region.
func (c *Cloud) Services(region string) Services {
	return Services{DynamoDB: tableClient{c, region}, SSM: c.in(region).parameters, HTTP: c.http}
}

// startFunction wires the code of the function's image with the function's own variables, as the start of a container
// does.
func startFunction(c *Cloud, r *Resource, in functionInputs) error {
	name, err := c.functionIn(in.ImageURI)
	if err != nil {
		return err
	}
	image, known := c.images[name]
	if !known {
		return fmt.Errorf("no code is known here for an image built with FUNCTION=%s", name)
	}
	variables := in.Environment.Variables
	handler, err := image(lambdas.Environment{
		Getenv: func(name string) string { return variables[name] },
		Output: &logWriter{to: c.logs, metrics: c.in(r.Region).metrics},
		Now:    c.clock.Now,
	}, c.Services(r.Region))
	if err != nil {
		return fmt.Errorf("starting the container: %w", err)
	}
	def := function.Definition{
		Name: in.Name, ARN: r.Outputs.text("arn"), Handler: handler,
		Timeout: seconds(in.Timeout), ReservedConcurrency: in.ReservedConcurrentExecutions,
	}
	version := r.Outputs.text("version")
	if living, err := c.live.functions.get(def.ARN); err == nil {
		return living.Update(def, version)
	}
	made, err := function.New(def, function.Options{
		Clock: c.clock, Faults: c.faults, Metrics: c.in(r.Region).metrics, RequestID: c.uuid, Pool: c.in(r.Region).pool,
	})
	if err != nil {
		return err
	}
	if err := made.Update(def, version); err != nil {
		return err
	}
	c.live.functions.put(def.ARN, made)
	return nil
}

// functionIn finds the image that a URI names, and the function in it.
func (c *Cloud) functionIn(uri string) (string, error) {
	for _, r := range c.Resources() {
		if r.Type != "docker:index/image:Image" || r.Outputs.text("repoDigest") != uri {
			continue
		}
		in, err := decode[imageInputs](r.Inputs)
		if err != nil {
			return "", err
		}
		if name := in.Build.Args["FUNCTION"]; name != "" {
			return name, nil
		}
		return "", fmt.Errorf("image %s was built without FUNCTION, which names its code", uri)
	}
	return "", fmt.Errorf("image %s was never pushed; name it by the digest of the push", uri)
}

// invoke calls a function by its ARN, with a version or an alias behind it. The error is a *states.Failure, as Step
// Functions sees it.
func (c *Cloud) invoke(ctx context.Context, arn, trace string, payload []byte) (function.Answer, error) {
	parts := strings.SplitN(arn, ":", 8) // arn:aws:lambda:REGION:ACCOUNT:function:NAME[:QUALIFIER]
	if len(parts) < 7 {
		return function.Answer{}, &states.Failure{Name: "Lambda.ResourceNotFoundException", Cause: "Function not found: " + arn}
	}
	living, err := c.live.functions.get(strings.Join(parts[:7], ":"))
	if err != nil {
		return function.Answer{}, &states.Failure{Name: "Lambda.ResourceNotFoundException", Cause: "Function not found: " + arn}
	}
	call := function.Call{TraceHeader: trace, Payload: payload}
	if len(parts) == 8 {
		call.Qualifier = parts[7]
	}
	answer, err := living.Invoke(ctx, call)
	if failed, ok := errors.AsType[*function.Error](err); ok {
		return answer, &states.Failure{Name: failed.Type, Cause: failed.Cause()}
	}
	return answer, err
}

// logWriter takes a function's lines: metrics are kept, and all of them go on.
type logWriter struct {
	to      io.Writer
	metrics *metrics.Store
}

func (w *logWriter) Write(line []byte) (int, error) {
	if err := w.metrics.Ingest(line); err != nil {
		return 0, fmt.Errorf("reading metrics from a log line: %w", err)
	}
	return w.to.Write(line)
}
