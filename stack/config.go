// Package stack is the program of the trade processing stack: its config, and the components it is composed of.
package stack

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/components"
	"trade-processing/lambdas/function"
	"trade-processing/lambdas/parameters"
	"trade-processing/lambdas/trade"
)

// Config is a stack's config, read once and checked as a whole. Pulumi.yaml describes every key and has its default.
type Config struct {
	Environment    string
	Region         string
	ReplicaRegions []string
	Tags           map[string]string

	AllowedCurrencies     []string
	MaxClockSkew          time.Duration
	RetentionYears        int // 0: forever
	RejectionAlarmPercent int
	APIEndpoint           string // empty: none
	APIEndpointIsSecret   bool
	ProcessingThreshold   string

	// Pipeline is the part of the config about the pipeline; its keys are named like the arguments.
	Pipeline components.TradePipelineArgs

	AdoptedNetwork *components.AdoptedNetwork // nil: the stack creates a VPC
	VPCCIDR        string
	VPCEndpoints   []string

	Backup              bool
	BackupRetentionDays int

	AlarmEmail                string
	ManageRegistryReplication bool
	ManageInsightsLogGroup    bool

	sizes map[string]functionSize // by function
}

// functionSize is the config of a stage's function.
type functionSize struct{ memoryMB, reservedConcurrency int }

// pipelineKeys are the keys that are arguments of the pipeline, with the same names and rules.
var pipelineKeys = []string{
	"sources", "eventBusName", "producerAccounts", "archiveDays", "workflowType", "workflowLogLevel", "maxRetries",
	"tracePercent", "functionLogLevel", "apiEndpointCidrs", "imageArguments", "maxWriteUnits", "maxReadUnits", "silenceAlarmMinutes",
	"logRetentionDays", "permissionsBoundary", "deletionProtection",
}

// The limits of this project's own names. The components check AWS's limits. X-Ray takes 32 characters of the workflow's name,
// <prefix>-<environment>-workflow, from its end.
var (
	environmentPattern = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,21}[a-z0-9])?$`)
	sourcePattern      = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?$`)
	currencyPattern    = regexp.MustCompile(`^[A-Z][A-Z0-9]{2,9}$`)
	pinnedPattern      = regexp.MustCompile(`^\S+@sha256:[0-9a-f]{64}$`)
	checksumPattern    = regexp.MustCompile(`^[0-9a-f]{64}$`)
	boundaryPattern    = regexp.MustCompile(`^arn:(aws[a-z-]*):iam::(?:[0-9]{12}|aws):policy/.+$`)
)

// mandatoryTags are the tags that an account's owners require on every resource.
var mandatoryTags = []string{"Project", "Environment", "Owner", "CostCenter"}

// calledEndpoints are what the functions call from within the VPC: SSM for their parameters, and CloudWatch Logs for
// Lambda Insights.
var calledEndpoints = []string{"logs", "ssm"}

// read turns a stack's values into a Config. The error lists all problems.
func read(v *values) (Config, error) {
	c := Config{
		Environment:    v.text("environment"),
		Region:         v.region(),
		ReplicaRegions: v.list("replicaRegions"),
		Tags:           v.table("tags"),

		AllowedCurrencies:     v.list("allowedCurrencies"),
		MaxClockSkew:          v.duration("maxClockSkew"),
		RetentionYears:        v.integer("retentionYears", 0, 100),
		RejectionAlarmPercent: v.integer("rejectionAlarmPercent", 1, 100),
		APIEndpoint:           v.text("apiEndpoint"),
		APIEndpointIsSecret:   v.secret("apiEndpoint"),
		ProcessingThreshold:   v.text("processingThreshold"),

		VPCCIDR:      v.text("vpcCidr"),
		VPCEndpoints: v.list("vpcEndpoints"),

		Backup:              v.boolean("backup"),
		BackupRetentionDays: v.integer("backupRetentionDays", 1, 36500),

		AlarmEmail:                v.text("alarmEmail"),
		ManageRegistryReplication: v.boolean("manageRegistryReplication"),
		ManageInsightsLogGroup:    v.boolean("manageInsightsLogGroup"),

		sizes: map[string]functionSize{},
	}
	if c.Environment == "" {
		c.Environment = v.stack
	}
	v.into(&c.Pipeline, pipelineKeys...)
	for _, stage := range Stages() {
		c.sizes[stage.Function] = functionSize{
			memoryMB:            v.integer(stage.Function+"Memory", math.MinInt, math.MaxInt),
			reservedConcurrency: v.integer(stage.Function+"ReservedConcurrency", math.MinInt, math.MaxInt),
		}
	}
	c.checkNames(v)
	c.checkRegions(v)
	c.checkTags(v)
	c.checkAPI(v)
	c.readNetwork(v)
	c.checkImages(v)
	c.checkOperations(v)
	c.checkPipeline(v)
	v.unknown()
	return c, v.err()
}

// complete fills in the pipeline's arguments that aren't config keys.
func (c *Config) complete() {
	c.Pipeline.Prefix = c.prefix()
	c.Pipeline.Environment = c.Environment
	c.Pipeline.RepositoryPrefix = c.repositoryPrefix()
	c.Pipeline.ParameterPrefix = c.parameterPrefix()
	c.Pipeline.EventSourcePrefix = trade.SourcePrefix
	c.Pipeline.MetricsNamespace = function.MetricsNamespace
	c.Pipeline.LambdaSources = lambdaSources
	c.Pipeline.Expires = c.RetentionYears > 0
	c.Pipeline.Stages = c.stages()
	c.Pipeline.Parameters = c.parameters()
}

// checkPipeline has the pipeline check its arguments, and blames the keys they come from.
func (c *Config) checkPipeline(v *values) {
	c.complete()
	keys := map[string]string{}
	for i, stage := range c.Pipeline.Stages {
		keys[fmt.Sprintf("Stages[%d].MemoryMB", i)] = stage.Function + "Memory"
		keys[fmt.Sprintf("Stages[%d].ReservedConcurrency", i)] = stage.Function + "ReservedConcurrency"
	}
	v.refused(&c.Pipeline, c.Pipeline.Check(), pipelineKeys, keys)
}

func (c *Config) checkNames(v *values) {
	if !environmentPattern.MatchString(c.Environment) {
		v.problem("environment", "dev", "%q is not a valid environment name: use 1 to 23 lower-case letters, digits and -, starting with a letter", c.Environment)
	}
	for _, source := range c.Pipeline.Sources {
		if !sourcePattern.MatchString(source) {
			v.problem("sources", examples["sources"], "%q is not a valid source system: begin and end with a letter or digit, with - and _ in between", source)
		}
	}
	for _, code := range c.AllowedCurrencies {
		if !currencyPattern.MatchString(code) {
			v.problem("allowedCurrencies", "[USDC]", "%q is not a currency code: use 3 to 10 upper-case letters and digits, starting with a letter", code)
		}
	}
	v.unique("allowedCurrencies", c.AllowedCurrencies)
}

func (c *Config) checkRegions(v *values) {
	for _, region := range c.ReplicaRegions {
		switch {
		case !slices.Contains(regions, region):
			v.problem("replicaRegions", "[eu-west-1]", "%q is not an AWS region", region)
		case region == c.Region:
			v.problem("replicaRegions", "[eu-west-1]", "%q is the stack's own region, where the table is", region)
		}
	}
	v.unique("replicaRegions", c.ReplicaRegions)
	if c.ManageRegistryReplication && len(c.ReplicaRegions) == 0 {
		v.problem("manageRegistryReplication", "false", "is on, but replicaRegions names no region to copy images to")
	}
}

func (c *Config) checkTags(v *values) {
	for _, tag := range mandatoryTags {
		if strings.TrimSpace(c.Tags[tag]) == "" {
			v.problem("tags", examples["tags"], "%s is missing", tag)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(c.Tags)) {
		if len(key) > 128 || len(c.Tags[key]) > 256 || strings.HasPrefix(strings.ToLower(key), "aws:") {
			v.problem("tags", examples["tags"], "%q: a key has up to 128 characters and can't begin with aws:, and a value has up to 256", key)
		}
	}
}

func (c *Config) checkAPI(v *values) {
	if parameters.Check(parameters.ThresholdName, c.ProcessingThreshold) != nil {
		v.problem("processingThreshold", `"1000000"`, "%q is not an amount: use a decimal of 0 or more, with up to 38 digits, or 19 on each side of the point", c.ProcessingThreshold)
	}
	if c.APIEndpoint == "" {
		if len(c.Pipeline.APIEndpointCIDRs) > 0 {
			v.problem("apiEndpoint", "https://api.example.com/v1", "is not set, but apiEndpointCidrs opens access to it")
		}
		return
	}
	const anEndpoint = "https://api.example.com/v1"
	endpoint, err := url.Parse(c.APIEndpoint)
	if err != nil || c.APIEndpoint == parameters.Unset || parameters.Check(parameters.EndpointName, c.APIEndpoint) != nil {
		v.problem("apiEndpoint", anEndpoint, "is not an absolute http or https URL") // not quoted: it may be secret
		return
	}
	c.Pipeline.APIEndpointPort = map[string]int{"https": 443, "http": 80}[endpoint.Scheme]
	if text := endpoint.Port(); text != "" {
		port, err := strconv.Atoi(text)
		if err != nil || port < 1 || port > 65535 {
			v.problem("apiEndpoint", anEndpoint, "has no valid port")
		}
		c.Pipeline.APIEndpointPort = port
	}
	if len(c.Pipeline.APIEndpointCIDRs) == 0 {
		v.problem("apiEndpointCidrs", "[203.0.113.0/24]", "is empty: the enricher couldn't reach apiEndpoint; list the IP ranges behind it")
	}
}

func (c *Config) checkImages(v *values) {
	for _, name := range slices.Sorted(maps.Keys(c.Pipeline.ImageArguments)) {
		value := c.Pipeline.ImageArguments[name]
		switch {
		case !slices.Contains(ImageArguments(), name):
			v.problem("imageArguments", "{INSIGHTS: without}", "%s is not one of %s", name, strings.Join(ImageArguments(), ", "))
		case strings.HasSuffix(name, "_IMAGE") && !pinnedPattern.MatchString(value):
			v.problem("imageArguments", "{"+name+": registry.example.com/image@sha256:"+strings.Repeat("0123456789abcdef", 4)+"}", "%s is %q, which has no digest: a tag can come to mean another image", name, value)
		case name == "INSIGHTS" && value != "with" && value != "without":
			v.problem("imageArguments", "{INSIGHTS: without}", "INSIGHTS is %q, but must be with or without", value)
		case name == "INSIGHTS_SHA256" && !checksumPattern.MatchString(value):
			v.problem("imageArguments", "{INSIGHTS: without}", "INSIGHTS_SHA256 is %q, but must be 64 hexadecimal digits: run `make pin-insights` in its place, or leave Insights out", value)
		}
	}
	// A build would stop at this, after everything that is created before the first image.
	argument := func(name string) string { return cmp.Or(c.Pipeline.ImageArguments[name], v.recipe[name]) }
	if argument("INSIGHTS") == "with" && argument("INSIGHTS_SHA256") == "" {
		v.problem("imageArguments", "{INSIGHTS: without}", "asks for Lambda Insights, but INSIGHTS_SHA256 is set neither here nor in %s/Dockerfile: "+
			"run `make pin-insights`, or leave it out", lambdaSources)
	}
}

// recipeArgument is a build argument in a Dockerfile, with its default.
var recipeArgument = regexp.MustCompile(`(?m)^ARG ([A-Z0-9_]+)=(.*)$`)

// RecipeArguments returns the defaults of the build arguments of the functions' images, in the project in a folder.
func RecipeArguments(folder string) (map[string]string, error) {
	text, err := os.ReadFile(filepath.Join(folder, lambdaSources, "Dockerfile"))
	if err != nil {
		return nil, fmt.Errorf("reading the recipe of the functions' images: %w", err)
	}
	arguments := map[string]string{}
	for _, match := range recipeArgument.FindAllStringSubmatch(string(text), -1) {
		arguments[match[1]] = match[2]
	}
	return arguments, nil
}

func (c *Config) checkOperations(v *values) {
	if c.AlarmEmail != "" {
		if address, err := mail.ParseAddress(c.AlarmEmail); err != nil || address.Address != c.AlarmEmail {
			v.problem("alarmEmail", "on-call@example.com", "%q is not an e-mail address", c.AlarmEmail)
		}
	}
	if boundary, given := c.Pipeline.PermissionsBoundary.(pulumi.String); given {
		partition := partitionOf(c.Region)
		example := "arn:" + partition + ":iam::111122223333:policy/boundary"
		if match := boundaryPattern.FindStringSubmatch(string(boundary)); match == nil {
			v.problem("permissionsBoundary", example, "%q is not the ARN of a policy", boundary)
		} else if match[1] != partition {
			v.problem("permissionsBoundary", example, "is in partition %s, but %s is in %s", match[1], c.Region, partition)
		}
	}
}

// ImageArguments returns the build arguments that a stack may set for the functions' images; lambdas/Dockerfile
// describes each.
func ImageArguments() []string {
	return []string{
		"BASE_IMAGE", "GOPROXY", "GO_IMAGE", "INSIGHTS", "INSIGHTS_PACKAGE", "INSIGHTS_SHA256", "INSIGHTS_VERSION", "RELEASE", "SOURCE",
	}
}
