package mutation

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// folders are the packages with decisions, each after those it imports.
var folders = []string{"../cidr", "../value", "../document", "../rules"}

// isShared reports whether a file belongs to the machinery that all rules share. Its conditions belong to no rule.
func isShared(path string) bool {
	folder, name := filepath.Split(path)
	return filepath.Base(folder) != "rules" || slices.Contains([]string{"judge.go", "mentions.go", "resource.go", "rule.go", "settings.go", "stack.go"}, name)
}

// condition is a place in the sources where something is decided.
type condition struct {
	id     int
	place  string // file:line
	source string
	shared bool
}

// instrumented is the packages whose conditions call the probe.
type instrumented struct {
	conditions []condition
	files      map[string][]byte // by the path of the file each replaces
}

// probe is the file added to package value, which the others import. MUTANT is "id" or "id@rule"; MUTANT_RECORD names
// the file to which the pairs of condition and rule are written.
const probe = `package value

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

var mutation struct {
	id      int
	rule    string
	judging string
	seen    map[string]bool
	record  *os.File
}

func init() {
	id, rule, _ := strings.Cut(os.Getenv("MUTANT"), "@")
	mutation.rule, mutation.id = rule, -1
	if number, err := strconv.Atoi(id); err == nil {
		mutation.id = number
	}
	if path := os.Getenv("MUTANT_RECORD"); path != "" {
		mutation.seen = map[string]bool{}
		var err error
		if mutation.record, err = os.Create(path); err != nil {
			panic(err)
		}
	}
}

func MutationJudging(rule string) { mutation.judging = rule }

func MutationProbe(id int, condition bool) bool {
	if mutation.record != nil {
		pair := fmt.Sprintf("%d@%s", id, mutation.judging)
		if !mutation.seen[pair] {
			mutation.seen[pair] = true
			fmt.Fprintln(mutation.record, pair)
		}
	}
	if id == mutation.id && (mutation.rule == "" || mutation.rule == mutation.judging) {
		return !condition
	}
	return condition
}

func mutationProbe(id int, condition bool) bool { return MutationProbe(id, condition) }
`

// relay is the file added to the packages that import value.
const relay = `package %s

import "trade-processing/policy/value"

func mutationProbe(id int, condition bool) bool { return value.MutationProbe(id, condition) }

func mutationJudging(rule string) { value.MutationJudging(rule) }

var _ = mutationJudging
`

// instrument reads the sources, without tests.
func instrument() (*instrumented, error) {
	all := &instrumented{files: map[string][]byte{}}
	for _, folder := range folders {
		added := probe
		if folder != "../value" {
			added = fmt.Sprintf(relay, filepath.Base(folder))
		}
		all.files[filepath.Join(folder, "mutation_probe.go")] = []byte(added)
		paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			if err := all.file(path); err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
		}
	}
	return all, nil
}

func (all *instrumented) file(path string) error {
	source, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, source, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	wrap := func(asked ast.Expr) ast.Expr {
		start, end := set.Position(asked.Pos()), set.Position(asked.End())
		c := condition{
			id: len(all.conditions), place: fmt.Sprintf("%s:%d", path, start.Line),
			source: string(source[start.Offset:end.Offset]), shared: isShared(path),
		}
		all.conditions = append(all.conditions, c)
		return &ast.CallExpr{
			Fun:  ast.NewIdent("mutationProbe"),
			Args: []ast.Expr{&ast.BasicLit{Kind: token.INT, Value: strconv.Itoa(c.id)}, asked},
		}
	}
	ast.Inspect(file, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.IfStmt:
			node.Cond = wrap(node.Cond)
		case *ast.SwitchStmt:
			if node.Tag == nil {
				for _, clause := range node.Body.List {
					for i, asked := range clause.(*ast.CaseClause).List {
						clause.(*ast.CaseClause).List[i] = wrap(asked)
					}
				}
			}
		case *ast.FuncDecl:
			wrapResults(node.Type, node.Body, wrap)
			if node.Name.Name == "resource" && node.Recv != nil { // every judgement begins here
				node.Body.List = slices.Insert(node.Body.List, 0, ast.Stmt(&ast.ExprStmt{X: &ast.CallExpr{
					Fun: ast.NewIdent("mutationJudging"), Args: []ast.Expr{&ast.SelectorExpr{X: ast.NewIdent("r"), Sel: ast.NewIdent("Name")}},
				}}))
			}
		case *ast.FuncLit:
			wrapResults(node.Type, node.Body, wrap)
		}
		return true
	})
	var text bytes.Buffer
	file.Comments = nil // their positions are those of the original
	if err := format.Node(&text, set, file); err != nil {
		return err
	}
	all.files[path] = text.Bytes()
	return nil
}

// wrapResults wraps the results of a function that returns only a bool. Constants are left alone: what leads to them is
// itself a condition.
func wrapResults(function *ast.FuncType, body *ast.BlockStmt, wrap func(ast.Expr) ast.Expr) {
	if body == nil || function.Results == nil || len(function.Results.List) != 1 {
		return
	}
	if result, ok := function.Results.List[0].Type.(*ast.Ident); !ok || result.Name != "bool" {
		return
	}
	ast.Inspect(body, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.FuncLit:
			return false // has its own results
		case *ast.ReturnStmt:
			if constant, ok := node.Results[0].(*ast.Ident); !ok || constant.Name != "true" && constant.Name != "false" {
				node.Results[0] = wrap(node.Results[0])
			}
		}
		return true
	})
}
