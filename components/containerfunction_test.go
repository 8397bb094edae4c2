package components

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/components/declared"
	"trade-processing/components/iam"
)

func declareFunction(t *testing.T, change func(*ContainerFunctionArgs)) *declared.Stack {
	t.Helper()
	return run(t, func(ctx *pulumi.Context) error {
		_, err := newFunction(ctx, "orders", change)
		return err
	})
}

func inVPC(args *ContainerFunctionArgs) {
	args.SubnetIDs = pulumi.ToStringArray([]string{"subnet-1", "subnet-2"})
	args.SecurityGroupIDs = pulumi.ToStringArray([]string{"sg-1"})
}

func TestAFunctionHasWhatTheControlsAskFor(t *testing.T) {
	stack := declareFunction(t, func(args *ContainerFunctionArgs) {
		inVPC(args)
		args.LastingGroupIDs = pulumi.ToStringArray([]string{"sg-default"})
		args.MemoryMB, args.TimeoutSeconds, args.ReservedConcurrency = 512, 20, 5
		args.Environment = pulumi.StringMap{"TABLE_NAME": pulumi.String("orders")}
	})
	function := find(t, stack, "aws:lambda/function:Function", "function")
	image := function.Text("imageUri")
	if !strings.HasPrefix(image, "111122223333.dkr.ecr.us-east-1.amazonaws.com/images/orders@sha256:") {
		t.Errorf("the image is %s; it must be named by its digest, without a tag, which Lambda refuses", image)
	}
	delete(function.Inputs, "imageUri")
	want := map[string]any{
		"name": "orders", "description": "Does something", "packageType": "Image", "architectures": []any{"arm64"},
		"role": "arn:aws:iam::111122223333:role/orders", "memorySize": 512.0, "timeout": 20.0, "publish": true,
		"kmsKeyArn": string(keyARN), "environment": map[string]any{"variables": map[string]any{"TABLE_NAME": "orders"}},
		"deadLetterConfig": map[string]any{"targetArn": "arn:aws:sqs:us-east-1:111122223333:orders-dead-letters"},
		"tracingConfig":    map[string]any{"mode": "Active"},
		"loggingConfig": map[string]any{
			"logGroup": "/aws/lambda/orders", "logFormat": "JSON", "applicationLogLevel": "DEBUG", "systemLogLevel": "WARN",
		},
		"reservedConcurrentExecutions": 5.0, "replaceSecurityGroupsOnDestroy": true,
		"replacementSecurityGroupIds": []any{"sg-default"},
		"vpcConfig":                   map[string]any{"subnetIds": []any{"subnet-1", "subnet-2"}, "securityGroupIds": []any{"sg-1"}},
	}
	if diff := cmp.Diff(want, function.Inputs); diff != "" {
		t.Error(diff)
	}
}

// A new account has ten concurrent executions in all, and none to reserve.
func TestConcurrencyIsReservedOnlyWhereAsked(t *testing.T) {
	function := find(t, declareFunction(t, nil), "aws:lambda/function:Function", "function")
	if reserved, set := function.Inputs["reservedConcurrentExecutions"]; set {
		t.Errorf("%v are reserved", reserved)
	}
}

// Lambda checks the role when it creates the function: without its policy, it "cannot CreateNetworkInterface".
func TestAFunctionComesAfterWhatItNeeds(t *testing.T) {
	stack := declareFunction(t, inVPC)
	function := find(t, stack, "aws:lambda/function:Function", "function")
	for _, needed := range []struct{ typ, end string }{
		{"aws:iam/rolePolicy:RolePolicy", "role-policy"}, {"aws:cloudwatch/logGroup:LogGroup", "logs"},
		{"aws:ecr/repositoryPolicy:RepositoryPolicy", "policy"}, {"docker:index/image:Image", "image"},
	} {
		if urn := find(t, stack, needed.typ, needed.end).URN; !slices.Contains(function.DependsOn, urn) {
			t.Errorf("the function doesn't wait for %s", urn)
		}
	}
}

func TestALogGroupIsTheStacksOwn(t *testing.T) {
	stack := declareFunction(t, func(args *ContainerFunctionArgs) { args.LogRetentionDays = 30 })
	group := find(t, stack, "aws:cloudwatch/logGroup:LogGroup", "logs")
	if diff := cmp.Diff(map[string]any{"name": "/aws/lambda/orders", "retentionInDays": 30.0, "kmsKeyId": string(keyARN)}, group.Inputs); diff != "" {
		t.Error(diff)
	}
}

func TestAnImageIsBuiltForTheFunctionsArchitecture(t *testing.T) {
	stack := declareFunction(t, nil)
	image := find(t, stack, "docker:index/image:Image", "image")
	_, tag, _ := strings.Cut(image.Text("imageName"), ":")
	revision := image.Text("build.args.REVISION")
	if len(revision) != 64 || revision[:16] != tag {
		t.Errorf("the revision %q doesn't begin with the tag %q", revision, tag)
	}
	build := map[string]any{
		"context": "dist/image-contexts/src-" + tag, "dockerfile": "dist/image-contexts/src-" + tag + "/Dockerfile", "platform": "linux/arm64", "builderVersion": "BuilderBuildKit",
		"args": map[string]any{"FUNCTION": "orders", "VERSION": tag, "REVISION": revision, "SOURCE_DATE_EPOCH": "0"},
	}
	if diff := cmp.Diff(build, image.At("build")); diff != "" {
		t.Error(diff)
	}
	if !slices.Contains(image.Secrets, "registry.password") {
		t.Errorf("the registry's password would be readable in the state; secret are %v", image.Secrets)
	}
}

func TestAnAliasPointsToThePublishedVersion(t *testing.T) {
	alias := find(t, declareFunction(t, nil), "aws:lambda/alias:Alias", "alias")
	if alias.Text("name") != "live" || alias.Text("functionName") != "orders" || alias.Text("functionVersion") != "1" {
		t.Errorf("inputs %v", alias.Inputs)
	}
}

func TestOnlyAFunctionInAVPCMayMakeNetworkInterfaces(t *testing.T) {
	create := iam.Request{Action: "ec2:CreateNetworkInterface", Resource: "arn:aws:ec2:us-east-1:111122223333:network-interface/*"}
	document := func(change func(*ContainerFunctionArgs)) iam.Document {
		return policy(t, find(t, declareFunction(t, change), "aws:iam/rolePolicy:RolePolicy", "role-policy"), "policy")
	}
	decide(t, document(inVPC), create, iam.Allowed)
	decide(t, document(nil), create, iam.DeniedImplicitly)
	// Lambda checks the deletion for all ids when it creates the function, and accepts the form in its guide:
	// https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
	decide(t, document(inVPC), iam.Request{Action: "ec2:DeleteNetworkInterface", Resource: "arn:aws:ec2:us-east-1:111122223333:*/*"}, iam.Allowed)
}

func TestPermissionsReachTheRoleInTheirOrder(t *testing.T) {
	stack := declareFunction(t, func(args *ContainerFunctionArgs) {
		args.Permissions = []Permission{
			{Sid: "One", Actions: []string{"s3:GetObject"}, Resources: []pulumi.StringInput{pulumi.String("arn:aws:s3:::a/*"), pulumi.String("arn:aws:s3:::b/*")}},
			{Sid: "Two", Actions: []string{"s3:PutObject"}, Resources: []pulumi.StringInput{pulumi.String("arn:aws:s3:::c/*")}},
		}
	})
	document := policy(t, find(t, stack, "aws:iam/rolePolicy:RolePolicy", "role-policy"), "policy")
	for resource, want := range map[string]iam.Decision{"a": iam.Allowed, "b": iam.Allowed, "c": iam.DeniedImplicitly} {
		decide(t, document, iam.Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::" + resource + "/x"}, want)
	}
	decide(t, document, iam.Request{Action: "s3:PutObject", Resource: "arn:aws:s3:::c/x"}, iam.Allowed)
}

func TestTheAlarmOnDurationFollowsTheTimeout(t *testing.T) {
	stack := declareFunction(t, func(args *ContainerFunctionArgs) { args.TimeoutSeconds = 20 })
	alarm := find(t, stack, "aws:cloudwatch/metricAlarm:MetricAlarm", "p99")
	if alarm.At("threshold") != 16000.0 || alarm.Text("extendedStatistic") != "p99" || alarm.At("statistic") != nil {
		t.Errorf("inputs %v", alarm.Inputs)
	}
}

func TestARepositoryKeepsItsTagsAndLetsItsFunctionPull(t *testing.T) {
	stack := declareFunction(t, func(args *ContainerFunctionArgs) { args.DeletionProtection = true })
	repository := find(t, stack, "aws:ecr/repository:Repository", "repository")
	want := map[string]any{
		"name": "images/orders", "imageTagMutability": "IMMUTABLE", "forceDelete": false,
		"imageScanningConfiguration": map[string]any{"scanOnPush": true},
		"encryptionConfigurations":   []any{map[string]any{"encryptionType": "KMS", "kmsKey": string(keyARN)}},
	}
	if diff := cmp.Diff(want, repository.Inputs); diff != "" {
		t.Error(diff)
	}
	document := policy(t, find(t, stack, "aws:ecr/repositoryPolicy:RepositoryPolicy", "policy"), "policy")
	pull := func(function string) iam.Request {
		return iam.Request{Action: "ecr:BatchGetImage", Principal: "lambda.amazonaws.com", Context: map[string]string{
			"aws:SourceArn": "arn:aws:lambda:us-east-1:111122223333:function:" + function,
		}}
	}
	decide(t, document, pull("orders"), iam.Allowed)
	decide(t, document, pull("others"), iam.DeniedImplicitly)
}

// The tag decides whether the image is pushed. It must change with every file that the image is made of, and no other.
func TestATagMovesWithWhatTheImageIsMadeOf(t *testing.T) {
	folder := t.TempDir()
	source := ImageSource{Project: folder, Context: "src", Dockerfile: "src/orders.Dockerfile", Args: map[string]string{"FUNCTION": "orders"}}
	write(t, filepath.Join(folder, "src", "orders.Dockerfile"), "FROM scratch\n")
	write(t, filepath.Join(folder, "src", "orders.Dockerfile.dockerignore"), "*\n!orders\n!shared\n**/*_test.go\n")
	write(t, filepath.Join(folder, "src", "orders", "main.go"), "package main\n")
	write(t, filepath.Join(folder, "src", "shared", "shared.go"), "package shared\n")
	write(t, filepath.Join(folder, "src", "billing", "main.go"), "package main\n")
	tag := func(source ImageSource) string {
		t.Helper()
		build, err := source.Build()
		if err != nil {
			t.Fatal(err)
		}
		return build.Tag
	}
	first := tag(source)
	if len(first) != 16 || tag(source) != first {
		t.Fatalf("%q, then %q", first, tag(source))
	}
	for _, step := range []struct {
		name  string
		do    func()
		moves bool
	}{
		{"another function's file", func() { write(t, filepath.Join(folder, "src", "billing", "main.go"), "package main // changed\n") }, false},
		{"a test", func() { write(t, filepath.Join(folder, "src", "orders", "main_test.go"), "package main\n") }, false},
		{"a file of its own", func() { write(t, filepath.Join(folder, "src", "orders", "main.go"), "package main // changed\n") }, true},
		{"a new file of its own", func() { write(t, filepath.Join(folder, "src", "orders", "new.go"), "package main\n") }, true},
		{"a shared file", func() { write(t, filepath.Join(folder, "src", "shared", "shared.go"), "package shared // changed\n") }, true},
		{"the Dockerfile", func() { write(t, filepath.Join(folder, "src", "orders.Dockerfile"), "FROM busybox\n") }, true},
		{"an argument", func() { source.Args = map[string]string{"FUNCTION": "orders", "MORE": "1"} }, true},
	} {
		before := tag(source)
		step.do()
		if moved := tag(source) != before; moved != step.moves {
			t.Errorf("%s: the tag moved: %v", step.name, moved)
		}
	}
	if other, err := source.build("linux/amd64"); err != nil || other.Tag == tag(source) {
		t.Errorf("the platform doesn't count: %v", err)
	}
}

func TestAnImageWithoutSourcesIsAnError(t *testing.T) {
	for name, source := range map[string]ImageSource{
		"no context":    {Project: t.TempDir(), Context: "nowhere", Dockerfile: "Dockerfile"},
		"no Dockerfile": {Project: sources(t), Context: "src", Dockerfile: "src/other.Dockerfile"},
	} {
		if build, err := source.Build(); err == nil {
			t.Errorf("%s: got the tag %s", name, build.Tag)
		}
	}
}
