package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"trade-processing/policy/document"
	"trade-processing/policy/value"
)

const encryptionFamily = "Encryption"

const queuePolicy = "aws:sqs/queuePolicy:QueuePolicy"

// keyed is a property that names the key which encrypts a resource.
type keyed struct {
	name, resourceType, property, why string
	controls                          []string
}

// keyedByProperty are the types that take a key in one property, and use AWS's own or none if it is missing.
var keyedByProperty = []keyed{
	{
		"sqs-customer-key", "aws:sqs/queue:Queue", "kmsMasterKeyId",
		"Under AWS's own key, no second permission guards the messages, and EventBridge and CloudWatch can't send to a queue under alias/aws/sqs.",
		[]string{"SQS.1", "CKV2_AWS_73"},
	},
	{
		"sns-customer-key", "aws:sns/topic:Topic", "kmsMasterKeyId",
		"CloudWatch can't be granted alias/aws/sns: an alarm that publishes to such a topic, or to one without a key, is unprotected or never arrives.",
		[]string{"SNS.1", "CKV_AWS_26"},
	},
	{
		"log-group-customer-key", "aws:cloudwatch/logGroup:LogGroup", "kmsKeyId",
		"Logs hold what the data holds; with your own key, access to them can be revoked and is recorded.",
		[]string{"CKV_AWS_158"},
	},
	{
		"event-bus-customer-key", "aws:cloudwatch/eventBus:EventBus", "kmsKeyIdentifier",
		"Events waiting on a bus hold the data itself.",
		[]string{Ours},
	},
	{
		"backup-vault-customer-key", "aws:backup/vault:Vault", "kmsKeyArn",
		"A backup is a copy of all the data, and outlives it.",
		[]string{"Backup.1", "CKV_AWS_166"},
	},
	{
		"dynamodb-replica-customer-key", "aws:dynamodb/tableReplica:TableReplica", "kmsKeyArn",
		"A replica doesn't inherit its table's key: without one it uses AWS's own, and its key can't be changed later.",
		[]string{"CKV_AWS_271"},
	},
}

// keyRules turns each entry of keyedByProperty into a rule.
func keyRules() []Rule {
	var all []Rule
	for _, k := range keyedByProperty {
		all = append(all, Rule{
			Name: k.name, Family: encryptionFamily, Level: Mandatory, Controls: k.controls, Types: []string{k.resourceType}, Why: k.why,
			Check: func(r *Resource) { needsCustomerKey(r, k.property, r.At(k.property)) },
		})
	}
	return all
}

var encryptionRules = append(keyRules(), []Rule{
	{
		Name: "dynamodb-customer-key", Family: encryptionFamily, Level: Mandatory, Controls: []string{"CKV_AWS_119"},
		Types: []string{"aws:dynamodb/table:Table"},
		Why:   "A table under AWS's own key can't be closed by disabling the key, and nobody can say who decrypted it.",
		Check: func(r *Resource) {
			if r.At("serverSideEncryption.enabled").LacksTruth() {
				r.Breaks("serverSideEncryption.enabled", "is not true", "Set it, with kmsKeyArn")
				return
			}
			needsCustomerKey(r, "serverSideEncryption.kmsKeyArn", r.At("serverSideEncryption.kmsKeyArn"))
		},
	},
	{
		Name: "dynamodb-inline-replica-customer-key", Family: encryptionFamily, Level: Mandatory, Controls: []string{"CKV_AWS_271"},
		Types: []string{"aws:dynamodb/table:Table"},
		Why:   "A replica doesn't inherit its table's key, and its key can't be changed later.",
		Check: func(r *Resource) {
			for i, replica := range r.At("replicas").Each() {
				needsCustomerKey(r, fmt.Sprintf("replicas[%d].kmsKeyArn", i), replica.Get("kmsKeyArn"))
			}
		},
	},
	{
		Name: "dynamodb-replica-key-region", Family: encryptionFamily, Level: Mandatory, Controls: []string{Ours},
		Types: []string{"aws:dynamodb/table:Table", "aws:dynamodb/tableReplica:TableReplica"},
		Why:   "A key serves one region: DynamoDB refuses a replica with another region's key, but only after the table has been created.",
		Check: func(r *Resource) {
			if r.Type == "aws:dynamodb/tableReplica:TableReplica" {
				keyInRegion(r, "kmsKeyArn", r.At("kmsKeyArn"), r.region())
			}
			for i, replica := range r.At("replicas").Each() {
				keyInRegion(r, fmt.Sprintf("replicas[%d].kmsKeyArn", i), replica.Get("kmsKeyArn"), replica.Get("regionName"))
			}
		},
	},
	{
		Name: "ecr-customer-key", Family: encryptionFamily, Level: Mandatory, Controls: []string{"CKV_AWS_136"},
		Types: []string{"aws:ecr/repository:Repository", "aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate"},
		Why:   "A repository's encryption can't be changed after creation, and copies in other regions are AES256 unless a template says otherwise.",
		Check: func(r *Resource) {
			if r.At("encryptionConfigurations.encryptionType").LacksText("KMS", "KMS_DSSE") {
				r.Breaks("encryptionConfigurations[0].encryptionType", "is not KMS", "Set KMS, and kmsKey to a key of your own")
				return
			}
			needsCustomerKey(r, "encryptionConfigurations[0].kmsKey", r.At("encryptionConfigurations.kmsKey"))
		},
	},
	{
		Name: "ssm-secure-string-customer-key", Family: encryptionFamily, Level: Mandatory, Controls: []string{"CKV_AWS_337"},
		Types: []string{"aws:ssm/parameter:Parameter"},
		Why:   "Anyone who may read a parameter may read one under alias/aws/ssm; your own key requires a second permission.",
		Check: func(r *Resource) {
			if r.At("type").Is("SecureString") {
				needsCustomerKey(r, "keyId", r.At("keyId"))
			}
		},
	},
	{
		Name: "state-machine-customer-key", Family: encryptionFamily, Level: Mandatory, Controls: []string{Ours},
		Types: []string{"aws:sfn/stateMachine:StateMachine"},
		Why:   "The execution history holds input and output, which is the data itself.",
		Check: func(r *Resource) {
			if r.At("encryptionConfiguration.type").LacksText("CUSTOMER_MANAGED_KMS_KEY") {
				r.Breaks("encryptionConfiguration.type", "is not CUSTOMER_MANAGED_KMS_KEY", "Set it, with kmsKeyId")
				return
			}
			needsCustomerKey(r, "encryptionConfiguration.kmsKeyId", r.At("encryptionConfiguration.kmsKeyId"))
		},
	},
	{
		Name: "function-environment-key", Family: encryptionFamily, Level: Mandatory, Controls: []string{"CKV_AWS_173"},
		Types: []string{"aws:lambda/function:Function"},
		Why:   "Anyone who may describe a function can read its environment, unless that is under your own key.",
		Check: func(r *Resource) {
			if len(r.At("environment.variables").Keys()) > 0 {
				needsCustomerKey(r, "kmsKeyArn", r.At("kmsKeyArn"))
			}
		},
	},
	{
		Name: "kms-rotation", Family: encryptionFamily, Level: Mandatory, Controls: []string{"KMS.4", "CKV_AWS_7"},
		Types: []string{"aws:kms/key:Key"},
		Why:   "A key that never changes protects more data each year with the same secret.",
		Check: func(r *Resource) {
			symmetric := r.At("customerMasterKeySpec").Unset() || r.At("customerMasterKeySpec").Is("SYMMETRIC_DEFAULT")
			inKMS := r.At("customKeyStoreId").Unset() // no other store rotates: https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html
			if symmetric && inKMS && r.At("enableKeyRotation").LacksTruth() {
				r.Breaks("enableKeyRotation", "is not true", "Set it: KMS keeps the old key material, and nothing has to be re-encrypted")
			}
		},
	},
	{
		Name: "kms-not-open", Family: encryptionFamily, Level: Mandatory, Controls: []string{"KMS.5", "CKV_AWS_33"},
		Types: []string{"aws:kms/key:Key", "aws:kms/replicaKey:ReplicaKey", "aws:kms/keyPolicy:KeyPolicy"},
		Why:   "A key that everyone may use protects nothing.",
		Check: func(r *Resource) { notOpen(r, "policy") },
	},
	{
		Name: "kms-explicit-policy", Family: encryptionFamily, Level: Mandatory, Controls: []string{"CKV2_AWS_64"},
		Types: []string{"aws:kms/key:Key", "aws:kms/replicaKey:ReplicaKey"},
		Why:   "KMS's default key policy lets every IAM policy in the account decide who may use the key, also until a KeyPolicy is attached.",
		Check: func(r *Resource) {
			if r.At("policy").Unset() {
				r.Breaks("policy", "is missing", "Write one that names who manages the key and who uses it")
			}
		},
	},
	{
		Name: "queue-policy", Family: encryptionFamily, Level: Mandatory, Controls: []string{Ours},
		Types: []string{queue, queuePolicy},
		Why:   "Without a policy of its own a queue accepts plain HTTP, and every principal that the account's IAM lets in.",
		CheckStack: func(s *Stack) {
			for _, q := range s.Of(queue) {
				if q.At("policy").Unset() && s.referred(q, reference{queuePolicy, "queueUrl"}) == no {
					q.Breaks("policy", "is missing", "Add a QueuePolicy that denies requests without TLS, and names who may send")
				}
			}
		},
	},
	{
		Name: "queue-policy-tls", Family: encryptionFamily, Level: Mandatory, Controls: []string{Ours},
		Types: sortedKeys(carriers),
		Why:   "AWS's endpoints still accept plain HTTP; only the policy of a queue or topic refuses it.",
		Check: func(r *Resource) {
			if !strings.HasSuffix(r.Type, "Policy") && r.At("policy").Unset() {
				return // another rule asks for a queue's policy
			}
			policy, carrier := document.Read(r.At("policy")), carriers[r.Type]
			it := func(pattern string) bool { return mayName(pattern, carrier.name(r)) }
			for _, action := range carrier.actions {
				denied := slices.ContainsFunc(policy.Statements, func(s document.Statement) bool { return s.DeniesWithoutTLS() && s.Does(action) && s.On(it) })
				if policy.Complete && !denied {
					r.Breaks("policy", fmt.Sprintf("doesn't deny everyone %s without TLS", action),
						"Deny every principal all actions on it if aws:SecureTransport is false, and on no other condition")
					return
				}
			}
		},
	},
}...)

// carrier is a type with the policy of what carries messages.
type carrier struct {
	actions []string                    // that carry them, of which AWS's own examples deny those without TLS
	name    func(*Resource) value.Value // the last part of its URL or ARN
}

var (
	queues = []string{"sqs:SendMessage", "sqs:ReceiveMessage"} // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-security-best-practices.html
	topics = []string{"sns:Publish"}                           // https://docs.aws.amazon.com/sns/latest/dg/sns-security-best-practices.html
)

// carriers are the types that queue-policy-tls judges.
var carriers = map[string]carrier{
	queue:                             {queues, func(r *Resource) value.Value { return r.At("name") }},
	queuePolicy:                       {queues, func(r *Resource) value.Value { return r.At("queueUrl") }},
	"aws:sns/topic:Topic":             {topics, func(r *Resource) value.Value { return r.At("name") }},
	"aws:sns/topicPolicy:TopicPolicy": {topics, func(r *Resource) value.Value { return r.At("arn") }},
}

// mayName reports whether a pattern of ARNs may be of a queue or topic, of which the name, the URL or the ARN is given.
// What isn't known may be it.
func mayName(pattern string, given value.Value) bool {
	own := document.ParseARN(given.Text())
	if parts := queueURL.FindStringSubmatch(given.Text()); parts != nil {
		own.Region, own.Account = parts[1], parts[2]
	}
	own.Resource = given.Text()[strings.LastIndexAny(given.Text(), "/:")+1:]
	arn := document.ParseARN(pattern)
	may := func(pattern, part string) bool { return part == "" || document.Like(pattern, part) }
	return may(arn.Region, own.Region) && may(arn.Account, own.Account) && may(arn.Resource, own.Resource)
}

var queueURL = regexp.MustCompile(`^https://sqs\.([a-z0-9-]+)\.[^/]+/(\d{12})/`)

// needsCustomerKey requires a key that isn't AWS's own.
func needsCustomerKey(r *Resource, property string, key value.Value) {
	switch {
	case key.Unset():
		r.Breaks(property, "has no key", "Set it to the ARN of a customer-managed key")
	case strings.Contains(key.Text(), "alias/aws/"):
		r.Breaks(property, fmt.Sprintf("is %s, which is AWS's own key", shown(key)), "Set it to the ARN of a customer-managed key")
	}
}

// keyInRegion requires a key's ARN to be in a region.
func keyInRegion(r *Resource, property string, key, region value.Value) {
	parts := strings.Split(key.Text(), ":")
	if len(parts) > 3 && region.Text() != "" && parts[3] != region.Text() {
		r.Breaks(property, fmt.Sprintf("is a key of %s, but the replica is in %s", shownText(key, parts[3]), shownText(region, region.Text())),
			"Create a replica of the key there, and use that")
	}
}
