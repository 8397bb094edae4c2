// Package supplychain_test runs the scripts of tools/supplychain against stand-ins for what they fetch.
package supplychain_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// signer is a key in its own folder.
type signer struct {
	home, fingerprint string
	public            []byte
}

func newSigner(t *testing.T) *signer {
	t.Helper()
	for _, program := range []string{"gpg", "curl", "sha256sum"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("the script needs %s: %v", program, err)
		}
	}
	// The agent's socket is there, and its path must be short.
	home, err := os.MkdirTemp("", "key")
	if err != nil {
		t.Fatal(err)
	}
	s := &signer{home: home}
	t.Cleanup(func() {
		_ = exec.Command("gpgconf", "--homedir", home, "--kill", "gpg-agent").Run()
		_ = os.RemoveAll(home)
	})
	s.gpg(t, nil, "--passphrase", "", "--quick-generate-key", "stand-in", "rsa2048", "sign", "never")
	for line := range strings.Lines(string(s.gpg(t, nil, "--with-colons", "--list-keys"))) {
		if fields := strings.Split(line, ":"); fields[0] == "fpr" {
			s.fingerprint = fields[9]
		}
	}
	s.public = s.gpg(t, nil, "--export")
	return s
}

func (s *signer) gpg(t *testing.T, in []byte, arguments ...string) []byte {
	t.Helper()
	command := exec.Command("gpg", append([]string{"--homedir", s.home, "--batch", "--quiet", "--pinentry-mode", "loopback"}, arguments...)...)
	command.Stdin = bytes.NewReader(in)
	out, err := command.Output()
	if err != nil {
		t.Fatalf("gpg %v: %v", arguments, err)
	}
	return out
}

// rpm returns the beginning of a package: its lead.
func rpm(name string) []byte {
	return append(append([]byte("\xed\xab\xee\xdb\x03\x00\x00\x00\x00\x12"), append([]byte(name), make([]byte, 66-len(name))...)...), "payload"...)
}

const recipe = "FROM scratch\nARG INSIGHTS=without\nARG INSIGHTS_VERSION=1.0.1.0\nARG INSIGHTS_SHA256=\n"

func TestInsightsIsPinnedToWhatAWSSigned(t *testing.T) {
	aws, other := newSigner(t), newSigner(t)
	newest := rpm("lambda-insights-extension-1.0.999.0-1")
	nameless := rpm("something")
	sign := func(s *signer, content []byte) []byte { return s.gpg(t, content, "--detach-sign") }
	for name, tc := range map[string]struct {
		newest, signature, key, version []byte
		says                            string // empty: it is pinned
	}{
		"what AWS signed":                 {newest, sign(aws, newest), aws.public, newest, ""},
		"a package of somebody else's":    {newest, sign(other, newest), other.public, newest, "the package is signed by '" + other.fingerprint},
		"another package than the signed": {append(newest, 'x'), sign(aws, newest), aws.public, newest, "signed by 'nobody'"},
		"another package by its version":  {newest, sign(aws, newest), aws.public, append(newest, 'x'), "is not the newest one"},
		"a package without a version":     {nameless, sign(aws, nameless), aws.public, nameless, "names no version"},
		"no key":                          {newest, sign(aws, newest), []byte("<Error/>"), newest, "is no key"},
		"no package":                      {nil, nil, aws.public, nil, "can't be fetched"},
	} {
		t.Run(name, func(t *testing.T) {
			served := map[string][]byte{
				"/key": tc.key, "/amazon_linux/lambda-insights-extension-arm64.rpm": tc.newest, "/amazon_linux/lambda-insights-extension-arm64.rpm.sig": tc.signature,
				"/amazon_linux/lambda-insights-extension-arm64.1.0.999.0.rpm": tc.version,
			}
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if served[r.URL.Path] == nil {
					http.NotFound(w, r)
					return
				}
				_, _ = w.Write(served[r.URL.Path])
			}))
			defer server.Close()
			path := filepath.Join(t.TempDir(), "Dockerfile")
			if err := os.WriteFile(path, []byte(recipe), 0o644); err != nil {
				t.Fatal(err)
			}
			script := exec.Command("../../tools/supplychain/pin-insights")
			script.Env = append(os.Environ(), "INSIGHTS_FROM="+server.URL, "INSIGHTS_KEY="+server.URL+"/key", "INSIGHTS_FINGERPRINT="+aws.fingerprint, "RECIPE="+path)
			said, err := script.CombinedOutput()
			text, readErr := os.ReadFile(path)
			if readErr != nil {
				t.Fatal(readErr)
			}
			if tc.says != "" {
				if err == nil || !strings.Contains(string(said), tc.says) || string(text) != recipe {
					t.Errorf("error %v, recipe %q, it said %s", err, text, said)
				}
				return
			}
			want := fmt.Sprintf("FROM scratch\nARG INSIGHTS=with\nARG INSIGHTS_VERSION=1.0.999.0\nARG INSIGHTS_SHA256=%x\n", sha256.Sum256(newest))
			if err != nil || string(text) != want {
				t.Errorf("error %v, recipe %q, it said %s", err, text, said)
			}
		})
	}
}
