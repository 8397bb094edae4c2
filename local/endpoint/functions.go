package endpoint

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"trade-processing/local/awsapi"
	"trade-processing/local/cloud"
	"trade-processing/local/states"
)

var functionOperations = map[string]operation{
	"GetFunction": serve((*Endpoint).getFunction), "GetFunctionConfiguration": serve((*Endpoint).getFunctionConfiguration),
	"GetFunctionConcurrency": serve((*Endpoint).getFunctionConcurrency), "ListFunctions": serve((*Endpoint).listFunctions),
	"ListVersionsByFunction": serve((*Endpoint).listVersionsByFunction), "GetAlias": serve((*Endpoint).getAlias), "ListAliases": serve((*Endpoint).listAliases),
	"GetAccountSettings": serve((*Endpoint).getAccountSettings), "Invoke": serve((*Endpoint).invoke),
	"PutFunctionConcurrency": serve((*Endpoint).putFunctionConcurrency), "DeleteFunctionConcurrency": serve((*Endpoint).deleteFunctionConcurrency),
	"UpdateAlias": serve((*Endpoint).updateAlias), "DeleteFunction": serve((*Endpoint).deleteFunction),
}

// https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html
var functionRoutes = []route{
	on(http.MethodGet, "/2015-03-31/functions", "ListFunctions"),
	on(http.MethodGet, "/2015-03-31/functions/(?P<FunctionName>[^/]+)", "GetFunction"),
	on(http.MethodGet, "/2015-03-31/functions/(?P<FunctionName>[^/]+)/configuration", "GetFunctionConfiguration"),
	on(http.MethodGet, "/2015-03-31/functions/(?P<FunctionName>[^/]+)/versions", "ListVersionsByFunction"),
	on(http.MethodGet, "/2015-03-31/functions/(?P<FunctionName>[^/]+)/aliases", "ListAliases"),
	on(http.MethodGet, "/2015-03-31/functions/(?P<FunctionName>[^/]+)/aliases/(?P<Name>[^/]+)", "GetAlias"),
	on(http.MethodGet, "/2019-09-30/functions/(?P<FunctionName>[^/]+)/concurrency", "GetFunctionConcurrency"),
	on(http.MethodPut, "/2017-10-31/functions/(?P<FunctionName>[^/]+)/concurrency", "PutFunctionConcurrency"),
	on(http.MethodDelete, "/2017-10-31/functions/(?P<FunctionName>[^/]+)/concurrency", "DeleteFunctionConcurrency"),
	on(http.MethodPut, "/2015-03-31/functions/(?P<FunctionName>[^/]+)/aliases/(?P<Name>[^/]+)", "UpdateAlias"),
	on(http.MethodDelete, "/2015-03-31/functions/(?P<FunctionName>[^/]+)", "DeleteFunction"),
	on(http.MethodGet, "/2016-08-19/account-settings", "GetAccountSettings"),
	{http.MethodPost, on("", "/2015-03-31/functions/(?P<FunctionName>[^/]+)/invocations", "").path, "Invoke", true},
}

// onFunction names a function in a request: by name or ARN, with a qualifier behind it or beside it.
type onFunction struct{ FunctionName, Qualifier string }

// function finds a function, and the version that the qualifier leads to.
func (e *Endpoint) function(region string, on onFunction) (found *cloud.Resource, version string, err error) {
	name := on.FunctionName
	if _, after, isARN := strings.Cut(name, ":function:"); isARN {
		name = after
	}
	name, qualifier, _ := strings.Cut(name, ":")
	if on.Qualifier != "" {
		qualifier = on.Qualifier
	}
	missing := awsapi.Error("ResourceNotFoundException", "Function not found: arn:aws:lambda:%s:%s:function:%s", region, cloud.Account, strings.TrimSuffix(name+":"+qualifier, ":"))
	found, there := e.cloud.Read(cloud.FunctionType, region, name)
	if !there {
		return nil, "", missing
	}
	published, _ := found.Outputs["version"].(string)
	if qualifier == "" || qualifier == "$LATEST" || qualifier == published {
		return found, qualifier, nil
	}
	if alias, there := e.cloud.Read(cloud.FunctionAliasType, region, text(found.Outputs, "arn")+":"+qualifier); there {
		return found, text(alias.Inputs, "functionVersion"), nil
	}
	return nil, "", missing
}

// configuration is what was declared about a function.
// https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html
func (e *Endpoint) configuration(r *cloud.Resource, version string) object {
	_, digest, _ := strings.Cut(text(r.Inputs, "imageUri"), "@sha256:")
	told := object{
		"FunctionName": r.Inputs["name"], "FunctionArn": r.Outputs["arn"], "Role": r.Inputs["role"], "PackageType": "Image", "Timeout": r.Inputs["timeout"],
		"MemorySize": r.Inputs["memorySize"], "Architectures": r.Inputs["architectures"], "Description": r.Inputs["description"], "CodeSha256": digest,
		"LastModified": e.began.UTC().Format("2006-01-02T15:04:05.000+0000"), "State": "Active", "LastUpdateStatus": "Successful", "Version": "$LATEST",
	}
	if version != "" && version != "$LATEST" {
		told["Version"], told["FunctionArn"] = version, text(r.Outputs, "arn")+":"+version
	}
	if environment, ok := r.Inputs["environment"].(map[string]any); ok {
		told["Environment"] = object{"Variables": environment["variables"]}
	}
	return told
}

func (e *Endpoint) getFunctionConfiguration(_ context.Context, region string, in onFunction) (any, error) {
	found, version, err := e.function(region, in)
	if err != nil {
		return nil, err
	}
	return e.configuration(found, version), nil
}

func (e *Endpoint) getFunction(_ context.Context, region string, in onFunction) (any, error) {
	found, version, err := e.function(region, in)
	if err != nil {
		return nil, err
	}
	answer := object{
		"Configuration": e.configuration(found, version),
		"Code":          object{"RepositoryType": "ECR", "ImageUri": found.Inputs["imageUri"], "ResolvedImageUri": found.Inputs["imageUri"]},
	}
	if reserved := found.Inputs["reservedConcurrentExecutions"]; reserved != nil {
		answer["Concurrency"] = object{"ReservedConcurrentExecutions": reserved}
	}
	return answer, nil
}

func (e *Endpoint) getFunctionConcurrency(_ context.Context, region string, in onFunction) (any, error) {
	found, _, err := e.function(region, in)
	if err != nil {
		return nil, err
	}
	if reserved := found.Inputs["reservedConcurrentExecutions"]; reserved != nil {
		return object{"ReservedConcurrentExecutions": reserved}, nil
	}
	return object{}, nil
}

// listFunctions lists all on one page; a region has 50 or fewer here.
func (e *Endpoint) listFunctions(_ context.Context, region string, _ struct{ MaxItems, Marker string }) (any, error) {
	listed := []any{}
	for _, r := range e.declared(cloud.FunctionType, region) {
		listed = append(listed, e.configuration(r, ""))
	}
	return object{"Functions": listed}, nil
}

// listVersionsByFunction lists the latest version beside $LATEST: earlier ones aren't kept here.
func (e *Endpoint) listVersionsByFunction(_ context.Context, region string, in struct{ FunctionName, MaxItems, Marker string }) (any, error) {
	found, _, err := e.function(region, onFunction{FunctionName: in.FunctionName})
	if err != nil {
		return nil, err
	}
	listed := []any{e.configuration(found, "$LATEST")}
	if version := text(found.Outputs, "version"); version != "$LATEST" {
		listed = append(listed, e.configuration(found, version))
	}
	return object{"Versions": listed}, nil
}

func aliasOf(r *cloud.Resource) object {
	return object{
		"AliasArn": r.ID, "Name": r.Inputs["name"], "FunctionVersion": r.Inputs["functionVersion"], "Description": r.Inputs["description"],
	}
}

// alias finds an alias of a function, with its function.
func (e *Endpoint) alias(region, function, name string) (alias, of *cloud.Resource, err error) {
	of, _, err = e.function(region, onFunction{FunctionName: function})
	if err != nil {
		return nil, nil, err
	}
	alias, there := e.cloud.Read(cloud.FunctionAliasType, region, text(of.Outputs, "arn")+":"+name)
	if !there {
		return nil, nil, awsapi.Error("ResourceNotFoundException", "Cannot find alias arn: %s:%s", text(of.Outputs, "arn"), name)
	}
	return alias, of, nil
}

func (e *Endpoint) getAlias(_ context.Context, region string, in struct{ FunctionName, Name string }) (any, error) {
	alias, _, err := e.alias(region, in.FunctionName, in.Name)
	if err != nil {
		return nil, err
	}
	return aliasOf(alias), nil
}

// updateAlias leads an alias to the version that is kept here. No weighted pair of versions is served.
// https://docs.aws.amazon.com/lambda/latest/api/API_UpdateAlias.html
func (e *Endpoint) updateAlias(ctx context.Context, region string, in struct {
	FunctionName, Name           string
	FunctionVersion, Description *string
}) (any, error) {
	alias, of, err := e.alias(region, in.FunctionName, in.Name)
	if err != nil {
		return nil, err
	}
	changed := object{}
	if in.FunctionVersion != nil {
		if version := *in.FunctionVersion; version != "$LATEST" && version != of.Outputs["version"] {
			return nil, awsapi.Error("ResourceNotFoundException", "Function not found: %s:%s", text(of.Outputs, "arn"), version)
		}
		changed["functionVersion"] = *in.FunctionVersion
	}
	if in.Description != nil {
		changed["description"] = *in.Description
	}
	if err := e.change(alias, changed); err != nil {
		return nil, err
	}
	return e.getAlias(ctx, region, struct{ FunctionName, Name string }{in.FunctionName, in.Name})
}

// putFunctionConcurrency serves https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionConcurrency.html
func (e *Endpoint) putFunctionConcurrency(_ context.Context, region string, in struct {
	FunctionName                 string
	ReservedConcurrentExecutions *float64
}) (any, error) {
	found, _, err := e.function(region, onFunction{FunctionName: in.FunctionName})
	if err != nil {
		return nil, err
	}
	if in.ReservedConcurrentExecutions == nil || *in.ReservedConcurrentExecutions < 0 {
		return nil, awsapi.Error("InvalidParameterValueException", "ReservedConcurrentExecutions is 0 or more")
	}
	reserved := *in.ReservedConcurrentExecutions
	before, _ := found.Inputs["reservedConcurrentExecutions"].(float64) // -1: none
	if e.unreserved(region)+max(0, before)-reserved < leastUnreserved {
		return nil, awsapi.Error("InvalidParameterValueException", "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [%d].", leastUnreserved)
	}
	return object{"ReservedConcurrentExecutions": reserved}, e.change(found, object{"reservedConcurrentExecutions": reserved})
}

func (e *Endpoint) deleteFunctionConcurrency(_ context.Context, region string, in struct{ FunctionName string }) (any, error) {
	found, _, err := e.function(region, onFunction{FunctionName: in.FunctionName})
	if err != nil {
		return nil, err
	}
	return payload{}, e.change(found, object{"reservedConcurrentExecutions": nil})
}

// deleteFunction deletes a function with its aliases. With a qualifier it deletes that version: to the one that there is an
// alias leads, and that there is no other isn't an error, as recorded in LocalStack's test_delete_on_nonexisting_version.
// https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunction.html
func (e *Endpoint) deleteFunction(_ context.Context, region string, in onFunction) (any, error) {
	found, _, err := e.function(region, onFunction{FunctionName: in.FunctionName})
	switch {
	case err != nil:
		return nil, err
	case in.Qualifier == "":
		return payload{}, e.cloud.Delete(cloud.FunctionType, region, found.ID)
	case in.Qualifier == found.Outputs["version"]:
		return nil, awsapi.Error("ResourceConflictException", "Version %s is the only one that is kept here, and can't be deleted.", in.Qualifier)
	}
	return payload{}, nil
}

func (e *Endpoint) listAliases(_ context.Context, region string, in struct{ FunctionName, MaxItems, Marker string }) (any, error) {
	found, _, err := e.function(region, onFunction{FunctionName: in.FunctionName})
	if err != nil {
		return nil, err
	}
	listed := []any{}
	for _, alias := range e.declared(cloud.FunctionAliasType, region) {
		if strings.HasPrefix(alias.ID, text(found.Outputs, "arn")+":") {
			listed = append(listed, aliasOf(alias))
		}
	}
	return object{"Aliases": listed}, nil
}

// accountConcurrency is what an account has at first, beyond the smallest.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const accountConcurrency = 1000

// leastUnreserved is what no reservation may take.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
const leastUnreserved = 100

// unreserved is what functions of a region haven't reserved.
func (e *Endpoint) unreserved(region string) float64 {
	left := float64(accountConcurrency)
	for _, r := range e.declared(cloud.FunctionType, region) {
		if reserved, given := r.Inputs["reservedConcurrentExecutions"].(float64); given && reserved > 0 {
			left -= reserved
		}
	}
	return left
}

func (e *Endpoint) getAccountSettings(_ context.Context, region string, _ struct{}) (any, error) {
	return object{
		"AccountLimit": object{"ConcurrentExecutions": accountConcurrency, "UnreservedConcurrentExecutions": e.unreserved(region)},
		"AccountUsage": object{"FunctionCount": len(e.declared(cloud.FunctionType, region))},
	}, nil
}

// invoke calls a function synchronously, as an administrator. A function's own failure is an answer.
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
func (e *Endpoint) invoke(ctx context.Context, region string, in struct {
	onFunction
	Payload []byte
}) (any, error) {
	found, version, err := e.function(region, in.onFunction)
	if err != nil {
		return nil, err
	}
	if len(in.Payload) == 0 {
		in.Payload = []byte("{}")
	}
	if !json.Valid(in.Payload) {
		return nil, awsapi.Error("InvalidRequestContentException", "Could not parse request body into json")
	}
	arn := text(found.Outputs, "arn")
	if version != "" && version != "$LATEST" {
		arn += ":" + version
	}
	answer, err := e.cloud.InvokeFunction(ctx, arn, in.Payload)
	failure, failed := errors.AsType[*states.Failure](err)
	switch {
	case failed:
		told, _ := json.Marshal(object{"errorType": failure.Name, "errorMessage": failure.Cause}) // strings
		if json.Valid([]byte(failure.Cause)) {
			told = []byte(failure.Cause) // which is a function's error as it wrote it
		}
		return payload{map[string]string{"X-Amz-Function-Error": "Unhandled"}, told}, nil
	case err != nil:
		return nil, err
	}
	return payload{map[string]string{"X-Amz-Executed-Version": answer.Version}, answer.Payload}, nil
}
