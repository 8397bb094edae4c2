// Package doctor checks, before a stack's first deployment, what that needs: on this machine, in Pulumi's backend and in the
// AWS account. It changes nothing anywhere.
package doctor

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/blang/semver"
	"gopkg.in/yaml.v3"

	"trade-processing/internal/child"
	"trade-processing/internal/stackconfig"
	"trade-processing/stack"
)

// Status is how a check ended.
type Status string

// The statuses.
const (
	OK         Status = "ok"
	Warning    Status = "warning" // a deployment works, but somebody will be surprised
	Problem    Status = "problem" // a deployment fails, or harms another stack
	NotChecked Status = "not checked"
)

// Result is what a check found.
type Result struct {
	Check  string `json:"check"`
	Status Status `json:"status"`
	Found  string `json:"found"`
	Fix    string `json:"fix"` // a line to type, to write into the stack's config, or to read; empty: nothing is to be done
}

const (
	patience     = 20 * time.Second // for each answer of a program or of AWS
	oldestPulumi = "3.257.0"        // docs/deploy.md asks for it
	oldestDocker = "23.0.0"         // the first whose default builder is BuildKit
)

// examination is one run of all checks.
type examination struct {
	root, stack, region string
	config              map[string]string // as the program gets it
	settings            struct {          // what `pulumi stack init` has added to the stack's file
		SecretsProvider string `yaml:"secretsprovider"`
		EncryptionSalt  string `yaml:"encryptionsalt"`
	}
	account string // empty: nobody answers for it
	results []Result
}

// Examine runs all checks for a stack of the project in folder root. An error is one of usage or configuration: nothing was
// checked.
func Examine(ctx context.Context, root, name string) ([]Result, error) {
	e := &examination{root: root}
	var err error
	if _, _, e.stack, err = stackconfig.Name(name); err != nil {
		return nil, err
	}
	if e.config, err = stackconfig.Read(root, name); err != nil {
		return nil, err
	}
	if e.region = e.config["aws:region"]; e.region == "" {
		return nil, fmt.Errorf("%s has no aws:region", stackconfig.FileOf(e.stack))
	}
	text, err := os.ReadFile(filepath.Join(root, stackconfig.FileOf(e.stack)))
	if err == nil {
		err = yaml.Unmarshal(text, &e.settings)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the config of stack %s: %w", name, err)
	}
	if err := e.insights(); err != nil {
		return nil, err
	}
	e.pulumi(ctx)
	e.docker(ctx)
	if err := e.aws(ctx); err != nil {
		return nil, err
	}
	return e.results, context.Cause(ctx)
}

func (e *examination) add(check string, status Status, fix, format string, args ...any) {
	e.results = append(e.results, Result{Check: check, Status: status, Found: fmt.Sprintf(format, args...), Fix: fix})
}

// read reads a config key of the program's that isn't a text. The program has a default for each.
func (e *examination) read(key string, into any) error {
	if err := json.Unmarshal([]byte(e.config[key]), into); err != nil {
		return fmt.Errorf("%s of stack %s: %w", key, e.stack, err)
	}
	return nil
}

// key returns the full name of a config key of the program's.
func key(name string) string { return "trade-processing:" + name }

// ask runs a program and returns what it prints.
func (e *examination) ask(ctx context.Context, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	command := child.Command(ctx, name, args...)
	command.Dir = e.root
	var problems bytes.Buffer
	command.Stderr = &problems
	text, err := command.Output()
	if said, _, _ := strings.Cut(strings.TrimSpace(problems.String()), "\n"); err != nil && said != "" {
		err = errors.New(said)
	}
	return strings.TrimSpace(string(text)), err
}

func (e *examination) insights() error {
	arguments, err := stack.RecipeArguments(e.root)
	if err != nil {
		return err
	}
	given := map[string]string{}
	if err := e.read(key("imageArguments"), &given); err != nil {
		return err
	}
	maps.Copy(arguments, given)
	const check, pin = "Lambda Insights", "make pin-insights"
	switch {
	case arguments["INSIGHTS"] == "with" && arguments["INSIGHTS_SHA256"] == "":
		e.add(check, Problem, pin, "is in the images, but its checksum is pinned neither in lambdas/Dockerfile nor in imageArguments")
	case arguments["INSIGHTS"] == "with":
		e.add(check, OK, "", "version %s is in the images, and its checksum is pinned", arguments["INSIGHTS_VERSION"])
	case e.config[key("manageInsightsLogGroup")] == "true":
		e.add(check, Warning, pin, "is left out of the images, though this stack owns its log group")
	default:
		e.add(check, OK, "", "is left out of the images")
	}
	return nil
}

func (e *examination) pulumi(ctx context.Context) {
	const install, login = "https://www.pulumi.com/docs/install/", "pulumi login 's3://your-bucket?region=ANOTHER-REGION'"
	text, err := e.ask(ctx, "pulumi", "version")
	version, unread := semver.ParseTolerant(text)
	switch {
	case errors.Is(err, exec.ErrNotFound):
		e.add("pulumi", Problem, install, "there is none on PATH")
		e.add("state backend", NotChecked, "", "there is no pulumi to ask")
		return
	case err != nil || unread != nil:
		e.add("pulumi", Problem, install, "doesn't say its version: %v", cmp.Or(err, unread))
	case version.LT(semver.MustParse(oldestPulumi)):
		e.add("pulumi", Problem, install, "is version %s, and %s or later is needed", version, oldestPulumi)
	default:
		e.add("pulumi", OK, "", "version %s", version)
	}
	// https://www.pulumi.com/docs/iac/cli/commands/pulumi_whoami/
	text, err = e.ask(ctx, "pulumi", "whoami", "--json", "--non-interactive")
	var who struct{ User, URL string }
	if err == nil {
		err = json.Unmarshal([]byte(text), &who)
	}
	if err != nil {
		e.add("state backend", Problem, login, "pulumi isn't logged in, or can't reach its backend: %v", err)
		return
	}
	switch {
	case strings.HasPrefix(who.URL, "file:"):
		e.add("state backend", Warning, login, "%s: only this machine has the state", who.URL)
	case strings.Contains(who.URL, "region="+e.region):
		e.add("state backend", Warning, "https://www.pulumi.com/docs/iac/concepts/state-and-backends/", "%s: it is in the stack's region, and you need the state most when that is lost", who.URL)
	default:
		e.add("state backend", OK, "", "%s, as %s", who.URL, who.User)
	}
	e.secrets(who.URL)
}

// secrets looks at who encrypts the stack's secrets:
// https://www.pulumi.com/docs/iac/concepts/projects/stack-settings-file/
func (e *examination) secrets(backend string) {
	const check = "secrets provider"
	provider := e.settings.SecretsProvider
	_, given := os.LookupEnv("PULUMI_CONFIG_PASSPHRASE")
	_, inFile := os.LookupEnv("PULUMI_CONFIG_PASSPHRASE_FILE")
	switch {
	case provider == "passphrase" || provider == "" && e.settings.EncryptionSalt != "":
		if given || inFile {
			e.add(check, OK, "", "a passphrase, which is in the environment")
		} else {
			e.add(check, Warning, "export PULUMI_CONFIG_PASSPHRASE_FILE=FILE", "a passphrase, which isn't in the environment: pulumi asks for it, and a workflow can't answer")
		}
	case strings.HasPrefix(provider, "awskms://") && strings.Contains(provider, "region="+e.region):
		e.add(check, Warning, "pulumi stack change-secrets-provider 'awskms://alias/your-key?region=ANOTHER-REGION' --stack "+e.stack,
			"%s: the key is in the stack's region, and you need it most when that is lost", provider)
	case provider != "" && provider != "default":
		e.add(check, OK, "", "%s", provider)
	case strings.HasPrefix(backend, "http"):
		e.add(check, OK, "", "the backend's own")
	default:
		e.add(check, Warning, "pulumi stack init "+e.stack+" --secrets-provider 'awskms://alias/your-key?region=ANOTHER-REGION'",
			"%s names none yet: without one, `pulumi stack init` asks for a passphrase", stackconfig.FileOf(e.stack))
	}
}

func (e *examination) docker(ctx context.Context) {
	const check, install = "Docker", "https://docs.docker.com/engine/install/"
	text, err := e.ask(ctx, "docker", "info", "--format", "{{.ServerVersion}}")
	version, unread := semver.ParseTolerant(text)
	switch {
	case errors.Is(err, exec.ErrNotFound):
		e.add(check, Problem, install, "there is no docker on PATH")
		return
	case err != nil || unread != nil:
		e.add(check, Problem, "https://docs.docker.com/engine/daemon/start/", "the daemon doesn't answer, and previews need it too: %v", cmp.Or(err, unread))
		return
	case version.LT(semver.MustParse(oldestDocker)):
		e.add(check, Problem, install, "the daemon is version %s, and the images need %s or later", version, oldestDocker)
	default:
		// Go compiles for arm64 everywhere, and nothing runs in the images' own platform: no emulator is needed.
		e.add(check, OK, "", "version %s builds the arm64 images, without emulation", version)
	}
	// https://docs.docker.com/build/concepts/overview/#buildx
	if _, err := e.ask(ctx, "docker", "buildx", "version"); err != nil {
		e.add("buildx", Warning, "https://docs.docker.com/go/buildx/", "docker has no buildx, so `make images` can't build: %v", err)
	} else {
		e.add("buildx", OK, "", "is there")
	}
}
