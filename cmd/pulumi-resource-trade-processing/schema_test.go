package main

import (
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	provider "github.com/pulumi/pulumi-go-provider"
	pschema "github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"trade-processing/tests/cli"
)

var update = flag.Bool("update", false, "write the schema anew")

// Other languages' SDKs are generated from the file. After a change that is meant, and with a new version:
//
//	go test ./cmd/pulumi-resource-trade-processing -run Schema -update
func TestTheSchemaIsWhatTheComponentsSay(t *testing.T) {
	spec := inferredSchema(t)
	describe(t, &spec)
	got, err := json.MarshalIndent(spec, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("schema.json", append(got, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(strings.Split(schema, "\n"), strings.Split(string(got)+"\n", "\n")); diff != "" {
		t.Errorf("the file (-) and the components (+); write it anew with -update if that is meant:\n%s", diff)
	}
}

func TestSDKsCanBeGeneratedFromTheSchema(t *testing.T) {
	var spec pschema.PackageSpec
	if err := json.Unmarshal([]byte(schema), &spec); err != nil {
		t.Fatal(err)
	}
	_, problems, err := pschema.BindSpec(spec, pschema.NewNullLoader(), pschema.ValidationOptions{})
	if err != nil || problems.HasErrors() {
		t.Errorf("%v %v", err, problems)
	}
}

// inferredSchema returns the schema as infer makes it, without a word of description.
func inferredSchema(t *testing.T) pschema.PackageSpec {
	t.Helper()
	server, err := provider.RawServer(packageName, packageVersion, inferred())(nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := server.GetSchema(t.Context(), &pulumirpc.GetSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var spec pschema.PackageSpec
	if err := json.Unmarshal([]byte(answer.GetSchema()), &spec); err != nil {
		t.Fatal(err)
	}
	return spec
}

// describe adds what only the components' sources tell: doc comments, which each argument has to have, and which nested
// values are plain ones.
func describe(t *testing.T, spec *pschema.PackageSpec) {
	docs := docsOf(t)
	properties := func(name string, all map[string]pschema.PropertySpec) {
		for property, p := range all {
			if p.Description = docs[name].properties[property]; p.Description == "" {
				t.Errorf("%s: %s has no doc comment", name, property)
			}
			if docs[name].plain[property] {
				markPlain(&p.TypeSpec)
			}
			all[property] = p
		}
	}
	for key, resource := range spec.Resources {
		name := key[strings.LastIndex(key, ":")+1:]
		resource.Description = docs[name].text
		for property, p := range resource.Properties {
			p.Description = docs[name].properties[property]
			resource.Properties[property] = p
		}
		properties(name+"Args", resource.InputProperties)
		spec.Resources[key] = resource
	}
	for key, object := range spec.Types {
		name := key[strings.LastIndex(key, ":")+1:]
		object.Description = docs[name].text
		properties(name, object.Properties)
		spec.Types[key] = object
	}
}

func markPlain(of *pschema.TypeSpec) {
	if of != nil {
		of.Plain = true
		markPlain(of.Items)
		markPlain(of.AdditionalProperties)
	}
}

// doc is what a struct's comments say of it, and of its fields by the names in their tags, and which of them hold no
// input.
type doc struct {
	text       string
	properties map[string]string
	plain      map[string]bool
}

func docsOf(t *testing.T) map[string]doc {
	t.Helper()
	sources, err := filepath.Glob("../../components/*.go")
	if err != nil || len(sources) == 0 {
		t.Fatalf("no sources: %v", err)
	}
	docs := map[string]doc{}
	for _, source := range sources {
		file, err := parser.ParseFile(token.NewFileSet(), source, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range file.Decls {
			declared, ok := declaration.(*ast.GenDecl)
			if !ok || declared.Tok != token.TYPE {
				continue
			}
			of := declared.Specs[0].(*ast.TypeSpec)
			if object, ok := of.Type.(*ast.StructType); ok {
				docs[of.Name.Name] = docOf(declared.Doc, object)
			}
		}
	}
	return docs
}

var word = regexp.MustCompile(`\w+`)

// docOf spells the fields as other languages know them.
func docOf(text *ast.CommentGroup, of *ast.StructType) doc {
	names := map[string]string{} // of properties, by field
	for _, field := range of.Fields.List {
		if field.Tag != nil && len(field.Names) == 1 {
			tag := reflect.StructTag(strings.Trim(field.Tag.Value, "`")).Get("pulumi")
			names[field.Names[0].Name], _, _ = strings.Cut(tag, ",")
		}
	}
	spelt := func(comment *ast.CommentGroup) string {
		line := strings.ReplaceAll(strings.TrimSpace(comment.Text()), "\n", " ")
		return word.ReplaceAllStringFunc(line, func(word string) string {
			if name := names[word]; name != "" {
				return name
			}
			return word
		})
	}
	described := doc{strings.ReplaceAll(strings.TrimSpace(text.Text()), "\n", " "), map[string]string{}, map[string]bool{}}
	for _, field := range of.Fields.List {
		if len(field.Names) == 1 && names[field.Names[0].Name] != "" {
			property := names[field.Names[0].Name]
			described.properties[property] = strings.TrimSpace(spelt(field.Doc) + " " + spelt(field.Comment))
			described.plain[property] = !strings.Contains(types.ExprString(field.Type), "pulumi.")
		}
	}
	return described
}

func TestPulumiKnowsHowToStartThePackage(t *testing.T) {
	project, err := workspace.LoadPluginProject("PulumiPlugin.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if project.Runtime.Name() != "go" {
		t.Errorf("the runtime is %s", project.Runtime.Name())
	}
}

// The CLI starts the plugin, asks it for its schema, and refuses one that no SDK could be generated from.
func TestPulumiTakesTheSchema(t *testing.T) {
	pulumi := cli.OnPath(t)
	pulumi.Set(asPackage, "1")
	folder := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	plugin := filepath.Join(folder, "pulumi-resource-"+packageName)
	if err := os.Symlink(self, plugin); err != nil {
		t.Fatal(err)
	}
	output, err := pulumi.Run(t.Context(), folder, "package", "get-schema", plugin)
	if err != nil {
		t.Fatal(err)
	}
	var got, want map[string]any
	if err := json.Unmarshal([]byte(output), &got); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	if err := json.Unmarshal([]byte(schema), &want); err != nil {
		t.Fatal(err)
	}
	delete(got, "config") // there is none
	delete(want, "config")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what the package says (-) and what Pulumi makes of it (+): %s", diff)
	}
}
