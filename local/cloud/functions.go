package cloud

import (
	"cmp"
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
	"trade-processing/local/access"
	"trade-processing/local/function"
	"trade-processing/local/metrics"
	"trade-processing/local/states"
)

// functionKinds are container images, the functions that run them, and their aliases.
var functionKinds = map[string]kind{
	ImageType: {
		uses: "imageName build.args.*",
		// Nothing is built here.
		records: "build.builderVersion build.context build.dockerfile build.platform buildOnPreview registry.password " +
			"registry.server registry.username skipPush",
		requires: "imageName",
		computes: "baseImageName repoDigest", renews: "baseImageName repoDigest", unversioned: "buildOnPreview registry skipPush",
		identify: with(push),
		// The registry keeps an image that the stack forgets.
		start: func(c *Cloud, r *Resource) error { c.live.pushed.put(repositoryOf(r.ID), true); return nil },
	},
	FunctionType: {
		uses: "name imageUri timeout reservedConcurrentExecutions publish environment.variables.*",
		records: "architectures deadLetterConfig.targetArn description kmsKeyArn loggingConfig.applicationLogLevel " +
			"loggingConfig.logFormat loggingConfig.logGroup loggingConfig.systemLogLevel memorySize packageType " +
			"replaceSecurityGroupsOnDestroy replacementSecurityGroupIds role tags tracingConfig.mode " +
			"vpcConfig.securityGroupIds vpcConfig.subnetIds",
		requires: "name role", replaces: "name packageType",
		computes: "arn qualifiedArn version", renews: "qualifiedArn version", unversioned: "reservedConcurrentExecutions tags",
		identify: then(named("lambda", "function:"), func(_ *Cloud, r *Resource) {
			version := "$LATEST"
			if r.Inputs["publish"] == true {
				last, _ := strconv.Atoi(r.Outputs.text("version")) // none yet: 0
				version = strconv.Itoa(last + 1)
			}
			r.set("version", version).set("qualifiedArn", r.itsARN()+":"+version)
		}),
		start: with(startFunction),
		stop: func(c *Cloud, r *Resource) error {
			living, err := c.live.functions.get(r.itsARN())
			if err != nil {
				return err
			}
			living.Close()
			c.live.functions.drop(r.itsARN())
			return nil
		},
	},
	FunctionAliasType: {
		uses: "name functionName functionVersion", records: "description",
		requires: "functionName functionVersion name", replaces: "functionName name", computes: "arn",
		identify: func(_ *Cloud, r *Resource) error {
			r.ID = r.ofFunction() + ":" + r.Inputs.text("name")
			r.set("arn", r.ID)
			return nil
		},
		start: func(c *Cloud, r *Resource) error {
			of, err := c.live.functions.get(r.ofFunction())
			if err != nil {
				return err
			}
			return of.SetAlias(r.Inputs.text("name"), r.Inputs.text("functionVersion"))
		},
		stop: func(c *Cloud, r *Resource) error {
			if of, err := c.live.functions.get(r.ofFunction()); err == nil { // otherwise it went first, along with its aliases
				of.DeleteAlias(r.Inputs.text("name"))
			}
			return nil
		},
	},
}

// ofFunction returns the ARN of the function that an alias belongs to, which gives its name or its ARN.
func (r *Resource) ofFunction() string {
	return r.arn("lambda", "function:%s", afterLast(r.Inputs.text("functionName"), ":"))
}

type imageInputs struct {
	Build struct {
		Args map[string]string `property:"args"`
	} `property:"build"`
}

// push gives an image the digest that a push would. It represents the image's whole content by its name, whose tag is a
// hash of the sources, and its build arguments.
func push(_ *Cloud, r *Resource, in imageInputs) error {
	r.ID = r.Inputs.text("imageName")
	var arguments strings.Builder
	for _, name := range slices.Sorted(maps.Keys(in.Build.Args)) {
		fmt.Fprintf(&arguments, "\n%s=%s", name, in.Build.Args[name])
	}
	r.set("baseImageName", r.ID).set("repoDigest", repositoryOf(r.ID)+"@sha256:"+hash(r.ID+arguments.String(), 64))
	return nil
}

// repositoryOf returns an image's name without tag and digest.
func repositoryOf(image string) string {
	repository, _, _ := strings.Cut(image, "@")
	if colon := strings.LastIndex(repository, ":"); colon > strings.LastIndex(repository, "/") {
		return repository[:colon]
	}
	return repository
}

type functionInputs struct {
	ImageURI                     string `property:"imageUri"`
	Timeout                      int    `property:"timeout"`
	ReservedConcurrentExecutions *int   `property:"reservedConcurrentExecutions"`
	Environment                  struct {
		Variables map[string]string `property:"variables"`
	} `property:"environment"`
}

// Image is a container image's content: code that creates a handler from the variables of the function that runs it.
type Image func(environment lambdas.Environment, services Services) (lambda.Handler, error)

// Services are the AWS services that a function in one region calls.
type Services struct {
	DynamoDB tableClient
	SSM      parameterClient
	HTTP     *http.Client
}

// Services returns the services of a region as an administrator sees them.
func (c *Cloud) Services(region string) Services { return c.servicesOf("", region) }

// servicesOf returns the services of a region as a function sees them.
func (c *Cloud) servicesOf(function, region string) Services {
	return Services{
		DynamoDB: tableClient{c, region, function}, SSM: parameterClient{c, region, function}, HTTP: c.http,
	}
}

// startFunction starts the code of the function's image with the function's own variables, as the start of a container
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
		Output: c.newLogWriter(r),
		Now:    c.clock.Now,
	}, c.servicesOf(r.itsARN(), r.Region))
	if err != nil {
		return fmt.Errorf("starting the container: %w", err)
	}
	def := function.Definition{
		Name: r.Inputs.text("name"), ARN: r.itsARN(), Handler: handler,
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
		if r.Type != ImageType || r.Outputs.text("repoDigest") != uri {
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

// InvokeFunction calls a function by its ARN, with a version or an alias behind it, as an administrator. The error is a
// *states.Failure if the function fails.
func (c *Cloud) InvokeFunction(ctx context.Context, arn string, payload []byte) (function.Answer, error) {
	return c.invoke(ctx, arn, c.decided(c.traceHeader(), "", arn), payload)
}

// invoke calls a function by its ARN, with a version or an alias behind it. The error is a *states.Failure, as Step
// Functions sees it.
func (c *Cloud) invoke(ctx context.Context, arn, trace string, payload []byte) (function.Answer, error) {
	called, call := arn, function.Call{TraceHeader: trace, Payload: payload}
	if strings.Count(arn, ":") == 7 { // arn:aws:lambda:REGION:ACCOUNT:function:NAME:QUALIFIER
		colon := strings.LastIndexByte(arn, ':')
		called, call.Qualifier = arn[:colon], arn[colon+1:]
	}
	living, err := c.live.functions.get(called)
	if err != nil {
		return function.Answer{}, &states.Failure{Name: "Lambda.ResourceNotFoundException", Cause: "Function not found: " + arn}
	}
	answer, err := living.Invoke(ctx, call)
	if failed, ok := errors.AsType[*function.Error](err); ok {
		return answer, &states.Failure{Name: failed.Type, Cause: failed.Cause()}
	}
	return answer, err
}

// logWriter receives a function's lines: metrics are kept, and all lines are passed on. Those of a function that may not
// write its logs are lost.
type logWriter struct {
	to              io.Writer
	metrics         *metrics.Store
	cloud           *Cloud
	function, group string // ARNs
}

func (c *Cloud) newLogWriter(r *Resource) *logWriter {
	config, _ := r.Inputs["loggingConfig"].(map[string]any)
	group := cmp.Or(Properties(config).text("logGroup"), "/aws/lambda/"+r.Inputs.text("name"))
	return &logWriter{
		to: c.logs, metrics: c.in(r.Region).metrics, cloud: c, function: r.itsARN(), group: r.arn("logs", "log-group:%s", group),
	}
}

func (w *logWriter) Write(line []byte) (int, error) {
	if w.cloud.allowed(access.WriteLogs, w.function, w.group, "") != nil {
		return len(line), nil
	}
	if err := w.metrics.Ingest(line); err != nil {
		return 0, fmt.Errorf("reading metrics from a log line: %w", err)
	}
	return w.to.Write(line)
}
