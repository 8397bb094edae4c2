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
	)
	allow := func(actions, resources any) in {
		return statement(in{"Sid": "Do", "Effect": "Allow", "Action": actions, "Resource": resources})
	}
	trust := func(members in) []Resource {
		members["Effect"], members["Action"] = "Allow", "sts:AssumeRole"
		return one(role, in{"assumeRolePolicy": statement(members)})
	}
	forQueue := func(members in) []Resource { return one(queuePolicy, in{"policy": statement(members)}) }
	return []Case{
		breaks(actions, "all actions of a service", one(rolePolicy, in{"policy": allow("sqs:*", ownARN)}), "policy allows sqs:* in statement Do."),
		breaks(actions, "a family of actions", one("aws:iam/policy:Policy", in{"policy": allow(texts("sqs:ListQueues", "sqs:Send*"), ownARN)}), "policy allows sqs:Send* in statement Do."),
		breaks(actions, "an inline policy of a role", one(role, in{"inlinePolicies": list{in{"name": "a", "policy": allow("sqs:SendMessage", ownARN)}, in{"name": "b", "policy": allow("sqs:*", ownARN)}}}), "inlinePolicies[1].policy allows sqs:*"),
		breaks(actions, "all actions but some", one(rolePolicy, in{"policy": statement(in{"Effect": "Allow", "NotAction": "iam:*", "Resource": ownARN})}), "policy allows all but some actions in a statement without Sid."),
		keeps(actions, "a list of actions", one(rolePolicy, in{"policy": allow(texts("sqs:SendMessage", "sqs:ReceiveMessage"), ownARN)})),
		keeps(actions, "a denial of everything", one(rolePolicy, in{"policy": statement(in{"Effect": "Deny", "Action": "*", "Resource": "*"})})),
		keeps(actions, "a wildcard that the firm allows", one(rolePolicy, in{"policy": allow("s3:Get*", ownARN)})).with("allowedActions", texts("s3:*")),
		keeps(actions, "a trust policy holds no permissions", one(role, in{"policy": allow("sqs:*", ownARN)})),

		breaks(resources, "an action on every resource", one(rolePolicy, in{"policy": allow("sqs:SendMessage", "*")}), "policy allows sqs:SendMessage on every resource in statement Do."),
		breaks(resources, "one of several resources is every one", one(rolePolicy, in{"policy": allow("sqs:SendMessage", texts(ownARN, "*"))}), "policy allows sqs:SendMessage on every"),
		breaks(resources, "every resource but some", one(rolePolicy, in{"policy": statement(in{"Effect": "Allow", "Action": "sqs:SendMessage", "NotResource": ownARN})}), "policy allows sqs:SendMessage on every"),
		keeps(resources, "what Lambda demands on all network interfaces", one(rolePolicy, in{"policy": allow("ec2:DeleteNetworkInterface", "*")})),
		keeps(resources, "an action that knows no resource", one(rolePolicy, in{"policy": allow(texts("xray:PutTraceSegments", "ec2:DescribeSubnets"), "*")})),
		keeps(resources, "a part of an account's resources", one(rolePolicy, in{"policy": allow("sqs:SendMessage", "arn:aws:sqs:us-east-1:111122223333:shop-*")})),

		breaks("iam-no-administrator", "everything on everything", one(rolePolicy, in{"policy": allow(texts("s3:GetObject", "*"), texts("*"))}), "policy allows everything on everything in statement Do."),
		keeps("iam-no-administrator", "everything on one queue", one(rolePolicy, in{"policy": allow("*", ownARN)})),
		keeps("iam-no-administrator", "one action on everything", one(rolePolicy, in{"policy": allow("sqs:SendMessage", "*")})),

		breaks("iam-no-administrator-attached", "AdministratorAccess attached", one("aws:iam/rolePolicyAttachment:RolePolicyAttachment", in{"role": "r", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}), "policyArn attaches AdministratorAccess."),
		breaks("iam-no-administrator-attached", "a role with IAMFullAccess", one(role, in{"managedPolicyArns": texts("arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::aws:policy/IAMFullAccess")}), "managedPolicyArns attaches IAMFullAccess."),
		keeps("iam-no-administrator-attached", "a service's own policy", one("aws:iam/rolePolicyAttachment:RolePolicyAttachment", in{"role": "r", "policyArn": "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"})),

		breaks("iam-decrypt-all-keys", "decrypting by every key of the account", one(rolePolicy, in{"policy": allow("kms:Decrypt", "arn:aws:kms:us-east-1:111122223333:key/*")}), "policy allows decryption with every key in statement Do."),
		breaks("iam-decrypt-all-keys", "encrypting anew by every key", one(rolePolicy, in{"policy": allow("kms:ReEncrypt*", "*")}), "policy allows decryption with every key"),
		keeps("iam-decrypt-all-keys", "decrypting by one key", one(rolePolicy, in{"policy": allow("kms:Decrypt", key)})),
		keeps("iam-decrypt-all-keys", "encrypting by every key", one(rolePolicy, in{"policy": allow("kms:Encrypt", "*")})),
		keeps("iam-decrypt-all-keys", "objects that are called keys", one(rolePolicy, in{"policy": allow("kms:Decrypt", "bucket:key/*")})),

		breaks("iam-trust-everyone", "a role for everyone", trust(in{"Principal": in{"AWS": "*"}}), "assumeRolePolicy lets everyone in through a statement without Sid."),
		breaks("iam-trust-everyone", "a role for everyone but one", trust(in{"NotPrincipal": in{"AWS": Account}}), "assumeRolePolicy lets everyone in"),
		breaks("iam-trust-everyone", "a condition that only holds where it can", trust(in{"Principal": "*", "Condition": in{"StringEqualsIfExists": in{"aws:PrincipalOrgID": "o-1"}}}), "assumeRolePolicy lets everyone in"),
		keeps("iam-trust-everyone", "a role for an organisation", trust(in{"Principal": "*", "Condition": in{"StringEquals": in{"aws:PrincipalOrgID": "o-1"}}})),
		keeps("iam-trust-everyone", "a role for an account", trust(in{"Principal": in{"AWS": "arn:aws:iam::111122223333:root"}})),

		breaks(deputy, "a service that takes the role for any caller", trust(in{"Principal": in{"Service": texts("ec2.amazonaws.com", "events.amazonaws.com")}}), "assumeRolePolicy trusts events.amazonaws.com for any caller."),
		breaks(deputy, "a condition that every account meets", trust(in{"Principal": in{"Service": "events.amazonaws.com"}, "Condition": in{"StringLike": in{"aws:SourceAccount": "*"}}}), "assumeRolePolicy trusts"),
		keeps(deputy, "a service that takes the role for the account", trust(in{"Principal": in{"Service": "events.amazonaws.com"}, "Condition": in{"StringEquals": in{"aws:SourceAccount": Account}}})),
		keeps(deputy, "an account, which is no service", trust(in{"Principal": in{"AWS": "arn:aws:iam::111122223333:root"}})),
		keeps(deputy, "a service that the firm excepts", trust(in{"Principal": in{"Service": "events.amazonaws.com"}})).with("exceptServices", texts("events.*")),

		breaks(federated, "every repository of GitHub", trust(in{"Principal": in{"Federated": github}, "Condition": in{"StringEquals": in{claim + "aud": "sts.amazonaws.com"}}}), "assumeRolePolicy trusts every identity of token.actions.githubusercontent.com."),
		breaks(federated, "a subject that any repository has", trust(in{"Principal": in{"Federated": github}, "Condition": in{"StringLike": in{claim + "sub": "repo:*:ref:refs/heads/main"}}}), "assumeRolePolicy trusts every"),
		breaks(federated, "a subject that is anything", trust(in{"Principal": in{"Federated": github}, "Condition": in{"StringLike": in{claim + "sub": texts("repo:firm/shop:*", "*")}}}), "assumeRolePolicy trusts every"),
		breaks(federated, "all subjects but one", trust(in{"Principal": in{"Federated": github}, "Condition": in{"StringNotEquals": in{claim + "sub": "repo:firm/shop:ref:refs/heads/main"}}}), "assumeRolePolicy trusts every"),
		keeps(federated, "the main branch of one repository", trust(in{"Principal": in{"Federated": github}, "Condition": in{"StringEquals": in{claim + "aud": "sts.amazonaws.com", claim + "sub": "repo:firm/shop:ref:refs/heads/main"}}})),
		keeps(federated, "a firm's own provider for people is no such one", trust(in{"Principal": in{"Federated": "arn:aws:iam::111122223333:saml-provider/firm"}})),

		breaks(public, "a queue that everyone may send to", forQueue(in{"Sid": "Send", "Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": ownARN}), "policy lets everyone in through statement Send."),
		breaks(public, "a template whose repositories everyone may read", one("aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate", in{"repositoryPolicy": statement(in{"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"})}), "repositoryPolicy lets everyone in"),
		keeps(public, "a queue that the account may send to", forQueue(in{"Effect": "Allow", "Principal": in{"AWS": Account}, "Action": "sqs:SendMessage", "Resource": ownARN})),
		keeps(public, "a queue that one rule may send to", forQueue(in{"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": ownARN, "Condition": in{"ArnEquals": in{"aws:SourceArn": "arn:aws:events:us-east-1:111122223333:rule/r"}}})),
		keeps(public, "a queue that denies everyone", forQueue(in{"Effect": "Deny", "Principal": "*", "Action": "sqs:SendMessage", "Resource": ownARN})),

		breaks(service, "a service that sends for any caller", forQueue(in{"Sid": "Events", "Effect": "Allow", "Principal": in{"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": ownARN}), "policy lets events.amazonaws.com in for any caller through statement Events."),
		keeps(service, "a service that sends for one rule", forQueue(in{"Effect": "Allow", "Principal": in{"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": ownARN, "Condition": in{"ArnEquals": in{"aws:SourceArn": "arn:aws:events:us-east-1:111122223333:rule/r"}}})),
		keeps(service, "an account, which is no service", forQueue(in{"Effect": "Allow", "Principal": in{"AWS": Account}, "Action": "sqs:SendMessage", "Resource": ownARN})),

		breaks("resource-policy-action-wildcard", "an account that may do everything with a queue", forQueue(in{"Sid": "All", "Effect": "Allow", "Principal": in{"AWS": Account}, "Action": texts("sqs:SendMessage", "sqs:*"), "Resource": ownARN}), "policy allows sqs:* in statement All."),
		keeps("resource-policy-action-wildcard", "an account that may send", forQueue(in{"Effect": "Allow", "Principal": in{"AWS": Account}, "Action": "sqs:SendMessage", "Resource": ownARN})),
		keeps("resource-policy-action-wildcard", "a denial of everything", forQueue(in{"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": ownARN})),

		breaks("event-bus-policy", "a bus without a policy", one("aws:cloudwatch/eventBus:EventBus", in{"name": "unguarded"}), "name is that of a bus without a policy."),
		keeps("event-bus-policy", "a bus with a policy", []Resource{
			{Name: "it", Type: "aws:cloudwatch/eventBus:EventBus", Inputs: in{"name": "guarded"}},
			{Name: "policy", Type: "aws:cloudwatch/eventBusPolicy:EventBusPolicy", Inputs: in{"eventBusName": Ref{"it", "name"}}},
		}),
		keeps("event-bus-policy", "a bus of a partner", one("aws:cloudwatch/eventBus:EventBus", in{"name": "partner", "eventSourceName": "aws.partner/example.com"})),

		breaks("function-permission-scoped", "a service that calls for any caller", one(permission, in{"principal": "events.amazonaws.com", "function": "f"}), `sourceArn is missing, but the principal is "events.amazonaws.com".`),
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
