package stack

import (
	"strings"
	"testing"

	"trade-processing/components/declared"
	"trade-processing/local/cloud"
)

// The order of a replacement.
const (
	createdFirst = "the new resource is created before the old one is deleted"
	deletedFirst = "the old resource is deleted before the new one is created"
)

// renamed is why the order doesn't matter where only another name replaces a resource: names come from prefix and
// source, so everything else gets another name too.
const renamed = "only another name replaces it"

// replacements says for each type in which order it is replaced, and why nothing that others use is missing meanwhile.
var replacements = map[string]struct{ order, why string }{
	"aws:backup/plan:Plan":           {deletedFirst, renamed},
	"aws:backup/selection:Selection": {deletedFirst, "nothing but the daily backup uses it; its plan, role and table only change with their names"},
	"aws:backup/vault:Vault":         {deletedFirst, "its key is never replaced, and the vault is protected where it matters"},

	"aws:cloudwatch/compositeAlarm:CompositeAlarm": {createdFirst, "only another name replaces it, and that is free"},
	"aws:cloudwatch/dashboard:Dashboard":           {createdFirst, "only another name replaces it, and that is free"},
	"aws:cloudwatch/eventArchive:EventArchive":     {deletedFirst, "another bus replaces it, and its name is taken until it is gone; it is protected where it matters"},
	"aws:cloudwatch/eventBus:EventBus":             {deletedFirst, renamed},
	"aws:cloudwatch/eventBusPolicy:EventBusPolicy": {createdFirst, "another bus replaces it, and that has none yet"},
	"aws:cloudwatch/eventRule:EventRule":           {deletedFirst, "another bus replaces it, to which its producers must switch as well"},
	"aws:cloudwatch/eventTarget:EventTarget":       {createdFirst, "another rule replaces it, and that has none yet"},
	"aws:cloudwatch/logGroup:LogGroup":             {deletedFirst, renamed},
	"aws:cloudwatch/metricAlarm:MetricAlarm":       {createdFirst, "only another name replaces it, and that is free; the page depends on it"},

	"aws:dynamodb/table:Table":               {deletedFirst, "its keys are constants, and it is protected where it matters"},
	"aws:dynamodb/tableReplica:TableReplica": {createdFirst, "table and key are never replaced, and it is protected where it matters"},

	"aws:ec2/defaultSecurityGroup:DefaultSecurityGroup":         {createdFirst, "another VPC replaces it, and has one"},
	"aws:ec2/flowLog:FlowLog":                                   {createdFirst, "another VPC replaces it, and has none yet"},
	"aws:ec2/routeTable:RouteTable":                             {createdFirst, "another VPC replaces it"},
	"aws:ec2/routeTableAssociation:RouteTableAssociation":       {createdFirst, "another subnet replaces it, and has none yet"},
	"aws:ec2/securityGroup:SecurityGroup":                       {createdFirst, "another VPC replaces it, where its name is free; functions and endpoints leave the old one first"},
	"aws:ec2/subnet:Subnet":                                     {createdFirst, "another VPC replaces it, where its range is free; functions and endpoints leave the old one first"},
	"aws:ec2/vpc:Vpc":                                           {createdFirst, "another range replaces it; everything in the old one goes first"},
	"aws:ec2/vpcEndpoint:VpcEndpoint":                           {createdFirst, "another VPC replaces it; functions leave the old one first"},
	"aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule":   {createdFirst, "another group replaces it, which needs the rule before functions use it"},
	"aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": {createdFirst, "another group replaces it, which needs the rule before functions use it"},

	"aws:ecr/lifecyclePolicy:LifecyclePolicy":                       {deletedFirst, "another policy replaces it under the repository's name; images without one only stay"},
	"aws:ecr/replicationConfiguration:ReplicationConfiguration":     {createdFirst, "nothing replaces it"},
	"aws:ecr/repository:Repository":                                 {deletedFirst, "its key is never replaced"},
	"aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate": {createdFirst, "only another prefix replaces it, and that is free"},
	"aws:ecr/repositoryPolicy:RepositoryPolicy":                     {createdFirst, "another repository replaces it, and that has none yet"},

	"aws:iam/role:Role":                                 {deletedFirst, renamed},
	"aws:iam/rolePolicy:RolePolicy":                     {deletedFirst, "only another name, its own or its role's, replaces it"},
	"aws:iam/rolePolicyAttachment:RolePolicyAttachment": {deletedFirst, "only another role replaces it, whose name changes"},
	"aws:kms/alias:Alias":                               {deletedFirst, renamed},
	"aws:kms/key:Key":                                   {createdFirst, "it is a multi-region key from the start, and protected where it matters"},
	"aws:kms/replicaKey:ReplicaKey":                     {createdFirst, "its primary key is never replaced, and it is protected where it matters"},
	"aws:lambda/alias:Alias":                            {deletedFirst, "only another name, its own or its function's, replaces it"},
	"aws:lambda/function:Function":                      {deletedFirst, "its package is always an image"},
	"aws:sfn/alias:Alias":                               {deletedFirst, renamed},
	"aws:sfn/stateMachine:StateMachine":                 {deletedFirst, "another type replaces it under its name: the runbook pauses the sources, and the alias goes with it"},

	"aws:xray/samplingRule:SamplingRule": {createdFirst, "only another name replaces it, and the old rule is of a workflow that goes too"},

	"aws:sns/topic:Topic":                           {deletedFirst, renamed},
	"aws:sns/topicPolicy:TopicPolicy":               {createdFirst, "another topic replaces it"},
	"aws:sns/topicSubscription:TopicSubscription":   {createdFirst, "another address replaces it"},
	"aws:sqs/queue:Queue":                           {deletedFirst, renamed},
	"aws:sqs/queuePolicy:QueuePolicy":               {createdFirst, "another queue replaces it, and that has none yet"},
	"aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": {createdFirst, "another queue replaces it, and that has none yet"},
	"aws:ssm/parameter:Parameter":                   {deletedFirst, renamed},
}

// The AWS provider deletes a resource whose name is given before it replaces it, unless an option says otherwise.
func TestReplacementsLeaveNothingMissing(t *testing.T) {
	declaredTypes := map[string]bool{}
	for _, shape := range shapes {
		for _, r := range declare(t, shape.stack, shape.changes).Resources {
			if !r.Custom || !strings.HasPrefix(r.Type, "aws:") {
				continue
			}
			declaredTypes[r.Type] = true
			if want, listed := replacements[r.Type]; !listed {
				t.Errorf("%s: say in which order it is replaced, and why that is safe", describe(r))
			} else if got := orderOf(r); got != want.order {
				t.Errorf("%s: %s; but %s", describe(r), got, want.why)
			}
		}
	}
	for typ, replacement := range replacements {
		by, err := cloud.Replaces(typ)
		if err != nil || !declaredTypes[typ] {
			t.Errorf("%s isn't declared (%v)", typ, err)
		}
		if replacement.why == renamed && len(by) > 0 && (len(by) > 1 || by[0] != "name") {
			t.Errorf("%s is replaced by a changed %s too", typ, strings.Join(by, ", "))
		}
	}
}

func orderOf(r *declared.Resource) string {
	first, err := cloud.DeletesFirst(r.Type, r.At("name") != nil)
	if r.DeleteBeforeReplace != nil {
		first = *r.DeleteBeforeReplace
	}
	if first && err == nil {
		return deletedFirst
	}
	return createdFirst
}
