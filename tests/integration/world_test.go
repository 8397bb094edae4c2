// Package integration_test runs what the program declares and what the functions do against AWS emulators written by
// others: moto and AWS's own DynamoDB Local. If the local cloud does the same thing, both must get the same result.
//
// It is off by default. `make test-integration` installs the emulators and runs it.
package integration_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"trade-processing/internal/localrun"
	"trade-processing/lambdas/function"
	"trade-processing/local/cloud"
	"trade-processing/tests/deployed"
)

const (
	root      = "../.."
	stackName = "dev"
	region    = "us-east-1"
)

// clients returns the configuration of AWS clients that call an endpoint: the same as the functions' bootstrap programs
// load, including retries.
func clients(t testing.TB, endpoint string) aws.Config {
	t.Helper()
	loaded, err := config.LoadDefaultConfig(t.Context(), config.WithRegion(region), config.WithBaseEndpoint(endpoint),
		config.WithLogger(function.AWSLogger{}), config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("AKIAINTEGRATION", "secret", "")))
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

// deploy runs the program as stack dev on a local cloud, to get what the program declares with every name and ARN
// filled in.
func deploy(t testing.TB, options cloud.Options) *cloud.Cloud {
	t.Helper()
	options.Images = localrun.Images()
	here := cloud.New(options)
	deployed.On(t, here, root, stackName, nil)
	return here
}

// all returns the resources of a type in the primary region; there must be at least one.
func all(t testing.TB, here *cloud.Cloud, typ string) []*cloud.Resource {
	t.Helper()
	var found []*cloud.Resource
	for _, r := range here.Resources() {
		if r.Type == typ && r.Region == region {
			found = append(found, r)
		}
	}
	if len(found) == 0 {
		t.Fatalf("the program declares no %s", typ)
	}
	return found
}

// one returns the resource of a type in the primary region whose logical name ends like this.
func one(t testing.TB, here *cloud.Cloud, typ, end string) *cloud.Resource {
	t.Helper()
	var found []*cloud.Resource
	for _, r := range all(t, here, typ) {
		if strings.HasSuffix(r.Name, end) {
			found = append(found, r)
		}
	}
	if len(found) != 1 {
		t.Fatalf("the program declares %d %s whose name ends in %q, and one was expected", len(found), typ, end)
	}
	return found[0]
}

// text returns a string input or output of a resource.
func text(properties cloud.Properties, name string) string {
	value, _ := properties[name].(string)
	return value
}
