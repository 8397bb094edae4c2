package readme

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// warnings are what surprises on the way to a deployment. A page with such a command in a block says so.
var warnings = []struct {
	command, says *regexp.Regexp
	source        string
}{
	{
		regexp.MustCompile(`pulumi (preview|refresh|up|destroy).* (-s|--stack) `), regexp.MustCompile(`Docker`),
		"the provider pings Docker's daemon when it is configured: https://github.com/pulumi/pulumi-docker, provider/provider.go",
	},
	{
		regexp.MustCompile(`pulumi stack init`), regexp.MustCompile(`passphrase|--secrets-provider`),
		"https://www.pulumi.com/docs/iac/concepts/secrets/#available-encryption-providers",
	},
	{
		regexp.MustCompile(`pulumi stack init`), regexp.MustCompile(`(?s)Pulumi\.dev\.yaml.{0,20} commit|git add Pulumi`),
		"stack init writes the secrets' settings into the stack's file: https://www.pulumi.com/docs/iac/concepts/config/",
	},
	{
		regexp.MustCompile(`pulumi stack init`), regexp.MustCompile(`first\s+preview compiles the program`),
		"https://www.pulumi.com/docs/iac/concepts/projects/project-file/: without a binary, go build runs first",
	},
}

func TestThePagesWarnOfWhatSurprises(t *testing.T) {
	for _, w := range warnings {
		warned := 0
		for _, p := range pages(t) {
			if !slices.ContainsFunc(p.blocks, func(b block) bool { return b.language == "sh" && w.command.MatchString(b.text) }) {
				continue
			}
			warned++
			if !w.says.MatchString(p.text) {
				t.Errorf("%s has a block with %q, but nothing says %q (%s)", p.name, w.command, w.says, w.source)
			}
		}
		if warned == 0 {
			t.Errorf("no page has a block with %q", w.command)
		}
	}
}

// An operator whose job was killed meets the lock of the backend
// (https://www.pulumi.com/docs/iac/cli/commands/pulumi_cancel/).
func TestThePagesSayHowALockIsCleared(t *testing.T) {
	for _, name := range []string{"docs/deploy.md", "docs/delivery.md"} {
		if p := pageNamed(t, name); !regexp.MustCompile(`(?s)lock.{0,200}pulumi cancel -`).MatchString(p.text) {
			t.Errorf("%s doesn't name pulumi cancel beside the lock", name)
		}
	}
}

// A rule that Checkov finds broken is not called met: the row of the controls that names it says so, or says but.
func TestControlsThatCheckovFindsBrokenAreNotCalledMet(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "tests/peers/findings.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var findings []struct{ ID string }
	if err := yaml.Unmarshal(text, &findings); err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, finding := range findings {
		if !strings.HasPrefix(finding.ID, "CKV") {
			continue
		}
		checked++
		for line := range strings.Lines(pageNamed(t, "docs/decisions/0032-controls.md").text) {
			cells := strings.Split(line, "|")
			if len(cells) < 5 || !slices.Contains(controls(cells[1]), finding.ID) {
				continue
			}
			if strings.TrimSpace(cells[3]) != "not met" && strings.TrimSpace(cells[4]) == "" {
				t.Errorf("Checkov finds %s broken, and the controls call it met: %s", finding.ID, line)
			}
		}
	}
	if checked == 0 {
		t.Error("no finding of Checkov was read")
	}
}

// controls returns the controls of a cell in full: "CKV_AWS_158, 66" is CKV_AWS_158 and CKV_AWS_66.
func controls(cell string) (all []string) {
	family := ""
	for id := range strings.SplitSeq(cell, ",") {
		id = strings.TrimSpace(id)
		if i := strings.LastIndex(id, "_"); i >= 0 {
			family = id[:i+1]
		} else {
			id = family + id
		}
		all = append(all, id)
	}
	return all
}
