package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"trade-processing/policy/value"
)

const computeFamily = "Lambda, Step Functions and ECR"

const (
	stateMachine = "aws:sfn/stateMachine:StateMachine"
	repository   = "aws:ecr/repository:Repository"
	template     = "aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate"
	eventSource  = "aws:lambda/eventSourceMapping:EventSourceMapping"
)

var computeRules = []Rule{
	{
		Name: "function-arm64", Family: computeFamily, Level: Mandatory, Controls: []string{Ours},
		Types: []string{function}, Options: []Option{{
			Name: "architectures", About: "Architectures that functions may have.", Schema: texts(), Default: list("arm64"),
		}},
		Why: "Graviton does the same work for a fifth less, and an image whose architecture differs from its function's doesn't start.",
		Check: func(r *Resource) {
			architecture := r.At("architectures")
			if architecture.Unset() {
				architecture = value.Any("x86_64") // Lambda's default
			}
			for _, given := range architecture.Each() {
				if !given.IsUnknown() && !anyMatches(r.Setting("architectures"), given.Text()) {
					r.Breaks("architectures", "is "+shown(given), "Allowed: "+listed(r.Setting("architectures")))
				}
			}
		},
	},
	{
		Name: "function-tracing", Family: computeFamily, Level: Mandatory, Controls: []string{"Lambda.7", "CKV_AWS_50"},
		Types: []string{function},
		Why:   "Without traces nobody can see which of ten calls took the time.",
		Check: func(r *Resource) {
			if r.At("tracingConfig.mode").LacksText("Active") {
				r.Breaks("tracingConfig.mode", "is not Active", "Set Active")
			}
		},
	},
	{
		Name: "function-image-digest", Family: computeFamily, Level: Mandatory, Controls: []string{Ours},
		Types: []string{function},
		Why:   "A tag may name another image tomorrow: only a digest guarantees that what was built is what runs.",
		Check: func(r *Resource) {
			if image := r.At("imageUri"); image.Text() != "" && !strings.Contains(image.Text(), "@sha256:") {
				r.Breaks("imageUri", "has no digest", "Use the image's repoDigest, repository@sha256:…")
			}
		},
	},
	{
		Name: "function-runtime", Family: computeFamily, Level: Mandatory, Controls: []string{"Lambda.2", "CKV_AWS_363"},
		Types: []string{function}, Options: []Option{{
			Name: "deprecated", About: "The day (UTC) from which AWS no longer patches a runtime, by runtime; * matches anything.",
			Schema:  map[string]any{"type": "object", "additionalProperties": map[string]any{"type": "string", "pattern": `^\d{4}-\d{2}-\d{2}$`}},
			Default: runtimes, Check: areDays,
		}},
		Why: "A runtime that AWS no longer patches keeps every vulnerability found in it, and one day its functions can no longer be changed.",
		Check: func(r *Resource) {
			runtime, days, today := r.At("runtime"), r.Setting("deprecated"), r.settings.today.UTC().Format(time.DateOnly)
			for _, pattern := range days.Keys() {
				day := days.Get(pattern).Text()
				if runtime.IsSet() && matches(pattern, runtime.Text()) && day <= today {
					r.Breaks("runtime", fmt.Sprintf("is %s, which AWS has not patched since %s", shown(runtime), day), "Use a newer one")
				}
			}
		},
	},
	{
		Name: "function-log-group", Family: computeFamily, Level: Mandatory, Controls: []string{Ours},
		Types: []string{function},
		Why:   "Lambda creates its own log group, without retention or a key, and recreates it after it is destroyed.",
		Check: func(r *Resource) {
			if r.At("loggingConfig.logGroup").Unset() {
				r.Breaks("loggingConfig.logGroup", "is missing", "Create the log group in the program, and name it here")
			}
		},
	},
	{
		Name: "function-timeout-queue", Family: computeFamily, Level: Mandatory, Controls: []string{Ours},
		Types: []string{function, queue, eventSource}, Options: []Option{{
			Name: "factor", About: "Minimum ratio of a queue's visibility timeout to its function's timeout; AWS recommends 6.", Schema: number(1), Default: 6.0,
		}},
		Why: "A queue that hands a message to a second call while the first is still running has it processed twice.",
		CheckStack: func(s *Stack) {
			factor, _ := s.Setting("factor").Number()
			for _, mapping := range s.Of(eventSource) {
				for _, q := range s.Of(queue) {
					for _, f := range s.Of(function) {
						limit, visible := secondsOr(f.At("timeout"), 3), secondsOr(q.At("visibilityTimeoutSeconds"), 30)
						connected := mapping.refers("eventSourceArn", q) == yes && mapping.callsByName("functionName", f) == yes
						if connected && !limit.IsUnknown() && visible.LacksNumber(factor*seconds(limit)) {
							q.Breaks("visibilityTimeoutSeconds", fmt.Sprintf("is less than %.0f times the timeout of %s", factor, f.Name),
								fmt.Sprintf("Set %.0f or more", factor*seconds(limit)))
						}
					}
				}
			}
		},
	},
	{
		Name: "function-timeout-workflow", Family: computeFamily, Level: Mandatory, Controls: []string{Ours},
		Types: []string{function, stateMachine},
		Why:   "A state that gives up before its function does retries while the first call is still running, and its error names no cause.",
		CheckStack: func(s *Stack) {
			for _, machine := range s.Of(stateMachine) {
				for _, task := range tasks(machine.At("definition").Document()) {
					for _, f := range s.Of(function) {
						limit := secondsOr(f.At("timeout"), 3)
						patience, limited := task.seconds.Number()
						if limited && f.calledBy(task.function) && !limit.IsUnknown() && seconds(limit) >= patience {
							f.Breaks("timeout", fmt.Sprintf("is %.0f s, and state %s of %s waits for %.0f s", seconds(limit), task.state, machine.Name, patience),
								"Let the function time out first, by a second or more")
						}
					}
				}
			}
		},
	},
	{
		Name: "state-machine-logging", Family: computeFamily, Level: Mandatory, Controls: []string{"StepFunctions.1"},
		Types: []string{stateMachine}, Options: []Option{{
			Name: "levels", About: "Levels of logging that count as on.", Schema: texts(), Default: list("ALL", "ERROR", "FATAL"),
		}},
		Why: "Without logs a failed execution leaves no trace after 90 days, and an express execution none at all.",
		Check: func(r *Resource) {
			level := r.At("loggingConfiguration.level")
			if !level.IsUnknown() && !anyMatches(r.Setting("levels"), level.Text()) {
				r.Breaks("loggingConfiguration.level", "turns logging off", "Set one of "+listed(r.Setting("levels")))
				return
			}
			if r.At("loggingConfiguration.logDestination").Unset() {
				r.Breaks("loggingConfiguration.logDestination", "is missing", `Set the ARN of a log group, followed by ":*"`)
			}
		},
	},
	{
		Name: "state-machine-tracing", Family: computeFamily, Level: Mandatory, Controls: []string{"CKV_AWS_284"},
		Types: []string{stateMachine},
		Why:   "Without traces nobody can see which state took the time.",
		Check: func(r *Resource) {
			needsTruth(r, "tracingConfiguration.enabled", r.At("tracingConfiguration.enabled"))
		},
	},
	{
		Name: "ecr-immutable-tags", Family: computeFamily, Level: Mandatory, Controls: []string{"ECR.2", "CKV_AWS_51"},
		Types: []string{repository, template},
		Why:   "If tags can move, nobody can say what ran last Tuesday.",
		Check: func(r *Resource) {
			if r.At("imageTagMutability").LacksText("IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION") {
				r.Breaks("imageTagMutability", "is not IMMUTABLE", "Set IMMUTABLE")
			}
		},
	},
	{
		Name: "ecr-scan-on-push", Family: computeFamily, Level: Mandatory, Controls: []string{"ECR.1", "CKV_AWS_163"},
		Types: []string{repository},
		Why:   "Scanning finds known vulnerabilities in an image for free, before it runs.",
		Check: func(r *Resource) {
			needsTruth(r, "imageScanningConfiguration.scanOnPush", r.At("imageScanningConfiguration.scanOnPush"))
		},
	},
	{
		Name: "ecr-lifecycle", Family: computeFamily, Level: Mandatory, Controls: []string{"ECR.3"},
		Types: []string{repository, template, "aws:ecr/lifecyclePolicy:LifecyclePolicy"},
		Why:   "Old images cost money, and one day somebody deploys one with last year's vulnerabilities.",
		CheckStack: func(s *Stack) {
			for _, r := range s.Of(repository) {
				if s.referred(r, reference{"aws:ecr/lifecyclePolicy:LifecyclePolicy", "repository"}) == no {
					r.Breaks("name", "is that of a repository without a lifecycle policy", "Add a LifecyclePolicy of this repository")
				}
			}
			for _, r := range s.Of(template) {
				if r.At("lifecyclePolicy").Unset() {
					r.Breaks("lifecyclePolicy", "is missing", "Say which of the copied images are removed")
				}
			}
		},
	},
}

// runtimes are the days on which Lambda deprecates its runtimes, as of 2026-10
// (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html#runtimes-supported). A runtime that isn't listed may be
// used.
var runtimes = map[string]any{
	"dotnet10": "2028-11-14", "dotnet5.0": "2022-05-10", "dotnet6": "2024-12-20", "dotnet7": "2024-05-14", "dotnet8": "2026-11-10", "dotnetcore*": "2023-04-03",
	"go1.x":  "2024-01-08",
	"java11": "2027-06-30", "java17": "2027-06-30", "java21": "2029-06-30", "java25": "2029-06-30", "java8": "2024-01-08", "java8.al2": "2027-06-30",
	"nodejs": "2016-08-30", "nodejs10.x": "2021-07-30", "nodejs12.x": "2023-03-31", "nodejs14.x": "2023-12-04", "nodejs16.x": "2024-06-12",
	"nodejs18.x": "2025-09-01", "nodejs20.x": "2026-04-30", "nodejs22.x": "2027-04-30", "nodejs24.x": "2028-04-30", "nodejs4.3*": "2020-03-05",
	"nodejs6.10": "2019-08-12", "nodejs8.10": "2020-03-06",
	"provided": "2024-01-08", "provided.al2": "2026-07-31", "provided.al2023": "2029-06-30",
	"python2.7": "2021-07-15", "python3.10": "2026-10-31", "python3.11": "2027-06-30", "python3.12": "2028-10-31", "python3.13": "2029-06-30",
	"python3.14": "2029-06-30", "python3.6": "2022-07-18", "python3.7": "2023-12-04", "python3.8": "2024-10-14", "python3.9": "2025-12-15",
	"ruby2.5": "2021-07-30", "ruby2.7": "2023-12-07", "ruby3.2": "2026-03-31", "ruby3.3": "2027-03-31", "ruby3.4": "2028-03-31", "ruby4.0": "2029-03-31",
}

// task is a state of a state machine that calls a function.
type task struct {
	state    string
	function value.Value
	seconds  value.Value
}

// tasks returns the states that call a function, including those in parallel branches and maps.
func tasks(definition value.Value) []task {
	var all []task
	states := definition.Get("States")
	for _, name := range states.Keys() {
		state := states.Get(name)
		if state.Get("Type").Is("Task") {
			called := state.At("Resource")
			for _, path := range []string{"Parameters.FunctionName", "Arguments.FunctionName"} {
				if named := state.At(path); !named.Unset() {
					called = named
				}
			}
			all = append(all, task{name, called, state.Get("TimeoutSeconds")})
		}
		for _, branch := range slices.Concat(state.Get("Branches").Each(), state.Get("Iterator").Each(), state.Get("ItemProcessor").Each()) {
			all = append(all, tasks(branch)...)
		}
	}
	return all
}

// calledBy reports whether a string names the function: by name or ARN, including a version's or alias's.
func (r *Resource) calledBy(text value.Value) bool {
	given := text.Text()
	if _, rest, isARN := strings.Cut(given, ":function:"); isARN {
		given = rest
	}
	given, _, _ = strings.Cut(given, ":")
	return given != "" && r.At("name").Is(given)
}

// callsByName is refers for a property that names a function.
func (r *Resource) callsByName(path string, f *Resource) answer {
	if f.calledBy(r.At(path)) {
		return yes
	}
	return r.refers(path, f)
}

// secondsOr returns a timeout, or AWS's default if it isn't set.
func secondsOr(given value.Value, otherwise float64) value.Value {
	if given.Unset() {
		return value.Any(otherwise)
	}
	return given
}

func seconds(v value.Value) float64 {
	number, _ := v.Number()
	return number
}

// sortedKeys lists the keys of a map in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
