package stack

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trade-processing/components/declared"
)

// stacksOwn are the types whose resources may be children of the stack itself: components, providers, and what an
// account has only once.
func stacksOwn(r *declared.Resource) bool {
	return !r.Custom || strings.HasPrefix(r.Type, "pulumi:providers:") || r.Name == "insights"
}

func TestEveryResourceHasAParent(t *testing.T) {
	eachShape(t, func(t *testing.T, stack *declared.Stack) {
		known := map[string]bool{stack.URN: true}
		for _, r := range stack.Resources {
			known[r.URN] = true
		}
		for _, r := range stack.Resources {
			if !known[r.Parent] {
				t.Errorf("%s has the parent %q, which nobody declared", describe(r), r.Parent)
			}
			if r.Parent == stack.URN && !stacksOwn(r) {
				t.Errorf("%s is an orphan", describe(r))
			}
		}
	})
}

func TestEveryResourceIsTaggedThroughItsProvider(t *testing.T) {
	eachShape(t, func(t *testing.T, stack *declared.Stack) {
		providers := stack.All("pulumi:providers:aws")
		tagged := map[string]bool{}
		for _, provider := range providers {
			tags, _ := provider.At("defaultTags.tags").(map[string]any)
			for _, mandatory := range mandatoryTags {
				if text, _ := tags[mandatory].(string); text == "" {
					t.Errorf("the provider of %s gives no tag %s", provider.Name, mandatory)
				}
			}
			tagged[provider.Name] = true
		}
		for _, r := range stack.Resources {
			if r.Custom && strings.HasPrefix(r.Type, "aws:") && !tagged[r.Provider] {
				t.Errorf("%s is made by the provider %q, which tags nothing", describe(r), r.Provider)
			}
		}
		for _, template := range stack.All("aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate") {
			if diff := cmp.Diff(providers[0].At("defaultTags.tags"), template.At("resourceTags")); diff != "" {
				t.Errorf("copied repositories are tagged otherwise: %s", diff)
			}
		}
	})
}

// limits are AWS's limits for the names that the stack chooses.
var limits = map[string]struct {
	property string
	max      int
	pattern  string
}{
	"aws:backup/plan:Plan":                                          {"name", 50, `^[A-Za-z0-9._-]+$`},
	"aws:backup/selection:Selection":                                {"name", 50, `^[A-Za-z0-9._-]+$`},
	"aws:backup/vault:Vault":                                        {"name", 50, `^[A-Za-z0-9_-]+$`},
	"aws:cloudwatch/compositeAlarm:CompositeAlarm":                  {"alarmName", 255, `^[ -~]+$`},
	"aws:cloudwatch/dashboard:Dashboard":                            {"dashboardName", 255, `^[A-Za-z0-9_-]+$`},
	"aws:cloudwatch/eventArchive:EventArchive":                      {"name", 48, `^[A-Za-z0-9._-]+$`},
	"aws:cloudwatch/eventBus:EventBus":                              {"name", 256, `^[A-Za-z0-9/._-]+$`},
	"aws:cloudwatch/eventRule:EventRule":                            {"name", 64, `^[A-Za-z0-9._-]+$`},
	"aws:cloudwatch/eventTarget:EventTarget":                        {"targetId", 64, `^[A-Za-z0-9._-]+$`},
	"aws:cloudwatch/logGroup:LogGroup":                              {"name", 512, `^[A-Za-z0-9/._#-]+$`},
	"aws:cloudwatch/metricAlarm:MetricAlarm":                        {"name", 255, `^[ -~]+$`},
	"aws:dynamodb/table:Table":                                      {"name", 255, `^[A-Za-z0-9._-]{3,}$`},
	"aws:ec2/securityGroup:SecurityGroup":                           {"name", 255, `^[A-Za-z0-9 ._:/()#,@\[\]+=&;{}!$*-]+$`},
	"aws:ecr/repository:Repository":                                 {"name", 256, `^[a-z0-9]+([._/-][a-z0-9]+)*$`},
	"aws:iam/role:Role":                                             {"name", 64, `^[A-Za-z0-9+=,.@_-]+$`},
	"aws:iam/rolePolicy:RolePolicy":                                 {"name", 128, `^[A-Za-z0-9+=,.@_-]+$`},
	"aws:kms/alias:Alias":                                           {"name", 256, `^alias/[A-Za-z0-9/_-]+$`},
	"aws:lambda/alias:Alias":                                        {"name", 128, `^[A-Za-z0-9_-]*[A-Za-z_-][A-Za-z0-9_-]*$`},
	"aws:lambda/function:Function":                                  {"name", 64, `^[A-Za-z0-9_-]+$`},
	"aws:sfn/alias:Alias":                                           {"name", 80, `^[A-Za-z0-9._-]+$`},
	"aws:sfn/stateMachine:StateMachine":                             {"name", 80, `^[A-Za-z0-9_-]+$`},
	"aws:xray/samplingRule:SamplingRule":                            {"ruleName", 32, `^[A-Za-z0-9_-]+$`},
	"aws:sns/topic:Topic":                                           {"name", 256, `^[A-Za-z0-9_-]+$`},
	"aws:sqs/queue:Queue":                                           {"name", 80, `^[A-Za-z0-9_-]+$`},
	"aws:ssm/parameter:Parameter":                                   {"name", 1011, `^(/[A-Za-z0-9._-]+){1,15}$`},
	"aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate": {"prefix", 30, `^[a-z0-9]+([._/-][a-z0-9]+)*$`},
}

func TestEveryNameIsWithinAWSsLimits(t *testing.T) {
	eachShape(t, func(t *testing.T, stack *declared.Stack) {
		taken := map[string]string{}
		for _, r := range stack.Resources {
			limit, named := limits[r.Type]
			if !named {
				if r.Custom && r.Text("name") != "" {
					t.Errorf("%s has a name, and this test knows no limit for its type", describe(r))
				}
				continue
			}
			name := r.Text(limit.property)
			if len(name) > limit.max || !regexp.MustCompile(limit.pattern).MatchString(name) {
				t.Errorf("%s: %s %q has %d characters of %d, and must match %s", describe(r), limit.property, name, len(name), limit.max, limit.pattern)
			}
			// An alias or an inline policy is named within its function or role.
			within := strings.Join([]string{r.Type, r.Provider, name, r.Text("functionName"), r.Text("role"), r.Text("rule"), r.Text("routingConfigurations.0.stateMachineVersionArn")}, " ")
			if other, twice := taken[within]; twice {
				t.Errorf("%s and %s have the same name %s", describe(r), other, name)
			}
			taken[within] = describe(r)
		}
	})
}

func TestTheRuleOfThePagersAlarmIsNotTooLong(t *testing.T) {
	eachShape(t, func(t *testing.T, stack *declared.Stack) {
		for _, page := range stack.All("aws:cloudwatch/compositeAlarm:CompositeAlarm") {
			if rule := page.Text("alarmRule"); len(rule) > 10240 || strings.Count(rule, "ALARM(") > 100 {
				t.Errorf("%s: the rule has %d characters and %d alarms; CloudWatch takes 10,240 and 100", describe(page), len(rule), strings.Count(rule, "ALARM("))
			}
		}
	})
}

// The state written by one machine must be valid on every other.
func TestNoInputHoldsAPathOfThisMachine(t *testing.T) {
	for _, image := range declare(t, "dev", nil).All("docker:index/image:Image") {
		for _, path := range []string{image.Text("build.context"), image.Text("build.dockerfile")} {
			if !strings.HasPrefix(path, "dist/image-contexts/") {
				t.Errorf("%s reads %q", describe(image), path)
			}
		}
	}
}

func TestTheOrderOfTheConfigChangesNothing(t *testing.T) {
	regions := []string{"ap-southeast-2", "eu-central-1", "eu-west-1"}
	services := []string{"kms", "logs", "ssm"}
	first := declare(t, "prod", set{"replicaRegions": regions, "vpcEndpoints": services})
	slices.Reverse(regions)
	slices.Reverse(services)
	second := declare(t, "prod", set{"replicaRegions": regions, "vpcEndpoints": services})
	if diff := cmp.Diff(first.Resources, second.Resources); diff != "" {
		t.Error(diff)
	}
}

func TestTwoRunsDeclareTheSame(t *testing.T) {
	first := declare(t, "prod", nil)
	for range 3 { // Go's maps are in another order each time
		if diff := cmp.Diff(first.Resources, declare(t, "prod", nil).Resources); diff != "" {
			t.Fatal(diff)
		}
	}
}

// physical returns the tables and queues of a stack by URN, with the properties that would replace them.
func physical(stack *declared.Stack) map[string]string {
	found := map[string]string{}
	for typ, property := range map[string]string{
		"aws:dynamodb/table:Table": "name", "aws:dynamodb/tableReplica:TableReplica": "globalTableArn", "aws:sqs/queue:Queue": "name",
	} {
		for _, r := range stack.All(typ) {
			found[r.URN] = r.Text(property)
		}
	}
	return found
}

func TestNoTableAndNoQueueIsLostByAChangeOfConfig(t *testing.T) {
	before := declare(t, "prod", nil)
	for name, changes := range map[string]set{
		"a replica region more":    {"replicaRegions": []string{"ap-southeast-2", "eu-west-1"}},
		"a source with a new name": {"sources": []string{"system1", "renamed", "system3"}},
		"sources in another order": {"sources": []string{"system3", "system1", "system2"}},
		"a source more":            {"sources": []string{"system1", "system2", "system3", "system4"}},
		"an express workflow":      {"workflowType": "EXPRESS", "maxRetries": 3},
		"an API":                   {"apiEndpoint": "https://api.example.com", "apiEndpointCidrs": []string{"203.0.113.0/24"}},
	} {
		t.Run(name, func(t *testing.T) {
			after := physical(declare(t, "prod", changes))
			for urn, replacing := range physical(before) {
				if after[urn] != replacing {
					t.Errorf("%s: %q became %q", urn, replacing, after[urn])
				}
			}
		})
	}
}

func TestProductionIsProtected(t *testing.T) {
	for name, protected := range map[string]bool{"prod": true, "dev": false, "local": false} {
		stack := declare(t, name, nil)
		for _, typ := range []string{
			"aws:dynamodb/table:Table", "aws:dynamodb/tableReplica:TableReplica", "aws:kms/key:Key", "aws:kms/replicaKey:ReplicaKey",
			"aws:sqs/queue:Queue", "aws:cloudwatch/eventBus:EventBus", "aws:cloudwatch/eventArchive:EventArchive", "aws:backup/vault:Vault",
		} {
			for _, r := range stack.All(typ) {
				if r.Protect != protected {
					t.Errorf("%s: %s has protect %v", name, describe(r), r.Protect)
				}
				if enabled := r.At("deletionProtectionEnabled"); strings.HasPrefix(typ, "aws:dynamodb") && enabled != protected {
					t.Errorf("%s: %s has deletion protection %v", name, describe(r), enabled)
				}
			}
		}
		for _, r := range stack.All("aws:ecr/repository:Repository") {
			if r.At("forceDelete") == protected {
				t.Errorf("%s: %s can be destroyed with images: %v", name, describe(r), r.At("forceDelete"))
			}
		}
		for _, r := range stack.All("aws:backup/vault:Vault") {
			if r.At("forceDestroy") == protected {
				t.Errorf("%s: %s can be destroyed with backups: %v", name, describe(r), r.At("forceDestroy"))
			}
		}
	}
}

func TestOneStackOwnsWhatAnAccountHasOnce(t *testing.T) {
	owners := 0
	for _, name := range []string{"local", "dev", "prod"} {
		owners += len(declare(t, name, nil).All("aws:ecr/replicationConfiguration:ReplicationConfiguration"))
	}
	if owners != 1 {
		t.Errorf("%d stacks own the registry's replication, and each would overwrite the others'", owners)
	}
}

// ECR copies only what is pushed after its configuration, nothing that was there before.
func TestImagesArePushedAfterTheRegistryCopies(t *testing.T) {
	stack := declare(t, "prod", nil)
	configuration, err := stack.Find("aws:ecr/replicationConfiguration:ReplicationConfiguration", "configuration")
	if err != nil {
		t.Fatal(err)
	}
	images := stack.All("docker:index/image:Image")
	if len(images) != 3 {
		t.Errorf("%d images", len(images))
	}
	for _, image := range images {
		if !slices.Contains(image.DependsOn, configuration.URN) {
			t.Errorf("%s depends on %v", image.Name, image.DependsOn)
		}
	}
}

func TestTheOutputsAreThoseThatToolsAskFor(t *testing.T) {
	eachShape(t, func(t *testing.T, stack *declared.Stack) {
		for _, name := range []string{
			"stateMachineArn", "tradeTableName", "tradeTableArn", "eventBusName", "deadLetterQueueUrls", "repositoryUrl",
			"dashboardUrl", "parameterPrefix", "functionNames", "functionAliases",
		} {
			if _, exported := stack.Outputs[name]; !exported {
				t.Errorf("%s isn't exported", name)
			}
		}
	})
}
