package doctor_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"trade-processing/internal/doctor"
)

// answers are what AWS documents for each operation, as https://docs.aws.amazon.com has it: an account that a deployment of
// the config below needs nothing from. An answer of another status than 200 begins with it.
var answers = map[string]string{
	"GetCallerIdentity us-east-1": identity,
	"GetCallerIdentity eu-west-1": identity,
	"GetAccountSettings":          `{"AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 700}, "AccountUsage": {"FunctionCount": 3}}`,
	"GetFunctionConcurrency":      `404 {"Type": "User", "Message": "Function not found: arn:aws:lambda:us-east-1:111122223333:function:trade-processing-test-validator"}`,
	"GetServiceQuota":             `400 {"__type": "NoSuchResourceException", "Message": "The request failed because the specified quota doesn't exist"}`,
	"GetAWSDefaultServiceQuota":   `{"Quota": {"ServiceCode": "vpc", "QuotaCode": "L-29B6F2EB", "Value": 50.0, "Adjustable": true}}`,
	"DescribeRegistry":            `{"registryId": "111122223333", "replicationConfiguration": {"rules": []}}`,
	"DescribeLogGroups":           `{"logGroups": [{"logGroupName": "/aws/lambda-insights-of-another", "logGroupArn": "arn:x"}]}`,
	"ListTagsForResource":         `{"tags": {"Project": "trade-processing", "Environment": "prod"}}`,
	"DescribeResourcePolicies":    `{"resourcePolicies": []}`,
}

const (
	identity = `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>` +
		`<Arn>arn:aws:iam::111122223333:user/ann</Arn><UserId>AIDA</UserId><Account>111122223333</Account>` +
		`</GetCallerIdentityResult></GetCallerIdentityResponse>`
	refused = `403 <ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>InvalidClientTokenId</Code>` +
		`<Message>The security token included in the request is invalid</Message></Error></ErrorResponse>`
	denied = `400 {"__type": "AccessDeniedException", "message": "User ann is not authorized"}`
	config = "config:\n  aws:region: us-east-1\n  trade-processing:replicaRegions: [eu-west-1]\n  trade-processing:validatorReservedConcurrency: 500\n" +
		"  trade-processing:recorderReservedConcurrency: 100\n  trade-processing:manageRegistryReplication: true\n  trade-processing:manageInsightsLogGroup: true\n"
	kms    = "secretsprovider: awskms://alias/key?region=eu-central-1\n"
	pulumi = `[ "$1" = version ] && echo v3.257.0 || echo '{"user": "ann", "organizations": [], "url": "s3://state?region=eu-central-1"}'`
	docker = `[ "$1" = info ] && echo 28.0.1 || echo github.com/docker/buildx v0.20.0`
)

var region = regexp.MustCompile(`Credential=[^/]+/[0-9]+/([a-z0-9-]+)/`)

// serve answers like AWS, and with the answers of a case before its own.
func serve(t *testing.T, own map[string]string) *httptest.Server {
	all := maps.Clone(answers)
	maps.Copy(all, own)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		switch body, _ := io.ReadAll(r.Body); {
		case r.URL.Path == "/2016-08-19/account-settings":
			operation = "GetAccountSettings"
		case strings.HasSuffix(r.URL.Path, "/concurrency"):
			operation = "GetFunctionConcurrency"
		case strings.Contains(string(body), "Action=GetCallerIdentity"):
			operation = "GetCallerIdentity " + region.FindStringSubmatch(r.Header.Get("Authorization"))[1]
		}
		answer, known := all[operation]
		if !known {
			t.Errorf("nobody answers %s %s %q", r.Method, r.URL, operation)
		}
		var status int
		if _, err := fmt.Sscanf(answer, "%3d ", &status); err == nil {
			if status == http.StatusNotFound { // https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConcurrency.html#API_GetFunctionConcurrency_Errors
				w.Header().Set("X-Amzn-ErrorType", "ResourceNotFoundException")
			}
			w.WriteHeader(status)
			answer = answer[4:]
		}
		io.WriteString(w, answer) //nolint:errcheck // the client sees it
	}))
	t.Cleanup(server.Close)
	return server
}

func write(t *testing.T, file, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

func TestEachLackIsTold(t *testing.T) {
	healthy := []string{
		"ok Lambda Insights: version 1.2.3 ", "ok pulumi: version 3.257.0", "ok state backend: s3://", "ok secrets provider: awskms://", "ok Docker: version 28.0.1",
		"ok buildx: ", "ok credentials: arn:aws:iam::111122223333:user/ann", "ok regions: us-east-1, eu-west-1", "ok Lambda concurrency: 700 of 1000",
		"ok VPC endpoints: the stack has 2, and its VPC may have 50", "ok registry replication: ", "ok Lambda Insights' log group: there is none", "ok log resource policies: there are 0",
	}
	type env = map[string]string
	for name, test := range map[string]struct {
		config, recipe, pulumi, docker string // empty: as in health
		env, answers                   map[string]string
		want                           []string // those that differ, as status, check, what was found and how to fix it
	}{
		"nothing": {want: healthy},
		"no programs": {pulumi: "-", docker: "-", want: []string{
			"problem pulumi: there is none on PATH | https://www.pulumi.com", "not checked state backend: there is no pulumi", "problem Docker: there is no docker on PATH | https://docs.docker.com",
		}},
		"old programs": {pulumi: `echo v3.100.0`, docker: `[ "$1" = info ] && echo 20.10.5 || exit 1`, want: []string{
			"problem pulumi: is version 3.100.0", "problem state backend: ", "problem Docker: the daemon is version 20.10.5", "warning buildx: ",
		}},
		"nobody logged in, and no daemon": {
			pulumi: `[ "$1" = version ] && echo v3.300.0 || { echo 'error: PULUMI_ACCESS_TOKEN must be set' >&2; exit 255; }`, docker: `echo Cannot connect to the Docker daemon >&2; exit 1`,
			want: []string{"ok pulumi: version 3.300.0", "problem state backend: pulumi isn't logged in, or can't reach its backend: error: PULUMI_ACCESS_TOKEN must be set | pulumi login",
				"problem Docker: the daemon doesn't answer, and previews need it too: Cannot connect"},
		},
		"state and key that are lost with the region": {config: strings.ReplaceAll(kms, "eu-central-1", "us-east-1") + config, pulumi: strings.ReplaceAll(pulumi, "eu-central-1", "us-east-1"),
			want: []string{"warning state backend: s3://state?region=us-east-1", "warning secrets provider: awskms://alias/key?region=us-east-1 | pulumi stack change-secrets-provider"}},
		"a stack that nobody has initialized": {config: config, want: []string{"warning secrets provider: Pulumi.test.yaml names none yet | pulumi stack init test"}},
		"a passphrase that is missing":        {config: "encryptionsalt: v1:x\n" + config, want: []string{"warning secrets provider: a passphrase, which isn't | export PULUMI_CONFIG_PASSPHRASE_FILE="}},
		"a passphrase":                        {config: "encryptionsalt: v1:x\n" + config, env: env{"PULUMI_CONFIG_PASSPHRASE": ""}, want: []string{"ok secrets provider: a passphrase"}},
		"Insights without a checksum":         {recipe: "ARG INSIGHTS=with\nARG INSIGHTS_SHA256=\n", want: []string{"problem Lambda Insights: is in the images, but | make pin-insights"}},
		"a log group for nothing":             {recipe: "ARG INSIGHTS=without\n", want: []string{"warning Lambda Insights: is left out | make pin-insights"}},
		"no credentials": {env: env{"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, want: append([]string{
			"problem credentials: there are none | aws configure sso"}, unasked...)},
		"wrong credentials": {answers: env{"GetCallerIdentity us-east-1": refused, "GetCallerIdentity eu-west-1": refused}, want: append([]string{
			"problem credentials: AWS refuses them: InvalidClientTokenId: The security token"}, unasked...)},
		"no network":              {env: env{"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, want: append([]string{"not checked credentials: AWS can't be reached: "}, unasked...)},
		"a region that is off":    {answers: env{"GetCallerIdentity eu-west-1": refused}, want: []string{"problem regions: eu-west-1: InvalidClientTokenId | aws account enable-region --region-name eu-west-1"}},
		"another account":         {config: kms + config + "  aws:allowedAccountIds: ['444455556666']\n", want: []string{"problem credentials: arn:aws:iam::111122223333:user/ann is of account 111122223333, and the config names 444455556666"}},
		"the account":             {config: kms + config + "  trade-processing:permissionsBoundary: arn:aws:iam::111122223333:policy/b\n", want: nil},
		"the boundary of another": {config: kms + config + "  trade-processing:permissionsBoundary: arn:aws:iam::444455556666:policy/b\n", want: []string{"problem credentials: "}},
		"too little concurrency": {answers: env{"GetAccountSettings": `{"AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 699}}`},
			want: []string{"problem Lambda concurrency: 699 of 1000 are unreserved, and the stack reserves 600 | --quota-code L-B99A9384 --desired-value 1001"}},
		"a new account, and nothing reserved": {config: kms + strings.ReplaceAll(strings.ReplaceAll(config, "500", "0"), "100", "0"),
			answers: env{"GetAccountSettings": `{"AccountLimit": {"ConcurrentExecutions": 10, "UnreservedConcurrentExecutions": 10}}`}, want: []string{"warning Lambda concurrency: only 10 of 10"}},
		"fewer endpoints than the stack has": {answers: env{"GetServiceQuota": `{"Quota": {"Value": 1.0}}`}, want: []string{"problem VPC endpoints: the stack has 2 | --quota-code L-29B6F2EB --desired-value 2"}},
		"a VPC of the user's":                {config: kms + config + "  trade-processing:vpcId: vpc-1\n", want: []string{"not checked VPC endpoints: a VPC may have 50 | Values=vpc-1"}},
		"what others own": {answers: env{
			"DescribeRegistry":         `{"replicationConfiguration": {"rules": [{"destinations": [{"region": "eu-north-1", "registryId": "111122223333"}], "repositoryFilters": [{"filter": "web/", "filterType": "PREFIX_MATCH"}]}]}}`,
			"DescribeLogGroups":        `{"logGroups": [{"logGroupName": "/aws/lambda-insights", "logGroupArn": "arn:aws:logs:us-east-1:111122223333:log-group:/aws/lambda-insights"}]}`,
			"DescribeResourcePolicies": `{"resourcePolicies": [` + strings.Repeat(`{"policyName": "p", "policyDocument": "{}"},`, 9) + `{"policyName": "p"}]}`,
		}, want: []string{
			"problem registry replication: the registry has one, and the stack would replace it: web/*, to eu-north-1 of 111122223333 | manageRegistryReplication: false",
			"problem Lambda Insights' log group: it exists already, so the stack can't create it: it is of environment prod of trade-processing | manageInsightsLogGroup: false",
			"problem log resource policies: there are 10 of 10",
		}},
		"a stack that is deployed": {answers: env{
			"GetAccountSettings":     `{"AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 300}}`,
			"GetFunctionConcurrency": `{"ReservedConcurrentExecutions": 200}`,
			"DescribeRegistry":       `{"replicationConfiguration": {"rules": [{"destinations": [{"region": "eu-west-1", "registryId": "111122223333"}], "repositoryFilters": [{"filter": "trade-processing/test/", "filterType": "PREFIX_MATCH"}]}]}}`,
			"DescribeLogGroups":      `{"logGroups": [{"logGroupName": "/aws/lambda-insights", "logGroupArn": "arn:aws:logs:us-east-1:111122223333:log-group:/aws/lambda-insights"}]}`,
			"ListTagsForResource":    `{"tags": {"Project": "trade-processing", "Environment": "test"}}`,
		}, want: []string{
			"ok Lambda concurrency: 900 of 1000 are unreserved, and the stack reserves 600", "ok registry replication: the registry has the stack's own: trade-processing/test/*",
			"ok Lambda Insights' log group: it exists, and is the stack's own",
		}},
		"nothing owned":                    {config: kms + strings.ReplaceAll(config, "true", "false"), want: []string{"ok registry replication: left to another", "warning Lambda Insights' log group: there is none, and the stack won't"}},
		"a policy that lets workflows log": {answers: env{"DescribeResourcePolicies": `{"resourcePolicies": [` + strings.Repeat(`{},`, 9) + `{"policyDocument": "/aws/vendedlogs/*"}]}`}, want: []string{"ok log resource policies: there are 10"}},
		"credentials that may do no reading": {answers: env{"GetAccountSettings": denied, "GetServiceQuota": denied, "DescribeRegistry": denied, "DescribeLogGroups": denied, "DescribeResourcePolicies": denied}, want: []string{
			"not checked Lambda concurrency: AccessDeniedException: User ann is not authorized | allow lambda:GetAccountSettings", "not checked VPC endpoints: ", "not checked registry replication: ",
			"not checked Lambda Insights' log group: ", "not checked log resource policies: AccessDeniedException",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			root, programs := t.TempDir(), t.TempDir()
			for program, script := range map[string]string{"pulumi": or(test.pulumi, pulumi), "docker": or(test.docker, docker)} {
				if script != "-" {
					write(t, filepath.Join(programs, program), "#!/bin/sh\n"+script+"\n", 0o755)
				}
			}
			own := env{"PATH": programs, "HOME": root, "AWS_ENDPOINT_URL": serve(t, test.answers).URL, "AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "x",
				"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/nowhere", "AWS_SHARED_CREDENTIALS_FILE": "/nowhere", "AWS_PROFILE": "", "AWS_SESSION_TOKEN": ""}
			maps.Copy(own, test.env)
			for key, value := range own {
				t.Setenv(key, value)
			}
			project, err := os.ReadFile("../../Pulumi.yaml")
			if err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(root, "Pulumi.yaml"), string(project), 0o600)
			write(t, filepath.Join(root, "Pulumi.test.yaml"), or(test.config, kms+config), 0o600)
			write(t, filepath.Join(root, "lambdas", "Dockerfile"), or(test.recipe, "ARG INSIGHTS=with\nARG INSIGHTS_VERSION=1.2.3\nARG INSIGHTS_SHA256=0123\n"), 0o600)

			results, err := doctor.Examine(t.Context(), root, "test")
			if err != nil {
				t.Fatal(err)
			}
			for _, result := range results {
				got := fmt.Sprintf("%s %s: %s", result.Status, result.Check, result.Found)
				want := expected(test.want, result.Check)
				if want == "" {
					want = expected(healthy, result.Check)
				}
				found, fix, _ := strings.Cut(want, " | ")
				if want == "" || !strings.HasPrefix(got, found) || !strings.Contains(result.Fix, fix) {
					t.Errorf("got  %s | %s\nwant %s", got, result.Fix, want)
				}
				if result.Status == doctor.OK && result.Fix != "" || result.Status == doctor.Problem && result.Fix == "" {
					t.Errorf("%s is fixed by %q", got, result.Fix)
				}
				test.want = remove(test.want, want)
			}
			if len(test.want) > 0 {
				t.Errorf("not told: %q", test.want)
			}
		})
	}
}

// unasked is what is said of an account that can't be asked.
var unasked = []string{
	"not checked Lambda concurrency: AWS can't be asked", "not checked VPC endpoints: ", "not checked registry replication: ", "not checked Lambda Insights' log group: ", "not checked log resource policies: ",
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func expected(all []string, check string) string {
	for _, one := range all {
		if strings.Contains(one, " "+check+": ") {
			return one
		}
	}
	return ""
}

func remove(all []string, one string) (rest []string) {
	for _, other := range all {
		if other != one {
			rest = append(rest, other)
		}
	}
	return rest
}
