package cases

func identityCases() []Case {
	const (
		role, rolePolicy = "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy"
		queuePolicy      = "aws:sqs/queuePolicy:QueuePolicy"
		permission       = "aws:lambda/permission:Permission"
		actions          = "iam-action-wildcard"
		resources        = "iam-resource-wildcard"
		deputy           = "iam-confused-deputy"
		public           = "resource-policy-public"
		service          = "resource-policy-confused-deputy"
		federated        = "iam-federated-trust"
		github           = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"
		claim            = "token.actions.githubusercontent.com:"
		cluster          = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/1A2B"
		issuer           = "oidc.eks.us-east-1.amazonaws.com/id/1A2B:"
		fileSystemPolicy = "aws:efs/fileSystemPolicy:FileSystemPolicy"
		busPermission    = "aws:cloudwatch/eventPermission:EventPermission"
	)
	allow := func(actions, resources any) in {
		return statement(in{"Sid": "Do", "Effect": "Allow", "Action": actions, "Resource": resources})
	}
	trust := func(members in) []Resource {
		members["Effect"], members["Action"] = "Allow", "sts:AssumeRole"
		return one(role, in{"assumeRolePolicy": statement(members)})
	}
	// given is a queue that everyone of a kind may send to, on a condition.
	given := func(kind string, condition any) []Resource {
		members := in{"Effect": "Allow", "Principal": in{kind: "*"}, "Action": "sqs:SendMessage", "Resource": ownARN}
		if condition != nil {
			members["Condition"] = condition
		}
		return one(queuePolicy, in{"policy": statement(members)})
	}
	forQueue := func(members in) []Resource { return one(queuePolicy, in{"policy": statement(members)}) }
	return []Case{
		breaks(actions, "all actions of a service", one(rolePolicy, in{"policy": allow("sqs:*", ownARN)}), "policy allows sqs:* in statement Do."),
		breaks(actions, "a family of actions", one("aws:iam/policy:Policy", in{"policy": allow(texts("sqs:ListQueues", "sqs:Send*"), ownARN)}), "policy allows sqs:Send* in statement Do."),
		breaks(actions, "an inline policy of a role", one(role, in{"inlinePolicies": list{in{"name": "a", "policy": allow("sqs:SendMessage", ownARN)}, in{"name": "b", "policy": allow("sqs:*", ownARN)}}}), "inlinePolicies[1].policy allows sqs:*"),
		breaks(actions, "all actions but some", one(rolePolicy, in{"policy": statement(in{"Effect": "Allow", "NotAction": "iam:*", "Resource": ownARN})}), "policy allows all but some actions in a statement without Sid."),
		breaks(actions, "a family of actions without a star", one(rolePolicy, in{"policy": allow("s3:GetObject?cl", ownARN)}), "policy allows s3:GetObject?cl in statement Do."),
		keeps(actions, "a list of actions", one(rolePolicy, in{"policy": allow(texts("sqs:SendMessage", "sqs:ReceiveMessage"), ownARN)})),
		keeps(actions, "a denial of everything", one(rolePolicy, in{"policy": statement(in{"Effect": "Deny", "Action": "*", "Resource": "*"})})),
		keeps(actions, "a wildcard that the firm allows", one(rolePolicy, in{"policy": allow("S3:get*", ownARN)})).with("allowedActions", texts("s3:*")),
		keeps(actions, "a trust policy holds no permissions", one(role, in{"policy": allow("sqs:*", ownARN)})),

		breaks(resources, "an action on every resource", one(rolePolicy, in{"policy": allow("sqs:SendMessage", "*")}), "policy allows sqs:SendMessage on every resource in statement Do."),
		breaks(resources, "one of several resources is every one", one(rolePolicy, in{"policy": allow("sqs:SendMessage", texts(ownARN, "*"))}), "policy allows sqs:SendMessage on every"),
		breaks(resources, "every resource but some", one(rolePolicy, in{"policy": statement(in{"Effect": "Allow", "Action": "sqs:SendMessage", "NotResource": ownARN})}), "policy allows sqs:SendMessage on every"),
		breaks(resources, "all but some actions on every resource", one(rolePolicy, in{"policy": statement(in{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"})}), "policy allows all but some actions on every resource in a statement without Sid."),
		breaks(resources, "every resource of AWS", one(rolePolicy, in{"policy": allow("sqs:SendMessage", "arn:aws:*")}), "policy allows sqs:SendMessage on every"),
		breaks(resources, "every table of every account", one(rolePolicy, in{"policy": allow("dynamodb:DeleteTable", "arn:aws:dynamodb:*:*:table/*")}), "policy allows dynamodb:DeleteTable on every"),
		breaks(resources, "every bucket", one(rolePolicy, in{"policy": allow("s3:GetObject", "arn:aws:s3:::*/*")}), "policy allows s3:GetObject on every"),
		breaks(resources, "every resource with a tag", one(rolePolicy, in{"policy": statement(in{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*", "Condition": in{"StringLike": in{"aws:ResourceTag/team": "*"}}})}), "policy allows sqs:SendMessage on every"),
		breaks(resources, "every resource of a region", one(rolePolicy, in{"policy": statement(in{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*", "Condition": in{"StringEquals": in{"aws:RequestedRegion": "us-east-1"}}})}), "policy allows sqs:SendMessage on every"),
		keeps(resources, "the resources of the caller's team", one(rolePolicy, in{"policy": statement(in{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*", "Condition": in{"StringEquals": in{"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}}})})),
		keeps(resources, "keys by their alias", one(rolePolicy, in{"policy": statement(in{"Effect": "Allow", "Action": "kms:Encrypt", "Resource": "*", "Condition": in{"ForAnyValue:StringLike": in{"kms:ResourceAliases": "alias/shop-*"}}})})),
		keeps(resources, "every object of a bucket", one(rolePolicy, in{"policy": allow("s3:GetObject", "arn:aws:s3:::shop-orders/*")})),
		keeps(resources, "the account's log groups", one(rolePolicy, in{"policy": allow("logs:CreateLogGroup", "arn:aws:logs:us-east-1:111122223333:*")})),
		keeps(resources, "what Lambda demands of a role in a VPC", one(rolePolicy, in{"policy": allow(texts("ec2:CreateNetworkInterface", "ec2:DescribeSubnets", "ec2:DeleteNetworkInterface"), "*")})),
		keeps(resources, "an action that knows no resource", one(rolePolicy, in{"policy": allow(texts("xray:PutTraceSegments", "cognito-idp:listuserpools", "ssm:DescribeParameters"), "*")})),
		keeps(resources, "a part of an account's resources", one(rolePolicy, in{"policy": allow("sqs:SendMessage", "arn:aws:sqs:us-east-1:111122223333:shop-*")})),

		breaks("iam-no-administrator", "everything on everything", one(rolePolicy, in{"policy": allow(texts("s3:GetObject", "*"), texts("*"))}), "policy allows everything, or granting it, on everything in statement Do."),
		breaks("iam-no-administrator", "every action of every service on every ARN", one(rolePolicy, in{"policy": allow("*:*", "arn:*:*:*:*:*")}), "policy allows everything"),
		breaks("iam-no-administrator", "all of IAM on the account's roles", one(rolePolicy, in{"policy": allow("IAM:*", "arn:aws:iam::111122223333:role/*")}), "policy allows everything, or granting it"),
		breaks("iam-no-administrator", "all but a bucket's actions", one(rolePolicy, in{"policy": statement(in{"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"})}), "policy allows everything"),
		keeps("iam-no-administrator", "all but IAM's actions", one(rolePolicy, in{"policy": statement(in{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"})})),
		keeps("iam-no-administrator", "IAM's reads", one(rolePolicy, in{"policy": allow("iam:Get*", "*")})),
		keeps("iam-no-administrator", "everything on one queue", one(rolePolicy, in{"policy": allow("*", ownARN)})),
		keeps("iam-no-administrator", "one action on everything", one(rolePolicy, in{"policy": allow("sqs:SendMessage", "*")})),

		breaks("iam-no-administrator-attached", "AdministratorAccess attached", one("aws:iam/rolePolicyAttachment:RolePolicyAttachment", in{"role": "r", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}), "policyArn attaches AdministratorAccess."),
		breaks("iam-no-administrator-attached", "a role with IAMFullAccess", one(role, in{"managedPolicyArns": texts("arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::aws:policy/IAMFullAccess")}), "managedPolicyArns attaches IAMFullAccess."),
		keeps("iam-no-administrator-attached", "a service's own policy", one("aws:iam/rolePolicyAttachment:RolePolicyAttachment", in{"role": "r", "policyArn": "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"})),

		breaks("iam-decrypt-all-keys", "decrypting by every key of the account", one(rolePolicy, in{"policy": allow("kms:Decrypt", "arn:aws:kms:us-east-1:111122223333:key/*")}), "policy allows decryption with every key in statement Do."),
		breaks("iam-decrypt-all-keys", "encrypting anew by every key", one(rolePolicy, in{"policy": allow("kms:ReEncrypt*", "*")}), "policy allows decryption with every key"),
		breaks("iam-decrypt-all-keys", "all but some actions, in capitals", one(rolePolicy, in{"policy": statement(in{"Effect": "Allow", "NotAction": "KMS:ENCRYPT", "Resource": "arn:aws:kms:*"})}), "policy allows decryption with every key"),
		breaks("iam-decrypt-all-keys", "whatever is in KMS", one(rolePolicy, in{"policy": allow("kms:decrypt", "arn:aws:kms:us-east-1:111122223333:*")}), "policy allows decryption with every key"),
		breaks("iam-decrypt-all-keys", "every multi-Region key", one(rolePolicy, in{"policy": allow("kms:Decrypt", "arn:aws:kms:*:111122223333:key/mrk-*")}), "policy allows decryption with every key"),
		breaks("iam-decrypt-all-keys", "keys of the length of a key", one(rolePolicy, in{"policy": allow("kms:Decrypt", "arn:aws:kms:us-east-1:111122223333:key/????????-????-????-????-????????????")}), "policy allows decryption with every key"),
		breaks("iam-decrypt-all-keys", "every key but one", one(rolePolicy, in{"policy": statement(in{"Effect": "Allow", "Action": "kms:Decrypt", "NotResource": key})}), "policy allows decryption with every key"),
		keeps("iam-decrypt-all-keys", "keys that begin alike", one(rolePolicy, in{"policy": allow("kms:Decrypt", "arn:aws:kms:us-east-1:111122223333:key/1234abcd-*")})),
		keeps("iam-decrypt-all-keys", "all but decrypting", one(rolePolicy, in{"policy": statement(in{"Effect": "Allow", "NotAction": texts("kms:De*", "kms:ReEncrypt*"), "Resource": "*"})})),
		keeps("iam-decrypt-all-keys", "decrypting by one key", one(rolePolicy, in{"policy": allow("kms:Decrypt", key)})),
		keeps("iam-decrypt-all-keys", "encrypting by every key", one(rolePolicy, in{"policy": allow("kms:Encrypt", "*")})),
		keeps("iam-decrypt-all-keys", "objects that are called keys", one(rolePolicy, in{"policy": allow("kms:Decrypt", "bucket:key/*")})),

		breaks("iam-trust-everyone", "a role for everyone", trust(in{"Principal": in{"AWS": "*"}}), "assumeRolePolicy lets everyone in through a statement without Sid."),
		breaks("iam-trust-everyone", "a role for everyone but one", trust(in{"NotPrincipal": in{"AWS": Account}}), "assumeRolePolicy lets everyone in"),
		breaks("iam-trust-everyone", "a condition that only holds where it can", trust(in{"Principal": "*", "Condition": in{"StringEqualsIfExists": in{"aws:PrincipalOrgID": "o-1"}}}), "assumeRolePolicy lets everyone in"),
		keeps("iam-trust-everyone", "a role for an organisation", trust(in{"Principal": "*", "Condition": in{"StringEquals": in{"aws:PrincipalOrgID": "o-1"}}})),
		breaks("iam-trust-everyone", "a role for any identity provider", trust(in{"Principal": in{"Federated": "*"}}), "assumeRolePolicy lets everyone in"),
		breaks("iam-trust-everyone", "a role for an account", trust(in{"Principal": in{"AWS": "arn:aws:iam::111122223333:root"}}), "assumeRolePolicy trusts all of account 111122223333."),
		breaks("iam-trust-everyone", "a role for an account by its id", trust(in{"Principal": in{"AWS": texts("arn:aws:iam::111122223333:role/ci", "999988887777")}}), "assumeRolePolicy trusts all of account 999988887777."),
		breaks("iam-trust-everyone", "a role for any role of an account", trust(in{"Principal": in{"AWS": Account}, "Condition": in{"ArnLike": in{"aws:PrincipalArn": "arn:aws:iam::111122223333:role/*"}}}), "assumeRolePolicy trusts all of account"),
		breaks("iam-trust-everyone", "an account of an organisation", trust(in{"Principal": in{"AWS": Account}, "Condition": in{"StringEquals": in{"aws:PrincipalOrgID": "o-1"}}}), "assumeRolePolicy trusts all of account"),
		keeps("iam-trust-everyone", "a role for another role", trust(in{"Principal": in{"AWS": "arn:aws:iam::111122223333:role/ci"}})),
		keeps("iam-trust-everyone", "a role for an account's deployers", trust(in{"Principal": in{"AWS": Account}, "Condition": in{"ArnLike": in{"aws:PrincipalArn": "arn:aws:iam::111122223333:role/deploy-*"}}})),
		keeps("iam-trust-everyone", "a role for a service provider that says whom it serves", trust(in{"Principal": in{"AWS": "999988887777"}, "Condition": in{"StringEquals": in{"sts:ExternalId": "7f3a"}}})),
		keeps("iam-trust-everyone", "a role for people with a second factor", trust(in{"Principal": in{"AWS": Account}, "Condition": in{"Bool": in{"aws:MultiFactorAuthPresent": "true"}}})),
		keeps("iam-trust-everyone", "a role for an account that the firm trusts", trust(in{"Principal": in{"AWS": Account}})).with("accounts", texts("1111*")),

		breaks(deputy, "a service that takes the role for any caller", trust(in{"Principal": in{"Service": texts("ec2.amazonaws.com", "events.amazonaws.com")}}), "assumeRolePolicy trusts events.amazonaws.com for any caller."),
		breaks(deputy, "a condition that every account meets", trust(in{"Principal": in{"Service": "events.amazonaws.com"}, "Condition": in{"StringLike": in{"aws:SourceAccount": "*"}}}), "assumeRolePolicy trusts"),
		breaks(deputy, "a bucket, which any account may have had", trust(in{"Principal": in{"Service": "s3.amazonaws.com"}, "Condition": in{"ArnLike": in{"aws:SourceArn": "arn:aws:s3:::shop"}}}), "assumeRolePolicy trusts s3.amazonaws.com for any caller."),
		keeps(deputy, "services that don't say for whom, in any partition", trust(in{"Principal": in{"Service": texts("cloudtrail.amazonaws.com", "ec2.amazonaws.com.cn")}})),
		keeps(deputy, "a service that takes the role for the account", trust(in{"Principal": in{"Service": "events.amazonaws.com"}, "Condition": in{"StringEquals": in{"aws:SourceAccount": Account}}})),
		keeps(deputy, "an account, which is no service", trust(in{"Principal": in{"AWS": "arn:aws:iam::111122223333:root"}})),
		keeps(deputy, "a service that the firm excepts", trust(in{"Principal": in{"Service": "events.amazonaws.com"}})).with("exceptServices", texts("events.*")),

		breaks(federated, "every repository of GitHub", trust(in{"Principal": in{"Federated": github}, "Condition": in{"StringEquals": in{claim + "aud": "sts.amazonaws.com"}}}), "assumeRolePolicy trusts every identity of token.actions.githubusercontent.com."),
		breaks(federated, "a subject that any repository has", trust(in{"Principal": in{"Federated": github}, "Condition": in{"StringLike": in{claim + "sub": "repo:*:ref:refs/heads/main"}}}), "assumeRolePolicy trusts every"),
		breaks(federated, "a subject that is anything", trust(in{"Principal": in{"Federated": github}, "Condition": in{"StringLike": in{claim + "sub": texts("repo:firm/shop:*", "*")}}}), "assumeRolePolicy trusts every"),
		breaks(federated, "all subjects but one", trust(in{"Principal": in{"Federated": github}, "Condition": in{"StringNotEquals": in{claim + "sub": "repo:firm/shop:ref:refs/heads/main"}}}), "assumeRolePolicy trusts every"),
		breaks(federated, "a subject that begins like anybody's", trust(in{"Principal": in{"Federated": github}, "Condition": in{"StringLike": in{claim + "sub": "repo:fir*"}}}), "assumeRolePolicy trusts every"),
		breaks(federated, "a subject with another repository's branch", trust(in{"Principal": in{"Federated": github}, "Condition": in{"StringEquals": in{claim + "sub": "ref:refs/heads/main"}}}), "assumeRolePolicy trusts every"),
		breaks(federated, "a subject that needs not be there", trust(in{"Principal": in{"Federated": github}, "Condition": in{"ForAllValues:StringEquals": in{claim + "sub": "repo:firm/shop:ref:refs/heads/main"}}}), "assumeRolePolicy trusts every"),
		breaks(federated, "an audience that every workflow may ask for", trust(in{"Principal": in{"Federated": github}, "Condition": in{"StringEquals": in{claim + "aud": "firm"}}}), "assumeRolePolicy trusts every"),
		breaks(federated, "every user of Cognito", trust(in{"Principal": in{"Federated": "cognito-identity.amazonaws.com"}, "Condition": in{"ForAnyValue:StringLike": in{"cognito-identity.amazonaws.com:amr": "authenticated"}}}), "assumeRolePolicy trusts every identity of cognito-identity.amazonaws.com."),
		breaks(federated, "every service account of a cluster", trust(in{"Principal": in{"Federated": cluster}, "Condition": in{"StringLike": in{issuer + "sub": "system:serviceaccount:*:orders"}, "StringEquals": in{issuer + "aud": "sts.amazonaws.com"}}}), "assumeRolePolicy trusts every"),
		keeps(federated, "the service accounts of a namespace", trust(in{"Principal": in{"Federated": cluster}, "Condition": in{"StringLike": in{issuer + "sub": "system:serviceaccount:shop:*"}}})),
		keeps(federated, "one application of a firm's provider", trust(in{"Principal": in{"Federated": "arn:aws:iam::111122223333:oidc-provider/login.firm.example"}, "Condition": in{"StringEquals": in{"login.firm.example:aud": "shop"}}})),
		keeps(federated, "the repositories of a firm", trust(in{"Principal": in{"Federated": github}, "Condition": in{"StringLike": in{claim + "repository": "firm/*"}}})),
		keeps(federated, "the users of one identity pool", trust(in{"Principal": in{"Federated": "cognito-identity.amazonaws.com"}, "Condition": in{"StringEquals": in{"cognito-identity.amazonaws.com:aud": "us-east-1:1234"}}})),
		keeps(federated, "any provider is another rule's", trust(in{"Principal": in{"Federated": "*"}})),
		keeps(federated, "the main branch of one repository", trust(in{"Principal": in{"Federated": github}, "Condition": in{"StringEquals": in{claim + "aud": "sts.amazonaws.com", claim + "sub": "repo:firm/shop:ref:refs/heads/main"}}})),
		keeps(federated, "a firm's own provider for people is no such one", trust(in{"Principal": in{"Federated": "arn:aws:iam::111122223333:saml-provider/firm"}})),

		breaks(public, "a queue that everyone may send to", forQueue(in{"Sid": "Send", "Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": ownARN}), "policy lets everyone in through statement Send."),
		breaks(public, "a template whose repositories everyone may read", one("aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate", in{"repositoryPolicy": statement(in{"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"})}), "repositoryPolicy lets everyone in"),
		breaks(public, "a queue that everyone may send to, in small letters", one(queuePolicy, in{"policy": in{"statement": in{"effect": "Allow", "principal": in{"aws": texts(Account, "*")}, "action": "sqs:SendMessage", "resource": ownARN}}}), "policy lets everyone in"),
		breaks(public, "a secret with a policy within it", one("aws:secretsmanager/secret:Secret", in{"policy": statement(in{"Effect": "Allow", "Principal": "*", "Action": "secretsmanager:GetSecretValue", "Resource": "*"})}), "policy lets everyone in"),
		breaks(public, "any account's root", forQueue(in{"Effect": "Allow", "Principal": in{"AWS": "arn:aws:iam::*:root"}, "Action": "sqs:SendMessage", "Resource": ownARN}), "policy lets everyone in"),
		breaks(public, "a file system for everyone", one(fileSystemPolicy, in{"policy": statement(in{"Effect": "Allow", "Principal": "*", "Action": "elasticfilesystem:ClientMount", "Resource": "*", "Condition": in{"Bool": in{"elasticfilesystem:AccessedViaMountTarget": "false"}}})}), "policy lets everyone in"),
		keeps(public, "a file system for whoever is in its network", one(fileSystemPolicy, in{"policy": statement(in{"Effect": "Allow", "Principal": "*", "Action": "elasticfilesystem:ClientMount", "Resource": "*", "Condition": in{"Bool": in{"elasticfilesystem:AccessedViaMountTarget": "true"}}})})),
		breaks(public, "every service", given("Service", nil), "policy lets everyone in"),
		breaks(public, "any account's topics", given("AWS", in{"ArnLike": in{"aws:SourceArn": texts("arn:aws:sns:us-east-1:111122223333:t", "arn:aws:sns:*:*:t")}}), "policy lets everyone in"),
		breaks(public, "an account of any twelve digits", given("AWS", in{"StringLike": in{"aws:SourceAccount": "????????????"}}), "policy lets everyone in"),
		breaks(public, "an organisation that needs not be there", given("AWS", in{"ForAllValues:StringEquals": in{"aws:PrincipalOrgID": "o-1"}}), "policy lets everyone in"),
		breaks(public, "any organisation's unit", given("AWS", in{"ForAnyValue:StringLike": in{"aws:PrincipalOrgPaths": "*/r-1/*"}}), "policy lets everyone in"),
		breaks(public, "the caller's own account", given("AWS", in{"StringEquals": in{"aws:PrincipalAccount": "${aws:PrincipalAccount}"}}), "policy lets everyone in"),
		breaks(public, "no account at all", given("AWS", in{"StringEquals": in{"aws:SourceAccount": list{}}}), "policy lets everyone in"),
		breaks(public, "the world in two halves", given("AWS", in{"IpAddress": in{"aws:SourceIp": texts("0.0.0.0/1", "128.0.0.0/1")}}), "policy lets everyone in"),
		breaks(public, "everywhere but an office", given("AWS", in{"NotIpAddress": in{"aws:SourceIp": "203.0.113.0/24"}}), "policy lets everyone in"),
		breaks(public, "a private range, which every VPC may have", given("AWS", in{"IpAddress": in{"aws:VpcSourceIp": "10.0.0.0/8"}}), "policy lets everyone in"),
		keeps(public, "an organisation's unit", given("AWS", in{"ForAnyValue:StringLike": in{"aws:PrincipalOrgPaths": "o-1/r-1/*"}})),
		keeps(public, "an organisation that has to be there", given("AWS", in{"ForAllValues:StringEquals": in{"aws:PrincipalOrgID": "o-1"}, "Null": in{"AWS:principalorgid": "false"}})),
		keeps(public, "the account of the queue", given("AWS", in{"StringEqualsIgnoreCase": in{"aws:PrincipalAccount": "${aws:ResourceAccount}"}})),
		keeps(public, "a star where it is no wildcard, which no account has", given("AWS", in{"StringEquals": in{"aws:SourceAccount": "*"}})),
		keeps(public, "an office and one address", given("AWS", in{"IpAddress": in{"aws:SourceIp": texts("203.0.113.0/24", "198.51.100.7")}})),
		keeps(public, "roles of the account", given("AWS", in{"ArnEquals": in{"aws:PrincipalArn": "arn:aws:iam::111122223333:role/*"}})),
		breaks(public, "a bus that everyone may send to", one(busPermission, in{"principal": "*", "statementId": "s"}), "principal is everyone."),
		breaks(public, "a bus that every organisation may send to", one(busPermission, in{"principal": "*", "condition": in{"key": "aws:PrincipalOrgID", "type": "StringLike", "value": "o-*"}}), "principal is everyone."),
		keeps(public, "a bus that an organisation may send to", one(busPermission, in{"principal": "*", "condition": in{"key": "aws:PrincipalOrgID", "type": "StringEquals", "value": "o-1"}})),
		keeps(public, "a bus that an account may send to", one(busPermission, in{"principal": Account})),
		keeps(public, "a queue that the account may send to", forQueue(in{"Effect": "Allow", "Principal": in{"AWS": Account}, "Action": "sqs:SendMessage", "Resource": ownARN})),
		keeps(public, "a queue that one rule may send to", forQueue(in{"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": ownARN, "Condition": in{"ArnEquals": in{"aws:SourceArn": "arn:aws:events:us-east-1:111122223333:rule/r"}}})),
		keeps(public, "a queue that denies everyone", forQueue(in{"Effect": "Deny", "Principal": "*", "Action": "sqs:SendMessage", "Resource": ownARN})),

		breaks(service, "a service that sends for any caller", forQueue(in{"Sid": "Events", "Effect": "Allow", "Principal": in{"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": ownARN}), "policy lets events.amazonaws.com in for any caller through statement Events."),
		keeps(service, "a service that sends for one rule", forQueue(in{"Effect": "Allow", "Principal": in{"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": ownARN, "Condition": in{"ArnEquals": in{"aws:SourceArn": "arn:aws:events:us-east-1:111122223333:rule/r"}}})),
		keeps(service, "an account, which is no service", forQueue(in{"Effect": "Allow", "Principal": in{"AWS": Account}, "Action": "sqs:SendMessage", "Resource": ownARN})),

		breaks("resource-policy-action-wildcard", "an account that may do everything with a queue", forQueue(in{"Sid": "All", "Effect": "Allow", "Principal": in{"AWS": Account}, "Action": texts("sqs:SendMessage", "sqs:*"), "Resource": ownARN}), "policy allows sqs:* in statement All."),
		breaks("resource-policy-action-wildcard", "a star's shorter cousin", forQueue(in{"Sid": "All", "Effect": "Allow", "Principal": in{"AWS": Account}, "Action": "sqs:SendMessag?", "Resource": ownARN}), "policy allows sqs:SendMessag? in statement All."),
		breaks("resource-policy-action-wildcard", "all actions but one", forQueue(in{"Sid": "All", "Effect": "Allow", "Principal": in{"AWS": Account}, "NotAction": "sqs:DeleteQueue", "Resource": ownARN}), "policy allows all but some actions in statement All."),
		keeps("resource-policy-action-wildcard", "an account that may send", forQueue(in{"Effect": "Allow", "Principal": in{"AWS": Account}, "Action": "sqs:SendMessage", "Resource": ownARN})),
		keeps("resource-policy-action-wildcard", "a denial of everything", forQueue(in{"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": ownARN})),

		breaks("event-bus-policy", "a bus without a policy", one("aws:cloudwatch/eventBus:EventBus", in{"name": "unguarded"}), "name is that of a bus without a policy."),
		keeps("event-bus-policy", "a bus with a policy", []Resource{
			{Name: "it", Type: "aws:cloudwatch/eventBus:EventBus", Inputs: in{"name": "guarded"}},
			{Name: "policy", Type: "aws:cloudwatch/eventBusPolicy:EventBusPolicy", Inputs: in{"eventBusName": Ref{"it", "name"}}},
		}),
		keeps("event-bus-policy", "a bus with a permission", []Resource{
			{Name: "it", Type: "aws:cloudwatch/eventBus:EventBus", Inputs: in{"name": "permitted"}},
			{Name: "permission", Type: busPermission, Inputs: in{"eventBusName": Ref{"it", "name"}, "principal": Account}},
		}),
		keeps("event-bus-policy", "a bus of a partner", one("aws:cloudwatch/eventBus:EventBus", in{"name": "partner", "eventSourceName": "aws.partner/example.com"})),

		breaks("function-permission-scoped", "a service that calls for any caller", one(permission, in{"principal": "events.amazonaws.com", "function": "f"}), `sourceArn is missing, but the principal is "events.amazonaws.com".`),
		breaks("function-permission-scoped", "a service of another partition", one(permission, in{"principal": "events.amazonaws.com.cn", "function": "f"}), "sourceArn is missing"),
		breaks("function-permission-scoped", "a bucket, which any account may have had", one(permission, in{"principal": "s3.amazonaws.com", "sourceArn": "arn:aws:s3:::shop", "function": "f"}), `sourceArn names no account, but the principal is "s3.amazonaws.com".`),
		breaks("function-permission-scoped", "any account's rules", one(permission, in{"principal": "events.amazonaws.com", "sourceArn": "arn:aws:events:us-east-1:*:rule/r", "function": "f"}), "sourceArn names no account"),
		keeps("function-permission-scoped", "a bucket of an account", one(permission, in{"principal": "s3.amazonaws.com", "sourceArn": "arn:aws:s3:::shop", "sourceAccount": Account})),
		keeps("function-permission-scoped", "a skill of Alexa", one(permission, in{"principal": "alexa-appkit.amazon.com", "eventSourceToken": "amzn1.ask.skill.1"})),
		keeps("function-permission-scoped", "a role with a dot", one(permission, in{"principal": "arn:aws:iam::111122223333:role/first.last"})),
		breaks("function-permission-scoped", "everyone may call", one(permission, in{"principal": "*", "function": "f"}), "sourceArn is missing"),
		keeps("function-permission-scoped", "a service that calls for one rule", one(permission, in{"principal": "events.amazonaws.com", "sourceArn": "arn:aws:events:us-east-1:111122223333:rule/r"})),
		keeps("function-permission-scoped", "a service that calls for an account", one(permission, in{"principal": "s3.amazonaws.com", "sourceAccount": Account})),
		keeps("function-permission-scoped", "everyone of an organisation may call", one(permission, in{"principal": "*", "principalOrgId": "o-1"})),
		keeps("function-permission-scoped", "an account may call", one(permission, in{"principal": Account})),

		breaks("function-url-authorized", "a URL without authorization", one("aws:lambda/functionUrl:FunctionUrl", in{"authorizationType": "NONE"}), "authorizationType is NONE."),
		keeps("function-url-authorized", "a URL with authorization", one("aws:lambda/functionUrl:FunctionUrl", in{"authorizationType": "AWS_IAM"})),

		breaks("iam-no-access-keys", "an access key", one("aws:iam/accessKey:AccessKey", in{"user": "u"}), "status is active."),
		keeps("iam-no-access-keys", "an access key that is switched off", one("aws:iam/accessKey:AccessKey", in{"user": "u", "status": "Inactive"})),

		breaks("iam-permissions-boundary", "a role without a boundary", one(role, in{"name": "r"}), "permissionsBoundary is missing."),
		breaks("iam-permissions-boundary", "a role with a boundary of its own", one(role, in{"permissionsBoundary": "arn:aws:iam::111122223333:policy/mine"}), `permissionsBoundary is "arn:aws:iam::111122223333:policy/mine". Allowed: arn:aws:iam::*:policy/ours.`).
			with("boundaries", texts("arn:aws:iam::*:policy/ours")),
		keeps("iam-permissions-boundary", "a role with a boundary", one(role, in{"permissionsBoundary": "arn:aws:iam::111122223333:policy/ours"})),
	}
}
