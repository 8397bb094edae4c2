package cases

func tagCases() []Case {
	const queue, template = "aws:sqs/queue:Queue", "aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate"
	all := in{"Project": "shop", "Environment": "dev", "Owner": "team", "CostCenter": "1"}
	byDefault := map[string]string{"region": "us-east-1", "defaultTags": `{"tags":{"Project":"shop","Environment":"dev","Owner":"team","CostCenter":"1"}}`}
	const replicaTags = "dynamodb-replica-tags"
	return []Case{
		breaks("tags-mandatory", "a queue without tags lacks every mandatory one", one(queue, in{"name": "orders"}),
			"tags lack Project, Environment, Owner, CostCenter."),
		breaks("tags-mandatory", "an empty tag is a missing one", one(queue, in{"tags": in{"Project": " ", "Environment": "dev", "Owner": "team", "CostCenter": "1"}}), "tags lack Project."),
		breaks("tags-mandatory", "a template's tags are its resourceTags", one(template, in{"prefix": "p", "tags": all, "resourceTags": in{"Environment": "dev", "Owner": "team", "CostCenter": "1"}}), "resourceTags lack Project."),
		keeps("tags-mandatory", "a queue with all tags", one(queue, in{"tags": all})),
		keeps("tags-mandatory", "a queue whose provider has the tags", by(byDefault, queue, in{"name": "orders"})),
		keeps("tags-mandatory", "own tags and the provider's together are all",
			by(map[string]string{"region": "us-east-1", "defaultTags": `{"tags":{"Project":"shop","Environment":"dev","Owner":"team"}}`}, queue, in{"tags": in{"CostCenter": "1"}})),
		keeps("tags-mandatory", "a type without tags", one("aws:sqs/queuePolicy:QueuePolicy", in{"queueUrl": "u"})),
		breaks("tags-mandatory", "the keys are the firm's own", one(queue, in{"tags": all}), "tags lack team.").with("keys", texts("team", "Owner")),

		breaks("tags-allowed-values", "a value that isn't in the list", one(queue, in{"tags": in{"Environment": "test-7"}}), `tags have Environment = "test-7". Allowed: dev, prod-*.`).
			with("values", in{"Environment": texts("dev", "prod-*")}),
		keeps("tags-allowed-values", "a value that matches a pattern", one(queue, in{"tags": in{"Environment": "prod-eu"}})).with("values", in{"Environment": texts("dev", "prod-*")}),
		keeps("tags-allowed-values", "a key without a list may have any value", one(queue, in{"tags": in{"Owner": "whoever"}})).with("values", in{"Environment": texts("dev", "prod-*")}),
		breaks("tags-allowed-values", "a default tag of the provider counts", by(byDefault, queue, in{"name": "orders"}), `tags have Environment = "dev".`).
			with("values", in{"Environment": texts("prod")}),
		breaks("tags-allowed-values", "a secret value isn't shown", one(queue, in{"tags": in{"Environment": Secret{"hidden"}}}), "tags have Environment = [secret].").
			with("values", in{"Environment": texts("dev")}),
		keeps("tags-allowed-values", "without a configuration every value is allowed", one(queue, in{"tags": in{"Environment": "x"}})),

		breaks("tags-not-empty", "a tag without a value", one(queue, in{"tags": in{"Owner": "", "Project": "shop"}}), "tags have Owner without a value."),
		keeps("tags-not-empty", "tags with values", one(queue, in{"tags": all})),
		keeps("tags-not-empty", "no tags at all", one(queue, in{"name": "orders"})),

		breaks(replicaTags, "a replica that doesn't propagate tags", one("aws:dynamodb/table:Table", in{"replicas": list{in{"regionName": "eu-west-1", "propagateTags": true}, in{"regionName": "eu-west-2"}}}),
			"replicas[1].propagateTags is not true."),
		keeps(replicaTags, "a replica that propagates tags", one("aws:dynamodb/table:Table", in{"replicas": list{in{"regionName": "eu-west-1", "propagateTags": true}}})),
		keeps(replicaTags, "a table without replicas", one("aws:dynamodb/table:Table", in{"name": "t"})),

		{
			Rule: "tags-add-defaults", Says: "a queue gets the tags that it lacks", Config: in{"tags": in{"Owner": "team", "Project": "shop"}},
			Resources: one(queue, in{"name": "orders", "tags": in{"Owner": "me"}}), Mended: in{"name": "orders", "tags": in{"Owner": "me", "Project": "shop"}},
		},
		{
			Rule: "tags-add-defaults", Says: "a queue without tags gets them all", Config: in{"tags": in{"Owner": "team", "Project": "shop"}},
			Resources: one(queue, in{"name": "orders"}), Mended: in{"name": "orders", "tags": in{"Owner": "team", "Project": "shop"}},
		},
		{
			Rule: "tags-add-defaults", Says: "tags that the provider adds are not added twice", Config: in{"tags": in{"Owner": "team", "Project": "shop"}},
			Resources: by(byDefault, queue, in{"name": "orders"}),
		},
		{
			Rule: "tags-add-defaults", Says: "a queue that has them stays as it is", Config: in{"tags": in{"Owner": "team", "Project": "shop"}},
			Resources: one(queue, in{"tags": in{"Owner": "me", "Project": "mine"}}),
		},
	}
}
