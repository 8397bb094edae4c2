package access_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"trade-processing/components/iam"
	"trade-processing/local/access"
)

// documents are the properties that are policies, by type.
var documents = map[string]string{
	"aws:cloudwatch/eventBusPolicy:EventBusPolicy":                  "policy",
	"aws:ec2/vpcEndpoint:VpcEndpoint":                               "policy",
	"aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate": "repositoryPolicy",
	"aws:ecr/repositoryPolicy:RepositoryPolicy":                     "policy",
	"aws:iam/role:Role":                                             "assumeRolePolicy",
	"aws:iam/rolePolicy:RolePolicy":                                 "policy",
	"aws:kms/key:Key":                                               "policy",
	"aws:kms/replicaKey:ReplicaKey":                                 "policy",
	"aws:sns/topicPolicy:TopicPolicy":                               "policy",
	"aws:sqs/queuePolicy:QueuePolicy":                               "policy",
}

// mutant is a document with one thing taken away or altered.
type mutant struct {
	resource int
	property string
	about    string // what was done, in words
	document iam.Document
}

// mutants lists every mutant of a stack's documents.
func (s *stack) mutants(t *testing.T) []mutant {
	t.Helper()
	var all []mutant
	for i, r := range s.resources {
		property, has := documents[r.Type]
		if !has {
			continue
		}
		document, err := iam.Parse(text(r.Properties, property))
		if err != nil {
			t.Fatalf("%s %s: %v", r.Type, r.ID, err)
		}
		for n, statement := range document.Statement {
			where := r.Type[strings.LastIndex(r.Type, ":")+1:] + " " + statement.Sid
			if service := text(r.Properties, "serviceName"); service != "" {
				where = "endpoint of " + service[strings.LastIndex(service, ".")+1:]
			}
			for _, m := range mutantsOf(statement) {
				changed := slices.Clone(document.Statement)
				if m.without {
					changed = slices.Delete(changed, n, n+1)
				} else {
					changed[n] = m.statement
				}
				all = append(all, mutant{i, property, where + ": " + m.about, iam.New(changed...)})
			}
		}
	}
	return all
}

type statementMutant struct {
	about     string
	without   bool
	statement iam.Statement
}

func mutantsOf(s iam.Statement) []statementMutant {
	all := []statementMutant{{about: "no statement", without: true}}
	change := func(about string, do func(*iam.Statement)) {
		changed := s
		do(&changed)
		all = append(all, statementMutant{about: about, statement: changed})
	}
	lists := func(kind string, values iam.Strings, set func(*iam.Statement, iam.Strings)) {
		for i, value := range values {
			if len(values) > 1 {
				change("no "+kind+" "+value, func(s *iam.Statement) { set(s, slices.Delete(slices.Clone(values), i, i+1)) })
			}
			altered := slices.Clone(values)
			altered[i] = value + "-altered"
			change("another "+kind+" than "+value, func(s *iam.Statement) { set(s, altered) })
		}
	}
	lists("action", s.Action, func(s *iam.Statement, to iam.Strings) { s.Action = to })
	lists("resource", s.Resource, func(s *iam.Statement, to iam.Strings) { s.Resource = to })
	if s.Principal != nil {
		lists("service", s.Principal.Service, func(s *iam.Statement, to iam.Strings) {
			s.Principal = &iam.Principal{Service: to, AWS: s.Principal.AWS}
		})
		lists("principal", s.Principal.AWS, func(s *iam.Statement, to iam.Strings) {
			s.Principal = &iam.Principal{AWS: to, Service: s.Principal.Service}
		})
	}
	for operator, keys := range s.Condition {
		for key, values := range keys {
			with := func(to iam.Strings) func(*iam.Statement) {
				return func(s *iam.Statement) {
					conditions := maps.Clone(s.Condition)
					conditions[operator] = maps.Clone(conditions[operator])
					if conditions[operator][key] = to; to == nil {
						delete(conditions[operator], key)
					}
					s.Condition = conditions
				}
			}
			change("no condition on "+key, with(nil))
			lists("value of "+key, values, func(s *iam.Statement, to iam.Strings) { with(to)(s) })
		}
	}
	return all
}

// forbidden lists what must be denied, derived from what is needed: the same call for or by a stranger, without what
// keeps a key to one service, without TLS, and by a function's own code.
func forbidden(needed []access.Authorization) []access.Authorization {
	var all []access.Authorization
	with := func(a access.Authorization, changes map[string]string) {
		a.Context = maps.Clone(a.Context)
		for key, value := range changes {
			if a.Context[key] = value; value == "" {
				delete(a.Context, key)
			}
		}
		all = append(all, a)
	}
	for _, a := range needed {
		strangers, unkeyed := map[string]string{}, map[string]string{}
		for key, value := range a.Context {
			if !strings.HasPrefix(key, "aws:Principal") && strings.Contains(value, account) {
				strangers[key] = strings.ReplaceAll(value, account, stranger)
			}
			if strings.HasPrefix(key, "kms:") || strings.HasPrefix(key, "states:") || strings.HasPrefix(key, "cloudwatch:") {
				unkeyed[key] = ""
			}
		}
		service := !strings.HasPrefix(a.Principal, "arn:")
		if service && len(strangers) > 0 && !open(a) {
			with(a, strangers)
		}
		if len(unkeyed) > 0 && (strings.Contains(a.Principal, ":role/") || a.Action == "kms:CreateGrant") {
			with(a, unkeyed)
		}
		if source := a.Context["events:source"]; source != "" && strings.Contains(a.Principal, producer) {
			with(a, map[string]string{"events:source": "trading.system3"})
			other := a
			other.Principal = strings.ReplaceAll(a.Principal, producer, stranger)
			with(other, nil)
		}
		if a.Endpoint != nil {
			with(a, map[string]string{"aws:PrincipalAccount": stranger})
			with(a, map[string]string{"aws:ResourceAccount": stranger})
		}
		if strings.HasPrefix(a.Action, "ec2:") {
			function := strings.Replace(strings.Replace(a.Principal, ":iam::", ":lambda:us-east-1:", 1), ":role/", ":function:", 1)
			with(a, map[string]string{"lambda:SourceFunctionArn": function})
		}
		if a.Action == "sqs:SendMessage" || a.Action == "sns:Publish" {
			plain := a
			plain.Principal, plain.Identity = operator, []iam.Document{everything}
			with(plain, map[string]string{"aws:SecureTransport": "false"})
		}
	}
	return all
}

// open reports whether AWS's documentation leaves a grant without a condition that could keep strangers out:
// EventBridge meets none when it uses a key for a queue, and the same statement serves the bus.
func open(a access.Authorization) bool {
	return a.Principal == "events.amazonaws.com" && strings.HasPrefix(a.Action, "kms:")
}

var everything = iam.New(iam.Statement{Effect: iam.Allow, Action: iam.Strings{"*"}, Resource: iam.Strings{"*"}})

func TestEachStatementIsNeededAndSuffices(t *testing.T) {
	unused := maps.Clone(explained)
	for name, shape := range shapes {
		t.Run(name, func(t *testing.T) {
			s := deploy(t, shape.stack, shape.settings)
			mutants, killed := s.mutants(t), 0
			for _, m := range mutants {
				if s.notices(t, m) {
					killed++
					continue
				}
				reason := ""
				for what, why := range explained {
					if strings.HasPrefix(m.about, what) {
						reason = why
						delete(unused, what)
					}
				}
				if reason == "" {
					t.Errorf("nothing notices %s (%s)", m.about, s.resources[m.resource].ID)
				}
			}
			t.Logf("%d documents' mutants, %d noticed", len(mutants), killed)
		})
	}
	for what := range unused {
		t.Errorf("%q is explained, but every mutant of it is noticed: remove the explanation", what)
	}
}

// notices reports whether a mutant denies what is needed, or allows what is forbidden.
func (s *stack) notices(t *testing.T, m mutant) bool {
	t.Helper()
	body, err := m.document.JSON()
	if err != nil {
		t.Fatal(err)
	}
	resources := slices.Clone(s.resources)
	changed := &resources[m.resource]
	changed.Properties = maps.Clone(changed.Properties)
	changed.Properties[m.property] = body
	d := access.New(account, resources)
	for _, c := range s.calls {
		needed, err := d.Authorizations(c.Call, c.by, c.on, c.with)
		if err != nil || slices.ContainsFunc(needed, denied) || slices.ContainsFunc(forbidden(needed), isAllowed) {
			return true
		}
	}
	return false
}

// denied reports whether a call is denied. A role with a managed policy of AWS's own isn't, as far as is known here.
func denied(a access.Authorization) bool {
	err := a.Decide()
	return err != nil && !strings.Contains(err.Error(), "is not known here")
}

func isAllowed(a access.Authorization) bool { return a.Decide() == nil }

// explained are the mutants that change nothing for the journey, and why what they take away stays.
var explained = map[string]string{
	"EventBusPolicy OwnAccount": "within the account a role's own policy suffices, but a bus without a policy doesn't show who may send",
	"endpoint of s3":            "nothing passes it yet, and without a policy anything could",
	"endpoint of dynamodb: no action dynamodb:ConditionCheckItem":           "functions of other programs read",
	"endpoint of dynamodb: another action than dynamodb:ConditionCheckItem": "functions of other programs read",
	"endpoint of dynamodb: no action dynamodb:Query":                        "functions of other programs read",
	"endpoint of dynamodb: another action than dynamodb:Query":              "functions of other programs read",
	"RolePolicy ReadParameters: no resource":                                "reports say that AWS authorises with the path itself, its pages don't say whether with what is below it too",
	"RolePolicy ReadParameters: another resource":                           "reports say that AWS authorises with the path itself, its pages don't say whether with what is below it too",
}
