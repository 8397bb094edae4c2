package pipeline_test

import (
	"maps"
	"strings"
	"testing"

	"trade-processing/internal/exitcode"
	"trade-processing/internal/report"
	"trade-processing/local/cloud"
)

// alter changes a text in a property of the one resource whose name ends like this.
func (s *system) alter(typ, end, property, old, instead string) {
	s.t.Helper()
	for _, r := range s.cloud.Resources() {
		text, _ := r.Inputs[property].(string)
		if r.Type != typ || r.Region != region || !strings.HasSuffix(r.Name, end) {
			continue
		}
		if !strings.Contains(text, old) {
			s.t.Fatalf("%s of %s lacks %s: %s", property, r.Name, old, text)
		}
		inputs := maps.Clone(r.Inputs)
		inputs[property] = strings.ReplaceAll(text, old, instead)
		if _, err := s.cloud.Update(r.Type, r.Region, r.ID, inputs); err != nil {
			s.t.Fatal(err)
		}
		return
	}
	s.t.Fatalf("there is no %s whose name ends in %s", typ, end)
}

const (
	rolePolicy  = "aws:iam/rolePolicy:RolePolicy"
	keyPolicy   = "aws:kms/key:Key"
	queuePolicy = "aws:sqs/queuePolicy:QueuePolicy"
	machine     = "stateMachine:trade-processing-local-workflow"
)

// What a faulty policy does to a trade on AWS, it does here: nothing is recorded, and the trade is where AWS puts it.
func TestAFaultyPolicyShows(t *testing.T) {
	start := func(s *system) { // so that the event can't be delivered
		s.alter(rolePolicy, "from-system1-role-policy", "policy", "states:StartExecution", "states:StopExecution")
	}
	const delivery = "trade-processing-local-delivery-1-dead-letters"
	for name, tc := range map[string]struct {
		fault func(*system)
		queue string // that has the trade; empty: it is lost, and an alarm says so
		err   string
	}{
		"the role of a rule names the alias": {func(s *system) {
			s.alter(rolePolicy, "from-system1-role-policy", "policy", machine, machine+":live")
		}, delivery, "AccessDeniedException"},
		"the role of a rule trusts another rule": {func(s *system) {
			s.alter("aws:iam/role:Role", "from-system1-role", "assumeRolePolicy", "from-system1", "from-system2")
		}, delivery, "AccessDeniedException"},
		"the workflow may call the functions, but not through their aliases": {func(s *system) {
			s.alter(rolePolicy, "workflow-role-policy", "policy", "-recorder:live", "-recorder")
		}, recorderQueue, "Lambda.AWSLambdaException"},
		"the workflow may not use its own key": {func(s *system) {
			s.alter(rolePolicy, "workflow-role-policy", "policy", `"kms:EncryptionContext:aws:states:stateMachineArn"`, `"kms:EncryptionContext:aws:states:activityArn"`)
		}, delivery, "KmsAccessDeniedException"},
		"the recorder may read, but not put": {func(s *system) {
			s.alter(rolePolicy, "recorder-role-policy", "policy", "dynamodb:PutItem", "dynamodb:GetItem")
		}, recorderQueue, "AccessDeniedException"},
		"the recorder may not use the table's key": {func(s *system) {
			s.alter(rolePolicy, "recorder-role-policy", "policy", "dynamodb.us-east-1", "dynamodb.eu-west-1")
		}, recorderQueue, "AccessDeniedException"},
		"the endpoint lets no item through": {func(s *system) {
			s.alter("aws:ec2/vpcEndpoint:VpcEndpoint", "network-dynamodb", "policy", "dynamodb:PutItem", "dynamodb:UpdateItem")
		}, recorderQueue, "AccessDeniedException"},
		"the key asks EventBridge for whom it acts": {func(s *system) {
			start(s)
			s.alter(keyPolicy, "encryption-key", "policy", `{"Sid":"Events",`, `{"Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:events:*:000000000000:*"}},"Sid":"Events",`)
		}, "", ""},
		"the queue asks EventBridge for more than it sends": {func(s *system) {
			start(s)
			s.alter(queuePolicy, "delivery-1-policy", "policy", `"ArnLike":{`, `"StringEquals":{"aws:SourceAccount":"000000000000"},"ArnLike":{`)
		}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := deploy(t, cloud.Options{})
			tc.fault(s)
			r, err := s.process(t.Context(), feedOf(good("faulty")))
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Denied) == 0 || r.ExitCode() != exitcode.Unreconciled {
				t.Errorf("exit code %d, denied %v", r.ExitCode(), r.Denied)
			}
			if tc.queue == "" {
				if r.Reconciles || r.DeadLettered != 0 || !wentOff(r, "-lost") {
					t.Errorf("%s, alarms %v", summary(r), r.Alarms)
				}
				return
			}
			if r.DeadLettered != 1 || r.Recorded != 0 || len(s.letters(tc.queue)) != 1 || !strings.Contains(summary(r), tc.err) {
				t.Errorf("%s; queue %s has %d", summary(r), tc.queue, len(s.letters(tc.queue)))
			}
		})
	}
}

func wentOff(r *report.Report, end string) bool {
	for _, alarm := range r.Alarms {
		if strings.HasSuffix(alarm.Name, end) {
			return true
		}
	}
	return false
}

// An alarm's failed action is in its history alone, so the report has it.
func TestAnAlarmThatNotifiesNobodySaysSo(t *testing.T) {
	s := deploy(t, cloud.Options{})
	s.alter(keyPolicy, "encryption-key", "policy", "cloudwatch.amazonaws.com", "sns.amazonaws.com")
	s.alter(rolePolicy, "recorder-role-policy", "policy", "dynamodb:PutItem", "dynamodb:GetItem")
	r, err := s.process(t.Context(), feedOf(good("unheard")))
	if err != nil {
		t.Fatal(err)
	}
	for _, alarm := range r.Alarms {
		if strings.Contains(alarm.Reason, "cloudwatch.amazonaws.com is not authorized to perform: kms:") {
			return
		}
	}
	t.Errorf("alarms %+v", r.Alarms)
}
