package emulators

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Install brings the emulators into their folder, unless they are there. It needs python3 with its module venv, Maven and
// Java 17 or later, and the registries that pip and Maven are set up for. What it does goes to out.
func (i Installation) Install(ctx context.Context, out io.Writer) error {
	if i.Complete() {
		return nil
	}
	for _, tool := range []struct{ command, what string }{
		{"python3", "Python 3.10 or later, with its module venv"}, {"mvn", "Maven"}, {"java", "Java 17 or later"},
	} {
		if _, err := exec.LookPath(tool.command); err != nil {
			return fmt.Errorf("the emulators need %s: the command %s is not on PATH", tool.what, tool.command)
		}
	}
	// What an interrupted installation left is of no use.
	if err := os.RemoveAll(i.folder); err != nil {
		return err
	}
	if err := os.MkdirAll(i.java(), 0o755); err != nil {
		return err
	}
	locks := map[string][]byte{"requirements.txt": pythonLock, "pom.xml": javaProject}
	for name, content := range locks {
		if err := os.WriteFile(filepath.Join(i.folder, name), content, 0o644); err != nil {
			return err
		}
	}
	for _, step := range [][]string{
		{"python3", "-m", "venv", filepath.Join(i.folder, "python")},
		{i.Tool("python"), "-m", "pip", "install", "--quiet", "--require-hashes", "--requirement", "requirements.txt"},
		{"mvn", "--batch-mode", "--quiet", "--strict-checksums", "dependency:copy-dependencies", "-DoutputDirectory=" + i.java()},
	} {
		fmt.Fprintf(out, "%s\n", strings.Join(step, " "))
		if err := i.run(ctx, step, out); err != nil {
			return err
		}
	}
	if err := i.verify(); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(i.folder, complete), nil, 0o644)
}

func (i Installation) run(ctx context.Context, words []string, out io.Writer) error {
	command := exec.CommandContext(ctx, words[0], words[1:]...)
	command.Dir, command.Stdout, command.Stderr = i.folder, out, out
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 5 * time.Second
	if err := command.Run(); err != nil {
		return fmt.Errorf("installing the emulators: %s: %w", words[0], err)
	}
	return nil
}

// verify compares what Maven brought with the lock file, which is what sha256sum prints: pip does so by itself.
func (i Installation) verify() error {
	var problems []error
	expected := map[string]string{}
	for lines := bufio.NewScanner(bytes.NewReader(javaLock)); lines.Scan(); {
		digest, name, _ := strings.Cut(lines.Text(), "  ")
		expected[name] = digest
	}
	there, err := os.ReadDir(i.java())
	if err != nil {
		return err
	}
	for _, file := range there {
		content, err := os.ReadFile(filepath.Join(i.java(), file.Name()))
		if err != nil {
			return err
		}
		sum := sha256.Sum256(content)
		if got := hex.EncodeToString(sum[:]); got != expected[file.Name()] {
			problems = append(problems, fmt.Errorf("%s has digest %s, and dynamodb-local.sha256 says %q", file.Name(), got, expected[file.Name()]))
		}
		delete(expected, file.Name())
	}
	for name := range expected {
		problems = append(problems, fmt.Errorf("%s is missing", name))
	}
	if len(problems) > 0 {
		return fmt.Errorf("DynamoDB Local is not what was locked: %w", errors.Join(problems...))
	}
	return nil
}
