// Package stack is the program of the trade processing stack: its config, and the components that it is composed of.
package stack

import (
	"fmt"
	"maps"
	"net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"trade-processing/components"
)

// Config is a stack's config, read once and checked as a whole. Pulumi.yaml describes every key.
type Config struct {
	Environment    string
	Region         string
	ReplicaRegions []string
	Tags           map[string]string

	Sources           []string
	AllowedCurrencies []string
	MaxClockSkew      time.Duration
	RetentionYears    int

	EventBusName     string
	ProducerAccounts []string
	ArchiveDays      int

	WorkflowType        components.WorkflowType
	WorkflowLogLevel    components.LogLevel
	MaxRetries          int
	FunctionLogLevel    string
	Validator           components.FunctionSize
	Enricher            components.FunctionSize
	Recorder            components.FunctionSize
	APIEndpoint         string
	APIEndpointIsSecret bool
	APIEndpointCIDRs    []string
	APIEndpointPort     int
	ProcessingThreshold string

	AdoptedNetwork *components.AdoptedNetwork // nil: the stack makes a VPC
	VPCCIDR        string
	VPCEndpoints   []string

	MaxWriteUnits       int
	MaxReadUnits        int
	DeletionProtection  bool
	Backup              bool
	BackupRetentionDays int

	ImageArguments map[string]string

	LogRetentionDays      int
	AlarmEmail            string
	RejectionAlarmPercent int
	SilenceAlarmMinutes   int // 0: none

	PermissionsBoundary       string
	ManageRegistryReplication bool
	ManageInsightsLogGroup    bool
}

// The bounds of this project's own names. AWS's own limits are checked by the components.
var (
	environmentPattern = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,22}[a-z0-9])?$`)
	sourcePattern      = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?$`)
	currencyPattern    = regexp.MustCompile(`^[A-Z][A-Z0-9]{2,9}$`)
	accountPattern     = regexp.MustCompile(`^[0-9]{12}$`)
	vpcPattern         = regexp.MustCompile(`^vpc-[0-9a-z]+$`)
	subnetPattern      = regexp.MustCompile(`^subnet-[0-9a-z]+$`)
	routeTablePattern  = regexp.MustCompile(`^rtb-[0-9a-z]+$`)
	groupPattern       = regexp.MustCompile(`^sg-[0-9a-z]+$`)
	busPattern         = regexp.MustCompile(`^[A-Za-z0-9/_.-]{1,256}$`)
	decimalPattern     = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`)
	pinnedPattern      = regexp.MustCompile(`^\S+@sha256:[0-9a-f]{64}$`)
	checksumPattern    = regexp.MustCompile(`^[0-9a-f]{64}$`)
	boundaryPattern    = regexp.MustCompile(`^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/.+$`)
)

// mandatoryTags are what an account's owners ask of every resource.
var mandatoryTags = []string{"Project", "Environment", "Owner", "CostCenter"}

// calledEndpoints are what the functions call from within the VPC: SSM for their parameters, and CloudWatch Logs for
// Lambda Insights.
var calledEndpoints = []string{"logs", "ssm"}

// maxThresholdDigits is how many digits DynamoDB, and with it an amount, can have.
const maxThresholdDigits = 38

// read makes a Config of a stack's values. The error lists all problems.
func read(v *values) (Config, error) {
	c := Config{
		Environment:    v.text("environment", v.stack),
		Region:         v.region(),
		ReplicaRegions: v.list("replicaRegions", nil),
		Tags:           v.table("tags"),

		Sources:           v.list("sources", []string{"system1", "system2", "system3"}),
		AllowedCurrencies: v.list("allowedCurrencies", nil),
		MaxClockSkew:      v.duration("maxClockSkew", 5*time.Minute),
		RetentionYears:    v.integer("retentionYears", 0, 0, 100),

		EventBusName:     v.text("eventBusName", ""),
		ProducerAccounts: v.list("producerAccounts", nil),
		ArchiveDays:      v.integer("archiveDays", 90, 0, 36500),

		WorkflowType:        components.WorkflowType(v.choice("workflowType", string(components.Standard), string(components.Express))),
		WorkflowLogLevel:    components.LogLevel(v.choice("workflowLogLevel", string(components.LogErrors), string(components.LogAll))),
		FunctionLogLevel:    v.choice("functionLogLevel", "INFO", "DEBUG", "WARN", "ERROR"),
		Validator:           v.functionSize("validator"),
		Enricher:            v.functionSize("enricher"),
		Recorder:            v.functionSize("recorder"),
		APIEndpoint:         v.text("apiEndpoint", ""),
		APIEndpointIsSecret: v.secret("apiEndpoint"),
		APIEndpointCIDRs:    v.list("apiEndpointCidrs", nil),
		ProcessingThreshold: v.text("processingThreshold", "1000000"),

		VPCCIDR:      v.text("vpcCidr", "10.42.0.0/24"),
		VPCEndpoints: v.list("vpcEndpoints", calledEndpoints),

		MaxWriteUnits:       v.integer("maxWriteUnits", 0, 0, 1_000_000),
		MaxReadUnits:        v.integer("maxReadUnits", 0, 0, 1_000_000),
		DeletionProtection:  v.boolean("deletionProtection", true),
		Backup:              v.boolean("backup", false),
		BackupRetentionDays: v.integer("backupRetentionDays", 35, 1, 36500),

		ImageArguments: v.table("imageArguments"),

		LogRetentionDays:      v.integer("logRetentionDays", 365, 1, 3653),
		AlarmEmail:            v.text("alarmEmail", ""),
		RejectionAlarmPercent: v.integer("rejectionAlarmPercent", 5, 1, 100),
		SilenceAlarmMinutes:   v.integer("silenceAlarmMinutes", 0, 0, components.MaxSilenceMinutes),

		PermissionsBoundary:       v.text("permissionsBoundary", ""),
		ManageRegistryReplication: v.boolean("manageRegistryReplication", false),
		ManageInsightsLogGroup:    v.boolean("manageInsightsLogGroup", false),
	}
	c.MaxRetries = v.integer("maxRetries", 3, 0, components.LongestRetries(c.WorkflowType))
	c.checkNames(v)
	c.checkRegions(v)
	c.checkTags(v)
	c.checkAPI(v)
	c.readNetwork(v)
	c.checkImages(v)
	c.checkOperations(v)
	v.unknown()
	return c, v.err()
}

func (c *Config) checkNames(v *values) {
	if !environmentPattern.MatchString(c.Environment) {
		v.problem("environment", "dev", "%q is no name for an environment: it has 1 to 24 lower-case letters, digits and -, a letter first", c.Environment)
	}
	const someSources = "[system1, system2]"
	if len(c.Sources) == 0 {
		v.problem("sources", someSources, "is empty: no trade would have a way in")
	}
	if len(c.Sources) > components.MaxSources {
		v.problem("sources", someSources, "has %d systems, and one pipeline serves up to %d: make a second stack for the others", len(c.Sources), components.MaxSources)
	}
	for _, source := range c.Sources {
		if !sourcePattern.MatchString(source) || len(source) > components.MaxSourceName {
			v.problem("sources", someSources, "%q is no source system: it has 1 to %d letters, digits, - and _, which rules and roles are named after", source, components.MaxSourceName)
		}
	}
	v.unique("sources", c.Sources)
	for _, code := range c.AllowedCurrencies {
		if !currencyPattern.MatchString(code) {
			v.problem("allowedCurrencies", "[USDC]", "%q is no currency code: it has 3 to 10 upper-case letters and digits, a letter first", code)
		}
	}
	v.unique("allowedCurrencies", c.AllowedCurrencies)
	if c.EventBusName != "" && !busPattern.MatchString(c.EventBusName) {
		v.problem("eventBusName", components.DefaultBus, "%q is no name for an event bus: it has up to 256 letters, digits, - _ . and /", c.EventBusName)
	}
	for _, account := range c.ProducerAccounts {
		if !accountPattern.MatchString(account) {
			v.problem("producerAccounts", `["111122223333"]`, "%q is no account: it has 12 digits, in quotes", account)
		}
	}
	v.unique("producerAccounts", c.ProducerAccounts)
}

func (c *Config) checkRegions(v *values) {
	for _, region := range c.ReplicaRegions {
		switch {
		case !slices.Contains(regions, region):
			v.problem("replicaRegions", "[eu-west-1]", "%q is no AWS region", region)
		case region == c.Region:
			v.problem("replicaRegions", "[eu-west-1]", "%q is the stack's own region, where the table is", region)
		}
	}
	v.unique("replicaRegions", c.ReplicaRegions)
	if c.ManageRegistryReplication && len(c.ReplicaRegions) == 0 {
		v.problem("manageRegistryReplication", "false", "is on, and replicaRegions names no region to copy images to")
	}
}

func (c *Config) checkTags(v *values) {
	for _, tag := range mandatoryTags {
		if strings.TrimSpace(c.Tags[tag]) == "" {
			v.problem("tags", fmt.Sprintf("{%s: …}", strings.Join(mandatoryTags, ": …, ")), "%s is missing", tag)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(c.Tags)) {
		if len(key) > 128 || len(c.Tags[key]) > 256 || strings.HasPrefix(strings.ToLower(key), "aws:") {
			v.problem("tags", "{Owner: payments}", "%q: a key has up to 128 characters and doesn't begin with aws:, a value up to 256", key)
		}
	}
}

func (c *Config) checkAPI(v *values) {
	if digits := strings.ReplaceAll(c.ProcessingThreshold, ".", ""); !decimalPattern.MatchString(c.ProcessingThreshold) || len(digits) > maxThresholdDigits {
		v.problem("processingThreshold", `"1000000"`, "%q is no amount: a decimal of 0 or more, with up to %d digits", c.ProcessingThreshold, maxThresholdDigits)
	}
	for _, cidr := range c.APIEndpointCIDRs {
		if prefix, err := netip.ParsePrefix(cidr); err != nil || !prefix.Addr().Is4() {
			v.problem("apiEndpointCidrs", "[203.0.113.0/24]", "%q is no IPv4 range", cidr)
		}
	}
	if c.APIEndpoint == "" {
		if len(c.APIEndpointCIDRs) > 0 {
			v.problem("apiEndpoint", "https://api.example.com/v1", "is not set, and apiEndpointCidrs opens the way to it")
		}
		return
	}
	const anEndpoint = "https://api.example.com/v1"
	endpoint, err := url.Parse(c.APIEndpoint)
	if err != nil || endpoint.Host == "" || endpoint.Scheme != "https" && endpoint.Scheme != "http" {
		v.problem("apiEndpoint", anEndpoint, "is no absolute http or https URL") // not quoted: it may be secret
		return
	}
	c.APIEndpointPort = map[string]int{"https": 443, "http": 80}[endpoint.Scheme]
	if text := endpoint.Port(); text != "" {
		port, err := strconv.Atoi(text)
		if err != nil || port < 1 || port > 65535 {
			v.problem("apiEndpoint", anEndpoint, "has no valid port")
		}
		c.APIEndpointPort = port
	}
	if len(c.APIEndpointCIDRs) == 0 {
		v.problem("apiEndpointCidrs", "[203.0.113.0/24]", "is empty: the enricher's security group would lead nowhere; name the ranges behind apiEndpoint")
	}
}

func (c *Config) checkImages(v *values) {
	for _, name := range slices.Sorted(maps.Keys(c.ImageArguments)) {
		value := c.ImageArguments[name]
		switch {
		case !slices.Contains(components.ImageArguments(), name):
			v.problem("imageArguments", "{INSIGHTS: without}", "%s is none of %s", name, strings.Join(components.ImageArguments(), ", "))
		case strings.HasSuffix(name, "_IMAGE") && !pinnedPattern.MatchString(value):
			v.problem("imageArguments", "{"+name+": registry.example.com/image@sha256:…}", "%s is %q, which names no digest: what a tag stands for changes, and the image with it", name, value)
		case name == "INSIGHTS" && value != "with" && value != "without":
			v.problem("imageArguments", "{INSIGHTS: without}", "INSIGHTS is %q, and must be with or without", value)
		case name == "INSIGHTS_SHA256" && !checksumPattern.MatchString(value):
			v.problem("imageArguments", "{INSIGHTS_SHA256: …}", "INSIGHTS_SHA256 is %q, and must be 64 hexadecimal digits", value)
		}
	}
}

func (c *Config) checkOperations(v *values) {
	if !slices.Contains(components.LogRetentionDays, c.LogRetentionDays) {
		v.problem("logRetentionDays", "365", "%d is none of the retentions of CloudWatch Logs: %s", c.LogRetentionDays, strings.Trim(strings.Join(strings.Fields(fmt.Sprint(components.LogRetentionDays)), ", "), "[]"))
	}
	if c.AlarmEmail != "" {
		if address, err := mail.ParseAddress(c.AlarmEmail); err != nil || address.Address != c.AlarmEmail {
			v.problem("alarmEmail", "on-call@example.com", "%q is no e-mail address", c.AlarmEmail)
		}
	}
	if c.PermissionsBoundary != "" && !boundaryPattern.MatchString(c.PermissionsBoundary) {
		v.problem("permissionsBoundary", "arn:aws:iam::111122223333:policy/boundary", "%q is no ARN of a policy", c.PermissionsBoundary)
	}
}
