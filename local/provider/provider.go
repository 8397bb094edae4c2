// Package provider presents the embedded local cloud to the Pulumi engine as the AWS and Docker providers.
package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"trade-processing/local/cloud"
)

// packages are the providers that the local cloud stands in for, at the SDK versions the program is written for.
var packages = map[string]semver.Version{
	"aws":    semver.MustParse("6.83.2"),
	"docker": semver.MustParse("4.10.0"),
}

// Of returns a cloud's providers: for each package a function that creates an instance. An engine creates one for each
// provider in a stack, and configures it once.
func Of(c *cloud.Cloud) map[string]func() pulumirpc.ResourceProviderServer {
	all := map[string]func() pulumirpc.ResourceProviderServer{}
	for pkg, version := range packages {
		all[pkg] = func() pulumirpc.ResourceProviderServer {
			return plugin.NewProviderServer(&provider{pkg: tokens.Package(pkg), version: version, cloud: c})
		}
	}
	return all
}

// provider answers the engine's resource calls to one instance of a package from the cloud.
type provider struct {
	plugin.UnimplementedProvider
	pkg      tokens.Package
	version  semver.Version
	cloud    *cloud.Cloud
	settings atomic.Pointer[settings]
}

// instance returns what distinguishes this instance, once it is configured.
func (p *provider) instance() settings {
	if configured := p.settings.Load(); configured != nil {
		return *configured
	}
	return settings{}
}

func (p *provider) Pkg() tokens.Package { return p.pkg }

func (p *provider) Close() error { return nil }

// Attach is the engine's greeting to a provider that it did not start.
func (p *provider) Attach(string) error { return nil }

func (p *provider) SignalCancellation(context.Context) error { return nil }

func (p *provider) GetPluginInfo(context.Context) (plugin.PluginInfo, error) {
	return plugin.PluginInfo{Version: &p.version}, nil
}

func (p *provider) Handshake(
	context.Context, plugin.ProviderHandshakeRequest,
) (*plugin.ProviderHandshakeResponse, error) {
	// Without AcceptSecrets the engine sends plain values and itself marks the outputs of secret inputs as secret.
	return &plugin.ProviderHandshakeResponse{}, nil
}

func (p *provider) CheckConfig(_ context.Context, req plugin.CheckConfigRequest) (plugin.CheckConfigResponse, error) {
	return plugin.CheckConfigResponse{Properties: req.News}, nil
}

// DiffConfig replaces nothing: the AWS provider does so when the region changes, which here shows in the resources' own
// regions.
func (p *provider) DiffConfig(_ context.Context, req plugin.DiffConfigRequest) (plugin.DiffResult, error) {
	diff := req.OldInputs.Diff(req.NewInputs)
	if diff == nil {
		return plugin.DiffResult{Changes: plugin.DiffNone}, nil
	}
	result := plugin.DiffResult{Changes: plugin.DiffSome, ChangedKeys: diff.ChangedKeys()}
	if slices.Contains(result.ChangedKeys, "region") {
		result.ReplaceKeys = []resource.PropertyKey{"region"}
	}
	return result, nil
}

func (p *provider) Configure(_ context.Context, req plugin.ConfigureRequest) (plugin.ConfigureResponse, error) {
	settings, err := readSettings(req.Inputs)
	if err != nil {
		return plugin.ConfigureResponse{}, fmt.Errorf("configuring provider %s: %w", p.pkg, err)
	}
	p.settings.Store(&settings)
	return plugin.ConfigureResponse{}, nil
}

func (p *provider) Check(_ context.Context, req plugin.CheckRequest) (plugin.CheckResponse, error) {
	known, unknown := split(req.News)
	checked, err := cloud.Check(string(req.Type), req.Name, known, unknown, p.instance().defaultTags)
	if err != nil {
		return plugin.CheckResponse{Failures: []plugin.CheckFailure{{Reason: err.Error()}}}, nil
	}
	properties := req.News
	if tags, tagged := checked["tags"]; tagged {
		properties = req.News.Copy()
		properties["tags"] = resource.NewPropertyValue(tags)
	}
	return plugin.CheckResponse{Properties: properties}, nil
}

// Diff compares inputs. The engine has already undone ignored changes, and relies entirely on the kinds of the detailed
// differences.
func (p *provider) Diff(_ context.Context, req plugin.DiffRequest) (plugin.DiffResult, error) {
	diff := req.OldInputs.Diff(req.NewInputs, resource.IsInternalPropertyKey)
	if diff == nil {
		return plugin.DiffResult{Changes: plugin.DiffNone}, nil
	}
	replaces, err := cloud.Replaces(string(req.Type))
	if err != nil {
		return plugin.DiffResult{}, err
	}
	first, err := cloud.DeletesFirst(string(req.Type), req.NewInputs.HasValue("name"))
	if err != nil {
		return plugin.DiffResult{}, err
	}
	result := plugin.DiffResult{
		Changes: plugin.DiffSome, DetailedDiff: plugin.NewDetailedDiffFromObjectDiff(diff, true), DeleteBeforeReplace: first,
	}
	for text, change := range result.DetailedDiff {
		path, err := resource.ParsePropertyPath(text)
		if err != nil {
			return plugin.DiffResult{}, fmt.Errorf("comparing %s: property %q: %w", req.URN, text, err)
		}
		if name, _ := path[0].(string); slices.Contains(replaces, name) {
			result.DetailedDiff[text] = change.ToReplace()
		}
	}
	return result, nil
}

func (p *provider) Create(_ context.Context, req plugin.CreateRequest) (plugin.CreateResponse, error) {
	if req.Preview {
		computed, err := cloud.Computed(string(req.Type))
		if err != nil {
			return plugin.CreateResponse{}, err
		}
		return plugin.CreateResponse{Properties: withUnknown(req.Properties, computed)}, nil
	}
	known, _ := split(req.Properties)
	r, err := p.cloud.Create(string(req.Type), req.Name, p.instance().region, known)
	if err != nil {
		return plugin.CreateResponse{}, err
	}
	return plugin.CreateResponse{ID: resource.ID(r.ID), Properties: outputs(r)}, nil
}

func (p *provider) Read(_ context.Context, req plugin.ReadRequest) (plugin.ReadResponse, error) {
	r, found := p.cloud.Read(string(req.Type), p.instance().region, string(req.ID))
	// The AWS provider looks for a replica in its table's description.
	// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/dynamodb/table_replica.go (resourceTableReplicaRead)
	if !found || r.Outlived() != nil {
		return plugin.ReadResponse{}, nil
	}
	return plugin.ReadResponse{ReadResult: plugin.ReadResult{
		ID:      resource.ID(r.ID),
		Inputs:  resource.NewPropertyMapFromMap(r.Inputs),
		Outputs: outputs(r),
	}}, nil
}

func (p *provider) Update(_ context.Context, req plugin.UpdateRequest) (plugin.UpdateResponse, error) {
	known, unknown := split(req.NewInputs)
	if req.Preview {
		return previewUpdate(req, known, unknown)
	}
	r, err := p.cloud.Update(string(req.Type), p.instance().region, string(req.ID), known)
	if err != nil {
		return plugin.UpdateResponse{}, err
	}
	return plugin.UpdateResponse{Properties: outputs(r)}, nil
}

// previewUpdate returns the new inputs and the old outputs that stay: those that the update renews, such as a version,
// can't be known.
func previewUpdate(req plugin.UpdateRequest, known cloud.Properties, unknown []string) (plugin.UpdateResponse, error) {
	old, _ := split(req.OldInputs)
	renewed, err := cloud.Renewed(string(req.Type), old, known, unknown)
	if err != nil {
		return plugin.UpdateResponse{}, err
	}
	computed, err := cloud.Computed(string(req.Type))
	if err != nil {
		return plugin.UpdateResponse{}, err
	}
	properties := withUnknown(req.NewInputs, renewed)
	for _, name := range computed {
		key := resource.PropertyKey(name)
		_, given := properties[key]
		if value, there := req.OldOutputs[key]; there && !given {
			properties[key] = value
		}
	}
	return plugin.UpdateResponse{Properties: properties}, nil
}

func (p *provider) Delete(_ context.Context, req plugin.DeleteRequest) (plugin.DeleteResponse, error) {
	return plugin.DeleteResponse{}, p.cloud.Delete(string(req.Type), p.instance().region, string(req.ID))
}

func (p *provider) Invoke(_ context.Context, req plugin.InvokeRequest) (plugin.InvokeResponse, error) {
	known, _ := split(req.Args)
	result, err := p.cloud.Invoke(string(req.Tok), p.instance().region, known)
	if err != nil {
		return plugin.InvokeResponse{}, err
	}
	return plugin.InvokeResponse{Properties: resource.NewPropertyMapFromMap(result)}, nil
}

func (p *provider) GetMapping(context.Context, plugin.GetMappingRequest) (plugin.GetMappingResponse, error) {
	return plugin.GetMappingResponse{}, nil
}

func (p *provider) GetMappings(context.Context, plugin.GetMappingsRequest) (plugin.GetMappingsResponse, error) {
	return plugin.GetMappingsResponse{}, nil
}

var _ plugin.GrpcProvider = (*provider)(nil)

func outputs(r *cloud.Resource) resource.PropertyMap {
	return resource.NewPropertyMapFromMap(r.Outputs)
}

// split turns engine properties into plain values and names the top-level ones unknown at preview. A property with an
// unknown somewhere inside counts as unknown.
func split(properties resource.PropertyMap) (known cloud.Properties, unknown []string) {
	known = cloud.Properties{}
	for name, value := range properties {
		if resource.IsInternalPropertyKey(name) || value.IsNull() {
			continue
		}
		if value.ContainsUnknowns() {
			unknown = append(unknown, string(name))
			continue
		}
		known[string(name)] = plain(value)
	}
	return known, unknown
}

// plain unwraps secrets and outputs at every depth and leaves out nulls.
func plain(value resource.PropertyValue) any {
	switch {
	case value.IsSecret():
		return plain(value.SecretValue().Element)
	case value.IsOutput():
		return plain(value.OutputValue().Element)
	case value.IsArray():
		list := make([]any, 0, len(value.ArrayValue()))
		for _, element := range value.ArrayValue() {
			list = append(list, plain(element))
		}
		return list
	case value.IsObject():
		object := make(map[string]any, len(value.ObjectValue()))
		for name, element := range value.ObjectValue() {
			if !element.IsNull() {
				object[string(name)] = plain(element)
			}
		}
		return object
	default:
		return value.Mappable()
	}
}

func withUnknown(inputs resource.PropertyMap, computed []string) resource.PropertyMap {
	properties := maps.Clone(inputs)
	if properties == nil {
		properties = resource.PropertyMap{}
	}
	for _, name := range computed {
		if _, given := properties[resource.PropertyKey(name)]; !given {
			properties[resource.PropertyKey(name)] = resource.MakeComputed(resource.NewStringProperty(""))
		}
	}
	return properties
}

// settings are what distinguishes one provider instance from another.
type settings struct {
	region      string
	defaultTags map[string]string
}

// readSettings reads the provider's own inputs. The engine sends nested ones as JSON text.
func readSettings(inputs resource.PropertyMap) (settings, error) {
	known, _ := split(inputs)
	read := settings{defaultTags: map[string]string{}}
	read.region, _ = known["region"].(string)
	var defaults struct {
		Tags map[string]string `json:"tags"`
	}
	switch given := known["defaultTags"].(type) {
	case nil:
	case string:
		if err := json.Unmarshal([]byte(given), &defaults); err != nil {
			return settings{}, fmt.Errorf("defaultTags: %w", err)
		}
	default:
		text, err := json.Marshal(given)
		if err != nil {
			return settings{}, fmt.Errorf("defaultTags: %w", err)
		}
		if err := json.Unmarshal(text, &defaults); err != nil {
			return settings{}, fmt.Errorf("defaultTags: %w", err)
		}
	}
	maps.Copy(read.defaultTags, defaults.Tags)
	return read, nil
}
