package rules

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/property"

	"trade-processing/policy/value"
)

const tagFamily = "Tags"

// taggable are the types covered by the pack that have tags, with the property that holds them.
var taggable = map[string]string{
	"aws:backup/plan:Plan":                                          "tags",
	"aws:backup/vault:Vault":                                        "tags",
	"aws:cloudwatch/compositeAlarm:CompositeAlarm":                  "tags",
	"aws:cloudwatch/eventBus:EventBus":                              "tags",
	"aws:cloudwatch/eventRule:EventRule":                            "tags",
	"aws:cloudwatch/logGroup:LogGroup":                              "tags",
	"aws:cloudwatch/metricAlarm:MetricAlarm":                        "tags",
	"aws:dynamodb/table:Table":                                      "tags",
	"aws:dynamodb/tableReplica:TableReplica":                        "tags",
	"aws:ec2/defaultSecurityGroup:DefaultSecurityGroup":             "tags",
	"aws:ec2/flowLog:FlowLog":                                       "tags",
	"aws:ec2/routeTable:RouteTable":                                 "tags",
	"aws:ec2/securityGroup:SecurityGroup":                           "tags",
	"aws:ec2/subnet:Subnet":                                         "tags",
	"aws:ec2/vpc:Vpc":                                               "tags",
	"aws:ec2/vpcEndpoint:VpcEndpoint":                               "tags",
	"aws:ecr/repository:Repository":                                 "tags",
	"aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate": "resourceTags",
	"aws:iam/policy:Policy":                                         "tags",
	"aws:iam/role:Role":                                             "tags",
	"aws:kms/key:Key":                                               "tags",
	"aws:kms/replicaKey:ReplicaKey":                                 "tags",
	"aws:lambda/eventSourceMapping:EventSourceMapping":              "tags",
	"aws:lambda/function:Function":                                  "tags",
	"aws:scheduler/scheduleGroup:ScheduleGroup":                     "tags",
	"aws:sfn/activity:Activity":                                     "tags",
	"aws:sfn/stateMachine:StateMachine":                             "tags",
	"aws:sns/topic:Topic":                                           "tags",
	"aws:sqs/queue:Queue":                                           "tags",
	"aws:ssm/parameter:Parameter":                                   "tags",
	"aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule":       "tags",
	"aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule":     "tags",
	"aws:xray/samplingRule:SamplingRule":                            "tags",
}

var tagControls = []string{"EventBridge.2", "Lambda.6", "SQS.2", "SNS.3", "DynamoDB.5", "IAM.24", "EC2.43", "EC2.44", "EC2.46", "EC2.48"}

var tagRules = []Rule{
	{
		Name: "tags-mandatory", Family: tagFamily, Level: Mandatory, Controls: tagControls, Types: sortedKeys(taggable),
		Why: "A resource without an owner and cost centre is paid for by nobody and cleaned up by nobody.",
		Options: []Option{{
			Name: "keys", About: "Keys of the tags that every taggable resource must have.",
			Schema: texts(), Default: list("Project", "Environment", "Owner", "CostCenter"),
		}},
		Check: func(r *Resource) {
			var missing []string
			for _, key := range r.Setting("keys").Each() {
				if effectiveTags(r).Get(key.Text()).Unset() {
					missing = append(missing, key.Text())
				}
			}
			if len(missing) > 0 {
				r.Breaks(taggable[r.Type], "lack "+strings.Join(missing, ", "),
					"Set them on the resource, or for all resources in the provider's defaultTags")
			}
		},
	},
	{
		Name: "tags-allowed-values", Family: tagFamily, Level: Mandatory, Controls: []string{Ours}, Types: sortedKeys(taggable),
		Why: "If a tag is spelt in five ways, costs can't be added up and nobody knows whom to call.",
		Options: []Option{{
			Name: "values", About: "Values that a tag may have, by key; * matches anything. A key that isn't listed may have any value.",
			Schema: map[string]any{"type": "object", "additionalProperties": texts()}, Default: map[string]any{},
		}},
		Check: func(r *Resource) {
			allowed := r.Setting("values")
			for _, key := range allowed.Keys() {
				if given := effectiveTags(r).Get(key); given.IsSet() && !anyMatches(allowed.Get(key), given.Text()) {
					r.Breaks(taggable[r.Type], fmt.Sprintf("have %s = %s", key, shown(given)),
						"Allowed: "+listed(allowed.Get(key)))
				}
			}
		},
	},
	{
		Name: "tags-not-empty", Family: tagFamily, Level: Mandatory, Controls: []string{Ours}, Types: sortedKeys(taggable),
		Why: "A tag without a value looks like an answer but isn't one.",
		Check: func(r *Resource) {
			tags := r.At(taggable[r.Type])
			for _, key := range tags.Keys() {
				if tags.Get(key).Unset() {
					r.Breaks(taggable[r.Type], fmt.Sprintf("have %s without a value", key), "Give the tag a value, or leave it out")
				}
			}
		},
	},
	{
		Name: "dynamodb-replica-tags", Family: tagFamily, Level: Mandatory, Controls: []string{"DynamoDB.5"}, Types: []string{"aws:dynamodb/table:Table"},
		Why: "A replica doesn't inherit its table's tags, so its cost has no cost centre.",
		Check: func(r *Resource) {
			for i, replica := range r.At("replicas").Each() {
				if replica.Get("propagateTags").LacksTruth() {
					r.Breaks(fmt.Sprintf("replicas[%d].propagateTags", i), "is not true", "Set it to true, or make the replica a TableReplica with tags")
				}
			}
		},
	},
	{
		Name: "tags-add-defaults", Family: tagFamily, Level: Off, Controls: tagControls, Types: sortedKeys(taggable),
		Why: "Adds the default tags that a resource lacks, for programs whose provider has none.",
		Options: []Option{{
			Name: "tags", About: "The default tags. A resource's own tags stay as they are.",
			Schema:  map[string]any{"type": "object", "additionalProperties": map[string]any{"type": "string", "minLength": 1}},
			Default: map[string]any{},
		}},
		Remediate: func(r *Resource) (property.Map, bool) {
			name := taggable[r.Type]
			own, added := r.Properties.Get(name), false
			if !own.IsNull() && !own.IsMap() {
				return r.Properties, false // not known yet, or not tags at all: the provider reports what is wrong
			}
			tags := property.NewMap(nil)
			if own.IsMap() {
				tags = own.AsMap()
			}
			for _, key := range r.Setting("tags").Keys() {
				if effectiveTags(r).Get(key).Unset() {
					tags, added = tags.Set(key, property.New(r.Setting("tags").Get(key).Text())), true
				}
			}
			return r.Properties.Set(name, property.WithGoValue(own, tags)), added
		},
	},
}

// effectiveTags returns a resource's own tags on top of its provider's default tags.
func effectiveTags(r *Resource) value.Value {
	own := r.Properties.Get(taggable[r.Type])
	defaults := r.AtProvider("defaultTags").Document().At("tags")
	if own.IsComputed() || defaults.IsUnknown() {
		return value.Of(property.New(property.Computed))
	}
	all := map[string]property.Value{}
	for _, key := range defaults.Keys() {
		all[key] = property.New(defaults.Get(key).Text())
	}
	if own.IsMap() {
		for key, tag := range own.AsMap().All {
			all[key] = tag
		}
	}
	return value.Of(property.New(all))
}

// anyMatches reports whether one of the patterns matches.
func anyMatches(patterns value.Value, text string) bool {
	for _, pattern := range patterns.Each() {
		if matches(pattern.Text(), text) {
			return true
		}
	}
	return false
}

// shown quotes a value for a message, unless it is secret.
func shown(v value.Value) string {
	if v.IsSecret() {
		return "[secret]"
	}
	return fmt.Sprintf("%q", v.Text())
}

// listed formats the strings of a list for a message.
func listed(v value.Value) string {
	var all []string
	for _, element := range v.Each() {
		all = append(all, element.Text())
	}
	return strings.Join(all, ", ")
}

// shownText quotes a string from a value, unless that is secret.
func shownText(within value.Value, text string) string {
	if within.IsSecret() {
		return "[secret]"
	}
	return text
}
