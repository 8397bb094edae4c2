package cases

func encryptionCases() []Case {
	var all []Case
	// Types that name their key in one property.
	for _, k := range []struct{ rule, resourceType, property, alias string }{
		{"sqs-customer-key", "aws:sqs/queue:Queue", "kmsMasterKeyId", "alias/aws/sqs"},
		{"sns-customer-key", "aws:sns/topic:Topic", "kmsMasterKeyId", "alias/aws/sns"},
		{"log-group-customer-key", "aws:cloudwatch/logGroup:LogGroup", "kmsKeyId", "arn:aws:kms:us-east-1:111122223333:alias/aws/logs"},
		{"event-bus-customer-key", "aws:cloudwatch/eventBus:EventBus", "kmsKeyIdentifier", "alias/aws/events"},
		{"backup-vault-customer-key", "aws:backup/vault:Vault", "kmsKeyArn", "arn:aws:kms:us-east-1:111122223333:alias/aws/backup"},
		{"dynamodb-replica-customer-key", "aws:dynamodb/tableReplica:TableReplica", "kmsKeyArn", "arn:aws:kms:us-east-1:111122223333:alias/aws/dynamodb"},
	} {
		all = append(all,
			breaks(k.rule, "no key", one(k.resourceType, in{"name": "it"}), k.property+" has no key."),
			breaks(k.rule, "AWS's own key", one(k.resourceType, in{k.property: k.alias}), k.property+` is "`+k.alias+`", which is AWS's own key.`),
			keeps(k.rule, "a customer-managed key", one(k.resourceType, in{k.property: key})),
		)
	}
	const (
		table, replica          = "aws:dynamodb/table:Table", "aws:dynamodb/tableReplica:TableReplica"
		repository, template    = "aws:ecr/repository:Repository", "aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate"
		parameter, stateMachine = "aws:ssm/parameter:Parameter", "aws:sfn/stateMachine:StateMachine"
		function, kmsKey        = "aws:lambda/function:Function", "aws:kms/key:Key"
		queue, queuePolicy      = "aws:sqs/queue:Queue", "aws:sqs/queuePolicy:QueuePolicy"
	)
	europe := map[string]string{"region": "eu-west-1"}
	noTLS := in{"Sid": "DenyWithoutTLS", "Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": "*", "Condition": in{"Bool": in{"aws:SecureTransport": "false"}}}
	noTLSOf := func(action, resource string) in {
		return in{"Effect": "Deny", "Principal": "*", "Action": action, "Resource": resource, "Condition": noTLS["Condition"]}
	}
	tls := func(changes in) []Resource {
		changed := in{}
		for name, member := range noTLS {
			changed[name] = member
		}
		for name, member := range changes {
			changed[name] = member
		}
		return one(queuePolicy, in{"queueUrl": "https://sqs.us-east-1.amazonaws.com/111122223333/orders", "policy": statement(changed)})
	}
	return append(all,
		breaks("dynamodb-customer-key", "encryption is left to AWS", one(table, in{"name": "t"}), "serverSideEncryption.enabled is not true."),
		breaks("dynamodb-customer-key", "encryption by AWS's key", one(table, in{"serverSideEncryption": in{"enabled": true}}), "serverSideEncryption.kmsKeyArn has no key."),
		breaks("dynamodb-customer-key", "encryption by the alias of AWS's key", one(table, in{"serverSideEncryption": in{"enabled": true, "kmsKeyArn": "alias/aws/dynamodb"}}), `serverSideEncryption.kmsKeyArn is "alias/aws/dynamodb", which is AWS's own key.`),
		keeps("dynamodb-customer-key", "a customer-managed key", one(table, in{"serverSideEncryption": in{"enabled": true, "kmsKeyArn": key}})),
		keeps("dynamodb-customer-key", "a customer-managed key in the spelling of Terraform", one(table, in{"serverSideEncryption": list{in{"enabled": true, "kmsKeyArn": key}}})),

		breaks("dynamodb-inline-replica-customer-key", "the second replica has no key", one(table, in{"replicas": list{in{"regionName": "eu-west-1", "kmsKeyArn": key}, in{"regionName": "eu-west-2"}}}), "replicas[1].kmsKeyArn has no key."),
		breaks("dynamodb-inline-replica-customer-key", "a replica with AWS's own key", one(table, in{"replicas": list{in{"regionName": "eu-west-1", "kmsKeyArn": "alias/aws/dynamodb"}}}), `replicas[0].kmsKeyArn is "alias/aws/dynamodb", which is AWS's own key.`),
		keeps("dynamodb-inline-replica-customer-key", "a replica with a key", one(table, in{"replicas": list{in{"regionName": "eu-west-1", "kmsKeyArn": key}}})),

		breaks("dynamodb-replica-key-region", "a replica in Europe with a key of America", by(europe, replica, in{"kmsKeyArn": key}), "kmsKeyArn is a key of us-east-1, but the replica is in eu-west-1."),
		breaks("dynamodb-replica-key-region", "a replica whose own region differs from its key's", one(replica, in{"kmsKeyArn": key, "region": "eu-west-2"}), "kmsKeyArn is a key of us-east-1, but the replica is in eu-west-2."),
		breaks("dynamodb-replica-key-region", "an inline replica with the table's key", one(table, in{"replicas": list{in{"regionName": "eu-west-1", "kmsKeyArn": key}}}), "replicas[0].kmsKeyArn is a key of us-east-1, but the replica is in eu-west-1."),
		keeps("dynamodb-replica-key-region", "a replica with a key of its region", one(replica, in{"kmsKeyArn": key})),
		keeps("dynamodb-replica-key-region", "an inline replica with a key of its region", one(table, in{"replicas": list{in{"regionName": "us-east-1", "kmsKeyArn": key}}})),
		keeps("dynamodb-replica-key-region", "an alias says no region", by(europe, replica, in{"kmsKeyArn": "alias/own"})),

		breaks("ecr-customer-key", "AES256, which is ECR's default", one(repository, in{"name": "r"}), "encryptionConfigurations[0].encryptionType is not KMS."),
		breaks("ecr-customer-key", "a template without a key", one(template, in{"encryptionConfigurations": list{in{"encryptionType": "KMS"}}}), "encryptionConfigurations[0].kmsKey has no key."),
		breaks("ecr-customer-key", "a repository under AWS's own key", one(repository, in{"encryptionConfigurations": list{in{"encryptionType": "KMS", "kmsKey": "alias/aws/ecr"}}}), `encryptionConfigurations[0].kmsKey is "alias/aws/ecr", which is AWS's own key.`),
		keeps("ecr-customer-key", "a customer-managed key", one(repository, in{"encryptionConfigurations": list{in{"encryptionType": "KMS_DSSE", "kmsKey": key}}})),

		breaks("ssm-secure-string-customer-key", "a secure string without a key", one(parameter, in{"type": "SecureString", "value": Secret{"s"}}), "keyId has no key."),
		breaks("ssm-secure-string-customer-key", "a secure string under AWS's own key", one(parameter, in{"type": "SecureString", "keyId": "alias/aws/ssm", "value": Secret{"s"}}), `keyId is "alias/aws/ssm", which is AWS's own key.`),
		keeps("ssm-secure-string-customer-key", "a secure string under a key", one(parameter, in{"type": "SecureString", "keyId": key, "value": Secret{"s"}})),
		keeps("ssm-secure-string-customer-key", "a plain parameter has no key", one(parameter, in{"type": "String", "value": "5"})),

		breaks("state-machine-customer-key", "AWS's own key is Step Functions' default", one(stateMachine, in{"definition": "{}"}), "encryptionConfiguration.type is not CUSTOMER_MANAGED_KMS_KEY."),
		breaks("state-machine-customer-key", "the type without the key", one(stateMachine, in{"encryptionConfiguration": in{"type": "CUSTOMER_MANAGED_KMS_KEY"}}), "encryptionConfiguration.kmsKeyId has no key."),
		breaks("state-machine-customer-key", "the type with AWS's key", one(stateMachine, in{"encryptionConfiguration": in{"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": "alias/aws/states"}}), `encryptionConfiguration.kmsKeyId is "alias/aws/states", which is AWS's own key.`),
		keeps("state-machine-customer-key", "a customer-managed key", one(stateMachine, in{"encryptionConfiguration": in{"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": key}})),

		breaks("function-environment-key", "variables without a key", one(function, in{"environment": in{"variables": in{"A": "b"}}}), "kmsKeyArn has no key."),
		breaks("function-environment-key", "variables under AWS's own key", one(function, in{"environment": in{"variables": in{"A": "b"}}, "kmsKeyArn": "alias/aws/lambda"}), `kmsKeyArn is "alias/aws/lambda", which is AWS's own key.`),
		keeps("function-environment-key", "variables under a key", one(function, in{"environment": in{"variables": in{"A": "b"}}, "kmsKeyArn": key})),
		keeps("function-environment-key", "no variables", one(function, in{"handler": "h"})),

		breaks("kms-rotation", "a key that doesn't rotate", one(kmsKey, in{"description": "d"}), "enableKeyRotation is not true."),
		breaks("kms-rotation", "a symmetric key, said so, that doesn't rotate", one(kmsKey, in{"customerMasterKeySpec": "SYMMETRIC_DEFAULT", "enableKeyRotation": false}), "enableKeyRotation is not true."),
		keeps("kms-rotation", "a key of a store outside KMS can't rotate", one(kmsKey, in{"customKeyStoreId": "cks-1"})),
		keeps("kms-rotation", "a key that rotates", one(kmsKey, in{"enableKeyRotation": true})),
		keeps("kms-rotation", "a key to sign with can't rotate", one(kmsKey, in{"customerMasterKeySpec": "RSA_2048"})),

		breaks("kms-not-open", "a key for everyone", one(kmsKey, in{"policy": statement(in{"Sid": "Open", "Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"})}), "policy lets everyone in through statement Open."),
		breaks("kms-not-open", "a replica for everyone, spelt as AWS principals", one("aws:kms/replicaKey:ReplicaKey", in{"policy": statement(in{"Effect": "Allow", "Principal": in{"AWS": "*"}, "Action": "kms:Decrypt", "Resource": "*"})}), "policy lets everyone in through a statement without Sid."),
		breaks("kms-not-open", "a condition that also holds without its key", one(kmsKey, in{"policy": statement(in{"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*", "Condition": in{"ForAllValues:StringEquals": in{"kms:CallerAccount": Account}}})}), "policy lets everyone in"),
		breaks("kms-not-open", "any account's log groups", one(kmsKey, in{"policy": statement(in{"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*", "Condition": in{"ArnLike": in{"kms:EncryptionContext:aws:logs:arn": "arn:aws:logs:us-east-1:*:log-group:*"}}})}), "policy lets everyone in"),
		keeps("kms-not-open", "the account's log groups", one(kmsKey, in{"policy": statement(in{"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*", "Condition": in{"ArnLike": in{"kms:EncryptionContext:aws:logs:arn": "arn:aws:logs:us-east-1:111122223333:log-group:*"}}})})),
		keeps("kms-not-open", "what was encrypted for one purpose", one(kmsKey, in{"policy": statement(in{"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*", "Condition": in{"StringEquals": in{"kms:EncryptionContext:purpose": "shop-7f3a"}}})})),
		keeps("kms-not-open", "a key for the account's principals", one(kmsKey, in{"policy": statement(in{"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*", "Condition": in{"StringEquals": in{"kms:CallerAccount": Account}}})})),
		keeps("kms-not-open", "a key that is denied to everyone", one(kmsKey, in{"policy": statement(in{"Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"})})),
		keeps("kms-not-open", "a key for the account", one(kmsKey, in{"policy": statement(in{"Effect": "Allow", "Principal": in{"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*", "Resource": "*"})})),

		breaks("kms-explicit-policy", "a key with KMS's own policy", one(kmsKey, in{"description": "d"}), "policy is missing."),
		keeps("kms-explicit-policy", "a key with a policy", one(kmsKey, in{"policy": statement(in{"Effect": "Allow", "Principal": in{"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*", "Resource": "*"})})),

		breaks("queue-policy", "a queue without a policy", one("aws:sqs/queue:Queue", in{"name": "open-queue"}), "policy is missing."),
		keeps("queue-policy", "a queue with a policy", []Resource{
			{Name: "it", Type: "aws:sqs/queue:Queue", Inputs: in{"name": "closed-queue"}},
			{Name: "policy", Type: queuePolicy, Inputs: in{"queueUrl": Ref{"it", "url"}, "policy": statement(noTLS)}},
		}),
		keeps("queue-policy", "a queue with a policy within it", one("aws:sqs/queue:Queue", in{"name": "self-closed", "policy": statement(noTLS)})),

		breaks("queue-policy-tls", "a policy that only allows", one(queuePolicy, in{"policy": statement(in{"Effect": "Allow", "Principal": in{"AWS": Account}, "Action": "sqs:SendMessage", "Resource": ownARN})}), "policy doesn't deny everyone sqs:SendMessage without TLS."),
		breaks("queue-policy-tls", "a denial that asks for TLS to be there", tls(in{"Condition": in{"Bool": in{"aws:SecureTransport": "true"}}}), "policy doesn't deny"),
		breaks("queue-policy-tls", "a denial for one account", tls(in{"Principal": in{"AWS": Account}}), "policy doesn't deny"),
		breaks("queue-policy-tls", "a permission in place of a denial", tls(in{"Effect": "Allow"}), "policy doesn't deny"),
		breaks("queue-policy-tls", "a denial of one action", tls(in{"Action": "sqs:SendMessage"}), "policy doesn't deny everyone sqs:ReceiveMessage"),
		breaks("queue-policy-tls", "a denial of all but what matters", tls(in{"Action": list{}, "NotAction": "sqs:*Message"}), "policy doesn't deny everyone sqs:SendMessage"),
		breaks("queue-policy-tls", "a denial on another queue", tls(in{"Resource": "arn:aws:sqs:us-east-1:111122223333:invoices"}), "policy doesn't deny"),
		breaks("queue-policy-tls", "a denial on another account's queue", tls(in{"Resource": "arn:aws:sqs:*:999988887777:orders"}), "policy doesn't deny"),
		breaks("queue-policy-tls", "a denial on another topic", one("aws:sns/topicPolicy:TopicPolicy", in{"arn": "arn:aws:sns:us-east-1:111122223333:orders", "policy": in{"Statement": noTLSOf("sns:Publish", "arn:aws:sns:eu-west-1:111122223333:orders")}}), "policy doesn't deny"),
		keeps("queue-policy-tls", "a denial on the topic", one("aws:sns/topicPolicy:TopicPolicy", in{"arn": "arn:aws:sns:us-east-1:111122223333:orders", "policy": in{"Statement": noTLSOf("sns:Publish", "arn:aws:sns:us-east-1:111122223333:orders")}})),
		breaks("queue-policy-tls", "a denial for everyone but one", tls(in{"Principal": nil, "NotPrincipal": in{"AWS": Account}}), "policy doesn't deny"),
		breaks("queue-policy-tls", "a denial with a second condition", tls(in{"Condition": in{"Bool": in{"aws:SecureTransport": "false"}, "StringEquals": in{"aws:PrincipalAccount": Account}}}), "policy doesn't deny"),
		breaks("queue-policy-tls", "a denial on another key", tls(in{"Condition": in{"Bool": in{"aws:ViaAWSService": "false"}}}), "policy doesn't deny"),
		breaks("queue-policy-tls", "a denial by another operator", tls(in{"Condition": in{"Null": in{"aws:SecureTransport": "false"}}}), "policy doesn't deny"),
		breaks("queue-policy-tls", "a queue with a policy within it that only allows", one(queue, in{"policy": statement(in{"Effect": "Allow", "Principal": in{"AWS": Account}, "Action": "sqs:SendMessage", "Resource": ownARN})}), "policy doesn't deny"),
		breaks("queue-policy-tls", "a topic with a policy within it that only allows", one("aws:sns/topic:Topic", in{"name": "t", "policy": statement(in{"Effect": "Allow", "Principal": in{"AWS": Account}, "Action": "sns:Publish", "Resource": "*"})}), "policy doesn't deny everyone sns:Publish"),
		keeps("queue-policy-tls", "a queue without a policy is another rule's", one(queue, in{"name": "q"})),
		keeps("queue-policy-tls", "a queue with a policy within it that denies plain HTTP", one(queue, in{"name": "orders", "policy": statement(noTLS)})),
		keeps("queue-policy-tls", "a denial where the key is present", tls(in{"Condition": in{"BoolIfExists": in{"aws:SecureTransport": "False"}}})),
		keeps("queue-policy-tls", "a denial in two statements, as the queue is called", one(queuePolicy, in{"queueUrl": "https://sqs.us-east-1.amazonaws.com/111122223333/orders", "policy": in{"Statement": list{
			noTLSOf("sqs:ReceiveMessage", ownARN), noTLSOf("SQS:Send*", "arn:aws:sqs:*:*:ord?rs"),
		}}})),
		breaks("queue-policy-tls", "a topic whose policy denies nothing", one("aws:sns/topicPolicy:TopicPolicy", in{"policy": statement(in{"Effect": "Allow", "Principal": in{"AWS": Account}, "Action": "sns:Publish", "Resource": ownARN})}), "policy doesn't deny"),
		keeps("queue-policy-tls", "a policy that denies plain HTTP", tls(nil)),
	)
}
