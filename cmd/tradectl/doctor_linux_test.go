package main

import (
	"strings"
	"testing"

	"trade-processing/internal/exitcode"
)

// Where there is nothing, each check says so, with the line that fixes it.
func TestTheDoctorFailsWhereThereIsAProblem(t *testing.T) {
	for _, test := range []struct {
		flags string
		code  exitcode.Code
		says  []string
	}{
		{"--stack dev", exitcode.Failure, []string{"there is none on PATH  ", "https://www.pulumi.com/docs/install/\n", "AWS can't be asked: see credentials\n"}},
		{"--stack dev --output json", exitcode.Failure, []string{`"check": "Docker",` + "\n    " + `"status": "problem",` + "\n    " + `"found": "there is no docker on PATH"`}},
		{"--stack nobody", exitcode.Usage, []string{`stack "nobody" has no config: Pulumi.nobody.yaml does not exist`}},
	} {
		run := bare(t, "tradectl doctor "+test.flags)
		run.Args = append(run.Args, "--project", project(t))
		said, err := run.CombinedOutput()
		for _, says := range test.says {
			check(t, run, err, test.code, said, says)
		}
		if strings.Contains(string(said), "SDK ") {
			t.Errorf("the SDK writes into it:\n%s", said)
		}
	}
}
