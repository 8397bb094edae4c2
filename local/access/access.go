// Package access decides the calls of a deployment as IAM and KMS do: from the documents that were deployed, and from
// one table of what AWS authorises each call with. Package iam evaluates the documents.
package access

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"trade-processing/components/iam"
)

// Resource is a resource of a deployment.
type Resource struct {
	Type       string // the Pulumi type token, such as "aws:iam/role:Role"
	Region     string
	ID         string
	Properties map[string]any // its inputs, and what AWS computed
}

// Deployment holds the policies that decide calls. It is safe for concurrent use; a changed deployment is a new one.
type Deployment struct {
	account   string
	things    map[string]*thing    // by ARN
	byID      map[string]string    // ARNs by type and id
	targets   map[[2]string]string // the role of a rule's target, by both ARNs
	vpcs      map[string]string    // by subnet
	decided   sync.Map             // errors by question
	documents sync.Map             // by text
}

// thing is one resource, or one role.
type thing struct {
	role, key, logs string
	policy          string // of the resource, or the trust policy of a role
	policies        []string
	managed         []string // ARNs of the managed policies of a role
	boundary        string   // the ARN of the role's boundary
	subnets         []string
	vpc, service    string // of an endpoint
	disabled        bool   // of a key
}

// New returns the deployment of these resources in an account.
func New(account string, resources []Resource) *Deployment {
	d := &Deployment{
		account: account, things: map[string]*thing{}, byID: map[string]string{}, targets: map[[2]string]string{}, vpcs: map[string]string{},
	}
	for _, r := range resources {
		if arn := r.text("arn"); arn != "" {
			d.byID[r.Type+" "+r.ID] = arn
		}
	}
	for _, r := range resources {
		if read, known := readers[r.Type]; known {
			read(d, r)
		}
	}
	return d
}

// on returns the thing with an ARN.
func (d *Deployment) on(arn string) *thing {
	if d.things[arn] == nil {
		d.things[arn] = &thing{}
	}
	return d.things[arn]
}

// DisabledKey returns the ARN of a resource's key, if it is disabled, and else "".
func (d *Deployment) DisabledKey(of string) string {
	if found := d.things[of]; found != nil && d.things[found.key] != nil && d.things[found.key].disabled {
		return found.key
	}
	return ""
}

// of returns the thing of the resource with this id.
func (d *Deployment) of(typ, id string) *thing { return d.on(d.byID[typ+" "+id]) }

func (r Resource) text(path string) string {
	s, _ := r.at(path).(string)
	return s
}

func (r Resource) at(path string) any {
	var at any = r.Properties
	for step := range strings.SplitSeq(path, ".") {
		if list, ok := at.([]any); ok && len(list) > 0 {
			at = list[0]
		}
		object, _ := at.(map[string]any)
		at = object[step]
	}
	return at
}

const (
	roleType  = "aws:iam/role:Role"
	queueType = "aws:sqs/queue:Queue"
	busType   = "aws:cloudwatch/eventBus:EventBus"
	repoType  = "aws:ecr/repository:Repository"
)

// readers say which properties of a resource matter.
var readers = map[string]func(*Deployment, Resource){
	roleType: func(d *Deployment, r Resource) {
		role := d.on(r.text("arn"))
		role.policy, role.boundary = r.text("assumeRolePolicy"), r.text("permissionsBoundary")
	},
	"aws:iam/rolePolicy:RolePolicy": func(d *Deployment, r Resource) {
		role := d.of(roleType, r.text("role"))
		role.policies = append(role.policies, r.text("policy"))
	},
	"aws:iam/rolePolicyAttachment:RolePolicyAttachment": func(d *Deployment, r Resource) {
		role := d.of(roleType, r.text("role"))
		role.managed = append(role.managed, r.text("policyArn"))
	},
	"aws:iam/policy:Policy":         policied("policy"),
	"aws:kms/key:Key":               keyPolicied,
	"aws:kms/replicaKey:ReplicaKey": keyPolicied,
	busType:                         keyed("kmsKeyIdentifier"),
	"aws:cloudwatch/eventBusPolicy:EventBusPolicy": func(d *Deployment, r Resource) {
		name := r.text("eventBusName")
		arn := d.byID[busType+" "+name]
		if arn == "" { // the account's default bus
			arn = fmt.Sprintf("arn:aws:events:%s:%s:event-bus/%s", r.Region, d.account, name)
		}
		d.on(arn).policy = r.text("policy")
	},
	"aws:cloudwatch/eventTarget:EventTarget": func(d *Deployment, r Resource) {
		rule := r.text("rule")
		if bus := r.text("eventBusName"); bus != "" && bus != "default" {
			rule = bus[strings.LastIndex(bus, "/")+1:] + "/" + rule
		}
		d.targets[[2]string{fmt.Sprintf("arn:aws:events:%s:%s:rule/%s", r.Region, d.account, rule), r.text("arn")}] = r.text("roleArn")
	},
	"aws:sfn/stateMachine:StateMachine": func(d *Deployment, r Resource) {
		machine := d.on(r.text("arn"))
		machine.role, machine.key = r.text("roleArn"), r.text("encryptionConfiguration.kmsKeyId")
		machine.logs = r.text("loggingConfiguration.logDestination")
	},
	"aws:lambda/function:Function": func(d *Deployment, r Resource) {
		function := d.on(r.text("arn"))
		function.role, function.key = r.text("role"), r.text("kmsKeyArn")
		subnets, _ := r.at("vpcConfig.subnetIds").([]any)
		for _, subnet := range subnets {
			id, _ := subnet.(string)
			function.subnets = append(function.subnets, id)
		}
	},
	queueType:                                keyed("kmsMasterKeyId"),
	"aws:sqs/queuePolicy:QueuePolicy":        func(d *Deployment, r Resource) { d.of(queueType, r.text("queueUrl")).policy = r.text("policy") },
	"aws:sns/topic:Topic":                    keyed("kmsMasterKeyId"),
	"aws:sns/topicPolicy:TopicPolicy":        policied("policy"),
	"aws:dynamodb/table:Table":               keyed("serverSideEncryption.kmsKeyArn"),
	"aws:dynamodb/tableReplica:TableReplica": keyed("kmsKeyArn"),
	"aws:cloudwatch/logGroup:LogGroup":       keyed("kmsKeyId"),
	"aws:ssm/parameter:Parameter": func(d *Deployment, r Resource) {
		if arn := r.text("arn"); r.text("type") == "SecureString" {
			d.on(arn[:strings.LastIndex(arn, "/")]).key = r.text("keyId") // of the path that it is below
		}
	},
	repoType: keyed("encryptionConfigurations.kmsKey"),
	"aws:ecr/repositoryPolicy:RepositoryPolicy": func(d *Deployment, r Resource) { d.of(repoType, r.text("repository")).policy = r.text("policy") },
	"aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate": func(d *Deployment, r Resource) {
		copies := d.on(Copies(r.Region, d.account, r.text("prefix")))
		copies.role, copies.key, copies.policy = r.text("customRoleArn"), r.text("encryptionConfigurations.kmsKey"), r.text("repositoryPolicy")
	},
	"aws:ec2/subnet:Subnet": func(d *Deployment, r Resource) { d.vpcs[r.ID] = r.text("vpcId") },
	"aws:ec2/vpcEndpoint:VpcEndpoint": func(d *Deployment, r Resource) {
		endpoint := d.on(r.text("arn"))
		endpoint.vpc, endpoint.service, endpoint.policy = r.text("vpcId"), r.text("serviceName"), r.text("policy")
	},
	"aws:ec2/flowLog:FlowLog": func(d *Deployment, r Resource) { d.on(r.text("arn")).role = r.text("iamRoleArn") },
	"aws:backup/selection:Selection": func(d *Deployment, r Resource) {
		d.on(Selection(r.Region, d.account, r.ID)).role = r.text("iamRoleArn")
	},
}

// Copies is the ARN by which calls name the repositories that a repository creation template makes.
func Copies(region, account, prefix string) string {
	return fmt.Sprintf("arn:aws:ecr:%s:%s:repository/%s/copy", region, account, prefix)
}

// Selection is the ARN by which calls name a selection of a backup plan, which has none.
func Selection(region, account, id string) string {
	return fmt.Sprintf("arn:aws:backup:%s:%s:selection:%s", region, account, id)
}

func keyed(property string) func(*Deployment, Resource) {
	return func(d *Deployment, r Resource) { d.on(r.text("arn")).key = r.text(property) }
}

// keyPolicied reads a key's policy, and whether it is disabled. The default leaves everything to the account's policies.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
func keyPolicied(d *Deployment, r Resource) {
	policied("policy")(d, r)
	key := d.on(r.text("arn"))
	key.disabled = r.at("isEnabled") == false || r.at("enabled") == false
	if key.policy == "" {
		key.policy = fmt.Sprintf(`{"Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::%s:root"},"Action":"kms:*","Resource":"*"}}`, d.account)
	}
}

func policied(property string) func(*Deployment, Resource) {
	return func(d *Deployment, r Resource) { d.on(r.text("arn")).policy = r.text(property) }
}

// question is a call to decide.
type question struct {
	call         Call
	by, on, with string
}

// Check decides a call: by is the ARN of the caller, on that of the resource called, with the call's detail. The error
// is an *iam.Denied, or says what isn't known here.
func (d *Deployment) Check(call Call, by, on, with string) error {
	asked := question{call, by, on, with}
	if known, found := d.decided.Load(asked); found {
		err, _ := known.(error)
		return err
	}
	err := d.decide(asked)
	d.decided.Store(asked, err)
	return err
}

func (d *Deployment) decide(asked question) error {
	authorizations, err := d.Authorizations(asked.call, asked.by, asked.on, asked.with)
	if err != nil {
		return err
	}
	for _, a := range authorizations {
		if err := a.Decide(); err != nil {
			return err
		}
	}
	return nil
}

// Authorization is one decision that AWS makes about a call.
type Authorization struct {
	iam.Request
	iam.Access
	Source  string   // the page that says so
	unknown []string // managed policies of the caller that may allow it too
}

// Decide returns nil if the request is allowed, or the reason it isn't.
func (a Authorization) Decide() error {
	err := a.Access.Decide(a.Request)
	if err != nil && len(a.unknown) > 0 {
		return fmt.Errorf("what the managed policies %s allow is not known here: %w", strings.Join(a.unknown, ", "), err)
	}
	return err
}

// Authorizations lists what AWS authorises for a call.
func (d *Deployment) Authorizations(call Call, by, on, with string) ([]Authorization, error) {
	expand := d.names(by, on, with)
	var all []Authorization
	known := false
	for _, f := range facts {
		if f.call != call {
			continue
		}
		known = true
		on, assumed := expand(f.on), expand(f.assumes)
		if f.needs != "" && expand(f.needs) == "" || f.on != "" && on == "" {
			continue
		}
		for _, action := range f.actions {
			a, err := d.authorization(f, by, expand, action, on, assumed)
			if err != nil {
				return nil, err
			}
			all = append(all, a)
		}
	}
	if !known {
		return nil, fmt.Errorf("no row of facts says how AWS authorises a call to %s; add one in local/access", call)
	}
	return all, nil
}

// names replaces a row's placeholders.
func (d *Deployment) names(by, on, with string) func(string) string {
	thing := func(arn string) thing {
		if found := d.things[arn]; found != nil {
			return *found
		}
		return thing{}
	}
	base, qualifier := unqualified(on)
	parts := strings.SplitN(by, ":", 6)
	if len(parts) < 6 {
		parts = make([]string, 6)
	}
	self, other := thing(by), thing(on)
	role := self.role
	if given, isTarget := d.targets[[2]string{by, on}]; isTarget {
		role = given
	}
	vpc := ""
	if len(self.subnets) > 0 {
		vpc = "yes"
	}
	return strings.NewReplacer(
		"{by}", by, "{by.role}", role, "{by.key}", self.key, "{by.logs}", self.logs, "{by.vpc}", vpc,
		"{on}", on, "{on.key}", other.key, "{on.base}", base, "{on.qualifier}", qualifier, "{on.name}", on[strings.LastIndexAny(on, ":/")+1:],
		"{region}", parts[3], "{account}", d.account, "{with}", with,
	).Replace
}

// unqualified splits the ARN of a state machine's version or alias.
func unqualified(arn string) (base, qualifier string) {
	if parts := strings.Split(arn, ":"); len(parts) == 8 && parts[2] == "states" {
		return strings.Join(parts[:7], ":"), parts[7]
	}
	return arn, ""
}

// cryptographic are the actions that a disabled key is no good for. AWS calls it by other errors than a denial.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
var cryptographic = regexp.MustCompile("^kms:(Decrypt|Encrypt|GenerateDataKey|ReEncrypt)")

func (d *Deployment) authorization(f fact, by string, expand func(string) string, action, on, assumed string) (Authorization, error) {
	a := Authorization{Source: f.source}
	a.Request = iam.Request{Action: action, Resource: on, Principal: expand(f.caller), Context: map[string]string{}}
	for key, value := range f.sends {
		if sent := expand(value); sent != "" {
			a.Context[key] = sent
		}
	}
	guarded := on
	if f.assumes != "" {
		if assumed == "" || d.things[assumed] == nil {
			return a, &iam.Denied{Request: a.Request, Reason: fmt.Sprintf("because the role %q of %s does not exist", assumed, by)}
		}
		guarded = assumed
	}
	a.ResourceDecides = f.assumes != "" || strings.HasPrefix(action, "kms:")
	if found := d.things[guarded]; found != nil {
		if found.disabled && cryptographic.MatchString(action) {
			return a, &iam.Denied{Request: a.Request, Reason: "because the key is disabled"}
		}
		if err := d.read(found.policy, &a.Access.Resource); err != nil {
			return a, fmt.Errorf("the policy of %s: %w", guarded, err)
		}
	}
	if a.Principal == "" {
		return a, &iam.Denied{Request: a.Request, Reason: fmt.Sprintf("because %s has no role", by)}
	}
	if !strings.HasPrefix(a.Principal, "arn:") {
		return a, nil // a service
	}
	return a, d.principal(&a, f, by)
}

// principal adds what decides about a role or a user.
func (d *Deployment) principal(a *Authorization, f fact, by string) error {
	account := func(arn string) string {
		if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
			return parts[4]
		}
		return d.account
	}
	// Every principal's request has these.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
	a.Context["aws:PrincipalAccount"], a.Context["aws:ResourceAccount"] = account(a.Principal), account(a.Request.Resource)
	a.Context["aws:PrincipalArn"], a.Context["aws:SecureTransport"] = a.Principal, "true"
	switch {
	case account(a.Principal) != d.account:
		return nil // whose own policies are its own business
	case !strings.Contains(a.Principal, ":role/"):
		a.Identity = []iam.Document{everything} // whoever deploys and operates
		return nil
	}
	role := d.things[a.Principal]
	if role == nil {
		return &iam.Denied{Request: a.Request, Reason: "because the role does not exist"}
	}
	documents := slices.Clone(role.policies)
	for _, arn := range role.managed {
		if managed := d.things[arn]; managed != nil {
			documents = append(documents, managed.policy)
		} else {
			a.unknown = append(a.unknown, arn)
		}
	}
	for _, text := range documents {
		var document *iam.Document
		if err := d.read(text, &document); err != nil {
			return fmt.Errorf("a policy of %s: %w", a.Principal, err)
		}
		a.Identity = append(a.Identity, *document)
	}
	if role.boundary != "" {
		boundary := d.things[role.boundary]
		if boundary == nil {
			return fmt.Errorf("the permissions boundary %s of %s is not part of the deployment, so what it allows is not known here: leave it out, or declare it", role.boundary, a.Principal)
		}
		if err := d.read(boundary.policy, &a.Boundary); err != nil {
			return fmt.Errorf("the boundary %s: %w", role.boundary, err)
		}
	}
	return d.crossing(a, f, by)
}

// crossing adds the policy of the VPC endpoint that the call passes through.
func (d *Deployment) crossing(a *Authorization, f fact, by string) error {
	if f.through == "" || d.things[by] == nil {
		return nil
	}
	for _, subnet := range d.things[by].subnets {
		for arn, endpoint := range d.things {
			if endpoint.vpc != "" && endpoint.vpc == d.vpcs[subnet] && strings.HasSuffix(endpoint.service, "."+f.through) {
				if err := d.read(endpoint.policy, &a.Endpoint); err != nil {
					return fmt.Errorf("the policy of endpoint %s: %w", arn, err)
				}
				return nil
			}
		}
	}
	return nil
}

// everything is what an administrator's policy allows.
var everything = iam.New(iam.Statement{Effect: iam.Allow, Action: iam.Strings{"*"}, Resource: iam.Strings{"*"}})

// read parses a document once.
func (d *Deployment) read(text string, into **iam.Document) error {
	if text == "" {
		return nil
	}
	if known, found := d.documents.Load(text); found {
		*into = known.(*iam.Document)
		return nil
	}
	document, err := iam.Parse(text)
	if err == nil {
		d.documents.Store(text, &document)
		*into = &document
	}
	return err
}
