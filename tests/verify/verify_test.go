package verify_test

import (
	"strings"
	"testing"

	"trade-processing/internal/exitcode"
	"trade-processing/internal/verify"
)

func TestASoundDeploymentIsVerified(t *testing.T) {
	for _, stack := range []string{"local", "dev", "prod"} {
		t.Run(stack, func(t *testing.T) {
			w := newWorld(t, stack, nil)
			report := w.verifyDelivery()
			if code := report.ExitCode(); code != exitcode.OK {
				t.Errorf("exit code %d", code)
			}
			for _, step := range report.Steps {
				t.Logf("%s %s %v %v", step.Step, step.Outcome, step.Found, step.Problems)
				if step.Outcome != verify.Passed {
					t.Errorf("%s %s: %s", step.Step, step.Outcome, strings.Join(step.Problems, "; "))
				}
			}
			if left := w.bodies(); len(left) > 0 {
				t.Errorf("it left in the queues %v", left)
			}
			if left := w.targets(); len(left) != len(w.options().Outputs.Delivery) {
				t.Errorf("the rules have the targets %v", left)
			}
		})
	}
}
