package cases

func computeCases() []Case {
	const (
		function, stateMachine = "aws:lambda/function:Function", "aws:sfn/stateMachine:StateMachine"
		repository, template   = "aws:ecr/repository:Repository", "aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate"
		queue, mapping         = "aws:sqs/queue:Queue", "aws:lambda/eventSourceMapping:EventSourceMapping"
		lifecycle              = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
		byQueue, byWorkflow    = "function-timeout-queue", "function-timeout-workflow"
		digest                 = "111122223333.dkr.ecr.us-east-1.amazonaws.com/shop@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	)
	// fed is a function fed by a queue.
	fed := func(name string, queueInputs, functionInputs, mappingInputs in) []Resource {
		queueInputs["name"], functionInputs["name"] = name, name
		connected := in{"eventSourceArn": Ref{"it", "arn"}, "functionName": Ref{"function", "arn"}}
		for property, given := range mappingInputs {
			connected[property] = given
		}
		return []Resource{
			{Name: "it", Type: queue, Inputs: queueInputs},
			{Name: "function", Type: function, Inputs: functionInputs},
			{Name: "mapping", Type: mapping, Inputs: connected},
		}
	}
	// called is a function called by a state machine.
	called := func(name string, timeout any, states in) []Resource {
		inputs := in{"name": name}
		if timeout != nil {
			inputs["timeout"] = timeout
		}
		return []Resource{
			{Name: "it", Type: function, Inputs: inputs},
			{Name: "machine", Type: stateMachine, Inputs: in{"definition": in{"StartAt": "Call", "States": states}}},
		}
	}
	call := func(named string, seconds any) in {
		state := in{"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": in{"FunctionName": named}}
		if seconds != nil {
			state["TimeoutSeconds"] = seconds
		}
		return state
	}
	alias := "arn:aws:lambda:us-east-1:111122223333:function:"
	return []Case{
		breaks("function-arm64", "Lambda's default", one(function, in{"handler": "h"}), `architectures is "x86_64". Allowed: arm64.`),
		breaks("function-arm64", "the other architecture", one(function, in{"architectures": texts("x86_64")}), `architectures is "x86_64".`),
		keeps("function-arm64", "arm64", one(function, in{"architectures": texts("arm64")})),
		keeps("function-arm64", "the firm allows both", one(function, in{"handler": "h"})).with("architectures", texts("arm64", "x86_64")),

		breaks("function-tracing", "Lambda's default", one(function, in{"handler": "h"}), "tracingConfig.mode is not Active."),
		breaks("function-tracing", "traces of callers only", one(function, in{"tracingConfig": in{"mode": "PassThrough"}}), "tracingConfig.mode is not Active."),
		keeps("function-tracing", "traces", one(function, in{"tracingConfig": in{"mode": "Active"}})),

		breaks("function-image-digest", "an image by its tag", one(function, in{"imageUri": "111122223333.dkr.ecr.us-east-1.amazonaws.com/shop:latest"}), "imageUri has no digest."),
		keeps("function-image-digest", "an image by its digest", one(function, in{"imageUri": digest})),
		keeps("function-image-digest", "a function without an image", one(function, in{"runtime": "provided.al2023"})),

		breaks("function-runtime", "a runtime that AWS no longer patches", one(function, in{"runtime": "python3.8"}), `runtime is "python3.8", which AWS has not patched since 2024-10-14.`),
		breaks("function-runtime", "a pattern of runtimes", one(function, in{"runtime": "dotnetcore2.1"}), `runtime is "dotnetcore2.1", which AWS has not patched since`),
		keeps("function-runtime", "a runtime that AWS patches", one(function, in{"runtime": "python4.0"})),
		keeps("function-runtime", "a runtime that AWS patches for years", one(function, in{"runtime": "slow"})).with("deprecated", in{"slow": "2999-12-31"}),
		keeps("function-runtime", "an image brings its own", one(function, in{"imageUri": digest})).with("deprecated", in{"*": "2020-01-01"}),

		breaks("function-log-group", "a function that leaves it to Lambda", one(function, in{"handler": "h"}), "loggingConfig.logGroup is missing."),
		keeps("function-log-group", "a function with a group of the program", one(function, in{"loggingConfig": in{"logGroup": "/aws/lambda/f"}})),

		breaks(byQueue, "a message comes back while the call still works", fed("impatient", in{"visibilityTimeoutSeconds": 59.0}, in{"timeout": 10.0}, nil), "visibilityTimeoutSeconds is less than 6 times the timeout of "),
		breaks(byQueue, "both by AWS's defaults, and ten times", fed("impatient-by-default", in{}, in{"timeout": 6.0}, nil), "visibilityTimeoutSeconds is less than 6 times"),
		breaks(byQueue, "the mapping names both", fed("impatient-by-name", in{"visibilityTimeoutSeconds": 10.0}, in{}, in{"eventSourceArn": "arn:aws:sqs:us-east-1:111122223333:impatient-by-name", "functionName": "impatient-by-name"}), "visibilityTimeoutSeconds is less"),
		breaks(byQueue, "the mapping names an alias of the function", fed("impatient-alias", in{"visibilityTimeoutSeconds": 10.0}, in{}, in{"functionName": alias + "impatient-alias:live"}), "visibilityTimeoutSeconds is less"),
		keeps(byQueue, "six times the timeout", fed("patient", in{"visibilityTimeoutSeconds": 60.0}, in{"timeout": 10.0}, nil)),
		keeps(byQueue, "both by AWS's defaults", fed("patient-by-default", in{}, in{}, nil)),
		keeps(byQueue, "a queue that feeds nothing", fed("unfed", in{"visibilityTimeoutSeconds": 1.0}, in{}, in{"eventSourceArn": "arn:aws:sqs:us-east-1:111122223333:other"})),
		keeps(byQueue, "a function that is fed by nothing", fed("unfed-function", in{"visibilityTimeoutSeconds": 1.0}, in{}, in{"functionName": "other"})),
		keeps(byQueue, "the firm asks for the same time", fed("equal", in{"visibilityTimeoutSeconds": 10.0}, in{"timeout": 10.0}, nil)).with("factor", 1.0),

		breaks(byWorkflow, "a state that waits as long as the function", called("slow", 10.0, in{"Call": call(alias+"slow:live", 10.0)}), "timeout is 10 s, and state Call of "),
		breaks(byWorkflow, "a function of Lambda's default timeout", called("slow-by-default", nil, in{"Call": call("slow-by-default", 3.0)}), "timeout is 3 s, and state Call"),
		breaks(byWorkflow, "a state within a branch", called("slow-in-branch", 10.0, in{"Both": in{"Type": "Parallel", "Branches": list{in{"States": in{"Other": in{"Type": "Pass"}}}, in{"States": in{"Call": call("slow-in-branch", 5.0)}}}}}), "timeout is 10 s, and state Call"),
		breaks(byWorkflow, "a state within a map", called("slow-in-map", 10.0, in{"Each": in{"Type": "Map", "ItemProcessor": in{"States": in{"Call": call("slow-in-map", 5.0)}}}}), "timeout is 10 s, and state Call"),
		breaks(byWorkflow, "a state that names the function as its resource", called("slow-resource", 10.0, in{"Call": in{"Type": "Task", "Resource": alias + "slow-resource", "TimeoutSeconds": 5.0}}), "timeout is 10 s"),
		keeps(byWorkflow, "a state that waits longer", called("fast", 10.0, in{"Call": call(alias+"fast:live", 11.0)})),
		keeps(byWorkflow, "a state that waits for ever", called("unlimited", 10.0, in{"Call": call("unlimited", nil)})),
		keeps(byWorkflow, "a state that calls another function", called("uncalled", 10.0, in{"Call": call(alias+"other", 5.0)})),
		keeps(byWorkflow, "a state that calls nothing", called("passed", 10.0, in{"Call": in{"Type": "Wait", "Resource": "passed", "TimeoutSeconds": 5.0}})),

		breaks("state-machine-logging", "no logging", one(stateMachine, in{"definition": "{}"}), "loggingConfiguration.level turns logging off."),
		breaks("state-machine-logging", "logging that is off", one(stateMachine, in{"loggingConfiguration": in{"level": "OFF"}}), "loggingConfiguration.level turns logging off."),
		breaks("state-machine-logging", "logging to nowhere", one(stateMachine, in{"loggingConfiguration": in{"level": "ALL"}}), "loggingConfiguration.logDestination is missing."),
		keeps("state-machine-logging", "logging of errors", one(stateMachine, in{"loggingConfiguration": in{"level": "ERROR", "logDestination": "arn:aws:logs:us-east-1:111122223333:log-group:l:*"}})),

		breaks("state-machine-tracing", "no tracing", one(stateMachine, in{"definition": "{}"}), "tracingConfiguration.enabled is not true."),
		keeps("state-machine-tracing", "tracing", one(stateMachine, in{"tracingConfiguration": in{"enabled": true}})),

		breaks("ecr-immutable-tags", "ECR's default", one(repository, in{"name": "r"}), "imageTagMutability is not IMMUTABLE."),
		breaks("ecr-immutable-tags", "a template with tags that move", one(template, in{"imageTagMutability": "MUTABLE"}), "imageTagMutability is not IMMUTABLE."),
		keeps("ecr-immutable-tags", "immutable tags", one(repository, in{"imageTagMutability": "IMMUTABLE"})),

		breaks("ecr-scan-on-push", "ECR's default", one(repository, in{"name": "r"}), "imageScanningConfiguration.scanOnPush is not true."),
		keeps("ecr-scan-on-push", "scans", one(repository, in{"imageScanningConfiguration": in{"scanOnPush": true}})),

		breaks("ecr-lifecycle", "a repository without a policy", one(repository, in{"name": "kept-for-ever"}), "name is that of a repository without a lifecycle policy."),
		breaks("ecr-lifecycle", "a template without a policy", one(template, in{"prefix": "p"}), "lifecyclePolicy is missing."),
		keeps("ecr-lifecycle", "a repository with a policy", []Resource{{Name: "it", Type: repository, Inputs: in{"name": "shop/cleaned"}}, {Name: "policy", Type: lifecycle, Inputs: in{"repository": "shop/cleaned", "policy": "{}"}}}),
		keeps("ecr-lifecycle", "a template with a policy", one(template, in{"lifecyclePolicy": `{"rules":[]}`})),
	}
}
