package readme

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"trade-processing/tests/cli"
	"trade-processing/tests/shell"
)

// The Pulumi CLI itself, in the version in use, says which commands and options it has: those in pages and workflows
// are checked against that.
func TestTheCommandsOfPulumiExist(t *testing.T) {
	asked := pulumiHelp{cli: cli.OnPath(t), folder: t.TempDir(), known: map[string]string{}}
	count := 0
	for where, scripts := range allScripts(t) {
		for _, script := range scripts {
			found, err := shell.Commands(script)
			if err != nil {
				t.Errorf("%s: %v in\n%s", where, err, script)
			}
			for _, c := range found {
				if c.Words[0] != "pulumi" || len(c.Words) == 1 {
					continue
				}
				count++
				name, help := asked.about(t.Context(), c)
				if help == "" {
					t.Errorf("%s: %v: pulumi %s is not a command", where, c, name)
					continue
				}
				for _, option := range c.Options() {
					if !regexp.MustCompile(`(?m)^ +(?:-\w, )?--` + regexp.QuoteMeta(option) + `\b`).MatchString(help) {
						t.Errorf("%s: %v: pulumi %s has no --%s", where, c, name, option)
					}
				}
			}
		}
	}
	if count < 30 {
		t.Errorf("pages and workflows have %d commands of pulumi: this test overlooks most", count)
	}
}

// pulumiHelp is the CLI's help about its commands.
type pulumiHelp struct {
	cli    cli.CLI
	folder string
	known  map[string]string // by command
}

// about returns the command that the words begin with, and its help; empty if there is no such command.
func (p pulumiHelp) about(ctx context.Context, c shell.Command) (name, help string) {
	var words []string
	for _, word := range c.Words[1:] {
		if strings.HasPrefix(word, "-") || strings.ContainsAny(word, shell.Unknown+":/.") {
			break
		}
		words = append(words, word)
	}
	asked := strings.Join(words, " ")
	text, known := p.known[asked]
	if !known {
		text, _ = p.cli.Run(ctx, p.folder, append(slices.Clone(words), "--help")...) // no help: no such command
		p.known[asked] = text
	}
	// The CLI shows the help of the longest command that the words begin with; the rest may be its arguments.
	usage := regexp.MustCompile(`(?m)^Usage:\n  pulumi ([a-z -]*?)(?: \[.*| <.*)?$`).FindStringSubmatch(text)
	if usage == nil || len(words) == 0 {
		return asked, ""
	}
	path := strings.Fields(usage[1])
	isGroup := regexp.MustCompile(`(?m)^  pulumi.* \[command\]$`).MatchString(text)
	if len(path) == 0 || len(path) > len(words) || isGroup && len(words) > len(path) {
		return asked, ""
	}
	last := len(path) - 1
	aliases := regexp.MustCompile(`(?m)^Aliases:\n  (.*)$`).FindStringSubmatch(text)
	if aliases != nil && slices.Contains(strings.Split(aliases[1], ", "), words[last]) {
		path[last] = words[last]
	}
	if !slices.Equal(path, words[:len(path)]) {
		return asked, ""
	}
	return strings.Join(path, " "), text
}

// allScripts returns the scripts in the pages and in the workflows' steps, by location.
func allScripts(t *testing.T) map[string][]string {
	t.Helper()
	scripts := map[string][]string{}
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			if b.language == "sh" {
				scripts[b.String()] = append(scripts[b.String()], b.text)
			}
		}
		for _, span := range p.spans {
			if strings.HasPrefix(span, "pulumi ") && !strings.Contains(span, "…") {
				scripts[p.name] = append(scripts[p.name], span)
			}
		}
	}
	inWorkflows, err := shell.InWorkflows(root)
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(scripts, inWorkflows)
	return scripts
}
