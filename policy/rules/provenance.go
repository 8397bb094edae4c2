package rules

import (
	"fmt"
	"strings"

	"github.com/blang/semver"

	"trade-processing/policy/value"
)

const provenanceFamily = "Provenance"

const providerPrefix = "pulumi:providers:"

// allowedRegions is the option of the rules on regions.
var allowedRegions = Option{
	Name: "regions", About: "Regions that may be used; * matches anything.", Schema: texts(), Default: list("eu-*", "us-*"),
}

var provenanceRules = []Rule{
	{
		Name: "regions-allowed", Family: provenanceFamily, Level: Mandatory, Controls: []string{Ours},
		Types: []string{providerPrefix + "aws", "aws:*"}, Options: []Option{allowedRegions},
		Why: "Where data is stored decides which law applies, and nobody watches a region that nobody uses.",
		Check: func(r *Resource) {
			region := r.At("region")
			switch {
			case r.Type == providerPrefix+"aws" && region.Unset():
				r.Breaks("region", "is missing, so each shell decides for itself", "Set the config key aws:region, or the provider's region")
			case region.IsSet() && !anyMatches(r.Setting("regions"), region.Text()):
				r.Breaks("region", "is "+shown(region), "Allowed: "+listed(r.Setting("regions")))
			}
		},
	},
	{
		Name: "regions-of-copies-allowed", Family: provenanceFamily, Level: Mandatory, Controls: []string{Ours},
		Types: sortedKeys(copies), Options: []Option{allowedRegions},
		Why: "A copy in another region is data in another region.",
		Check: func(r *Resource) {
			for _, region := range copies[r.Type](r) {
				if region.IsSet() && !anyMatches(r.Setting("regions"), region.Text()) {
					r.Breaks(copied[r.Type], "copies to "+shown(region), "Allowed: "+listed(r.Setting("regions")))
				}
			}
		},
	},
	{
		Name: "providers-allowed", Family: provenanceFamily, Level: Mandatory, Controls: []string{Ours},
		Types: []string{providerPrefix + "*"}, Options: []Option{{
			Name: "providers", About: "Names of the providers that programs may use; * matches anything.", Schema: texts(),
			Default: list("archive", "aws", "aws-native", "awsx", "command", "docker", "docker-build", "eks", "kubernetes", "null", "pulumi", "pulumiservice",
				"random", "std", "synced-folder", "time", "tls"),
		}},
		Why: "A provider is a program that runs with the deployment's credentials.",
		Check: func(r *Resource) {
			if name := strings.TrimPrefix(r.Type, providerPrefix); !anyMatches(r.Setting("providers"), name) {
				r.Breaks("type", "is that of provider "+name, "Allowed: "+listed(r.Setting("providers")))
			}
		},
	},
	{
		Name: "provider-versions", Family: provenanceFamily, Level: Mandatory, Controls: []string{Ours},
		Types: []string{providerPrefix + "*"}, Options: []Option{{
			Name: "versions", About: "Version ranges that providers may have, by provider, such as \">=6.0.0 <8.0.0\".",
			Schema:  map[string]any{"type": "object", "additionalProperties": map[string]any{"type": "string", "minLength": 1}},
			Default: map[string]any{"aws": ">=6.0.0 <8.0.0", "aws-native": ">=1.0.0 <2.0.0", "docker": ">=4.0.0 <5.0.0", "docker-build": ">=0.0.1 <1.0.0"},
			Check:   areRanges,
		}},
		Why: "An old provider lacks properties that other rules require, and a new one may replace what it should update.",
		Check: func(r *Resource) {
			allowed := r.Setting("versions").Get(strings.TrimPrefix(r.Type, providerPrefix)).Text()
			given, err := semver.ParseTolerant(r.At("version").Text())
			inRange, badRange := semver.ParseRange(allowed)
			if err == nil && badRange == nil && !inRange(given) {
				r.Breaks("version", "is "+given.String(), "Allowed: "+allowed)
			}
		},
	},
	{
		Name: "provider-download", Family: provenanceFamily, Level: Mandatory, Controls: []string{Ours},
		Types: []string{providerPrefix + "*"}, Options: []Option{{
			Name: "urls", About: "Addresses that providers may be loaded from, besides Pulumi's own; * matches anything.", Schema: texts(),
			Default: list("github://api.github.com/pulumi*", "https://get.pulumi.com/*"),
		}},
		Why: "Nobody knows who built and signed a provider from elsewhere.",
		Check: func(r *Resource) {
			url := r.At("pluginDownloadURL")
			if url.Text() != "" && !anyMatches(r.Setting("urls"), url.Text()) {
				r.Breaks("pluginDownloadURL", "is "+shown(url), "Leave it out, or add it to the option urls")
			}
		},
	},
}

// copied are the properties that name the regions of copies; copies reads them.
var (
	copied = map[string]string{
		table: "replicas", "aws:ecr/replicationConfiguration:ReplicationConfiguration": "replicationConfiguration.rules.destinations",
		"aws:backup/plan:Plan": "rules.copyActions",
	}
	copies = map[string]func(*Resource) []value.Value{
		table: func(r *Resource) []value.Value { return each(r.At("replicas").Each(), "regionName") },
		"aws:ecr/replicationConfiguration:ReplicationConfiguration": func(r *Resource) []value.Value {
			var all []value.Value
			for _, rule := range r.At("replicationConfiguration.rules").Each() {
				all = append(all, each(rule.Get("destinations").Each(), "region")...)
			}
			return all
		},
		"aws:backup/plan:Plan": func(r *Resource) []value.Value {
			var all []value.Value
			for _, rule := range r.At("rules").Each() {
				for _, vault := range each(rule.Get("copyActions").Each(), "destinationVaultArn") {
					all = append(all, regionOf(vault))
				}
			}
			return all
		},
	}
)

// areRanges reports the version ranges that aren't valid.
func areRanges(versions value.Value) []string {
	var problems []string
	for _, provider := range versions.Keys() {
		if given := versions.Get(provider).Text(); !isRange(given) {
			problems = append(problems, fmt.Sprintf("%q, for %s, is not a version range; write it like %q", given, provider, ">=6.0.0 <8.0.0"))
		}
	}
	return problems
}

func isRange(text string) bool {
	_, err := semver.ParseRange(text)
	return err == nil
}

// each returns the members of that name of every element.
func each(elements []value.Value, name string) []value.Value {
	var all []value.Value
	for _, element := range elements {
		all = append(all, element.Get(name))
	}
	return all
}

// regionOf returns the region of an ARN.
func regionOf(arn value.Value) value.Value {
	parts := strings.Split(arn.Text(), ":")
	if len(parts) < 4 {
		return value.Value{}
	}
	return value.Any(parts[3])
}
