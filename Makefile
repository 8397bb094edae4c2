# Everything that people and the CI run. `make help` lists it.
.DEFAULT_GOAL := help

# A go.work above this folder is somebody else's.
export GOWORK := off
# Go stamps the commit into a program, and fails if git doesn't trust the folder, for instance because another user owns it.
ifneq ($(shell git rev-parse --is-inside-work-tree 2>&1),true)
export GOFLAGS := $(shell go env GOFLAGS) -buildvcs=false
endif

STACK  ?= local
TRADES ?=
SEED   ?= 1
COUNT  ?= 20000
RUNS   ?= 500
FUZZ   ?= components internal lambdas local policy stack
FUZZTIME ?= 1m
BENCH  ?= .
BENCHTIME ?= 1s
PAIRS  ?= 15

TRADECTL := bin/tradectl
LINT     := bin/golangci-lint
ACTIONLINT := bin/actionlint

.PHONY: help
help: ## List the targets
	@name='%-18s'; if [ -t 1 ] && [ -z "$$NO_COLOR" ]; then name='\033[1m%-18s\033[0m'; fi; \
	awk -v name="$$name" 'BEGIN {FS = ":.*## "} /^[a-zA-Z_-]+:.*## / {printf "  " name " %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(TRADECTL) ## Deploy stack local on the real engine and process trades (TRADES="a.ndjson b.ndjson" for your own)
ifeq ($(strip $(TRADES)),)
	$(TRADECTL) local run --sample $(COUNT) --seed $(SEED)
else
	$(TRADECTL) local run $(TRADES)
endif

.PHONY: test
test: ## Run all tests except the test-… targets
	go test ./...
	go -C components test ./...
	go -C lambdas test ./...
	go -C policy test ./...

.PHONY: fuzz
fuzz: ## Run every fuzz target, one after another (FUZZTIME each; FUZZ="local lambdas" for those in some folders)
	@failed=0; for folder in $$(grep -rl --include='*_test.go' '^func Fuzz' $(FUZZ) | xargs -n 1 dirname | sort -u); do \
		for target in $$(go -C $$folder test -list '^Fuzz' . | grep '^Fuzz'); do \
			echo "=== $$target in $$folder"; \
			go -C $$folder test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 5s . || failed=1; \
		done; \
	done; exit $$failed

.PHONY: flood
flood: ## Send a burst above the functions' concurrency, and FLOOD (a million) trades below a memory ceiling, or with a poison message among them
	FLOOD=$(or $(FLOOD),1) go test -count=1 -timeout 60m -run Flood -v ./tests/pipeline

.PHONY: chaos
chaos: $(TRADECTL) ## Simulate the whole pipeline under faults, and check that it keeps its promises (SEED, RUNS)
	$(TRADECTL) chaos --seed $(SEED) --runs $(RUNS)

# Runs the benchmarks that match $(1), with these flags, in the folders that have any: in another, a test program would be
# linked for nothing.
benchmarks = grep -r --include='*_test.go' '^func Benchmark' . | \
	awk -F '[:( ]' -v wanted='$(firstword $(subst /, ,$(1)))' '$$3 ~ wanted {sub("/[^/]*$$", "", $$1); print $$1}' | sort -u | \
	while read -r folder; do CONTRACT=1 go -C "$$folder" test -run '^$$' -timeout 60m -bench '$(1)' $(2) . || exit 1; done

.PHONY: bench
bench: COUNT = 1
bench: ## Run the benchmarks, for benchstat (BENCH=regex, COUNT=10, BENCHTIME=1s)
	@$(call benchmarks,$(BENCH),-skip 'Compare|Growth' -count $(COUNT) -benchtime $(BENCHTIME))

.PHONY: compare
compare: ## Compare with Python, moto, and STANDARD with EXPRESS, in pairs (PAIRS=15), installing what is missing
	@EMULATORS=$$(tests/install/install tests/integration/emulators) && export EMULATORS && $(call benchmarks,Compare,-benchtime $(PAIRS)x)

.PHONY: growth
growth: ## Measure how time, memory and cost grow with trades, sources, regions, rules and resources
	@$(call benchmarks,Growth,-benchtime 1x)

.PHONY: benchmarks
benchmarks: ## Run all three, and write docs/benchmarks.md, and docs/scale.md anew
	@mkdir -p dist
	$(MAKE) -s bench COUNT=5 BENCHTIME=200ms >dist/bench.txt
	$(MAKE) -s compare PAIRS=15 >dist/compare.txt
	$(MAKE) -s growth >dist/growth.txt
	go run ./tools/benchmarks dist/bench.txt dist/compare.txt dist/growth.txt
	go test -count=1 ./internal/simulate -run Page -update

.PHONY: policy
policy: ## Test the policy pack: its rules, their mutants, and each rule on the real engine
	go -C policy test ./...
	MUTATION=1 go -C policy test -count=1 ./mutation
	go test -count=1 ./tests/policy

.PHONY: policy-actions
policy-actions: ## Write the pack's list of actions without a resource from AWS's reference (needs npm and jq)
	policy/actions/update.sh

.PHONY: policy-docs
policy-docs: ## Write docs/policies.md from the pack
	go -C policy test ./pack -run Page -update

.PHONY: images
images: $(TRADECTL) ## Build the functions' container images with Docker (STACK, ARGUMENTS="INSIGHTS=without")
	$(TRADECTL) images --stack $(STACK) $(addprefix --build-arg ,$(ARGUMENTS))

.PHONY: pin-insights
pin-insights: ## Verify AWS's signature of Lambda Insights, and pin its version and checksum in the images' recipe
	tools/supplychain/pin-insights

.PHONY: sbom
sbom: $(TRADECTL) ## Write each function's bill of materials to dist/sbom
	tools/supplychain/sbom

.PHONY: vulncheck
vulncheck: ## Look for known vulnerabilities in the code each function can reach
	tools/supplychain/vulncheck

.PHONY: test-images
test-images: ## Build, check, run and push the images on a Docker Engine, installing one if needed (as root)
	tests/functions/run-images

.PHONY: test-console
test-console: ## Drive the console in Chromium, installing it if needed (as root)
	tests/console/run

.PHONY: test-contract
test-contract: ## Run the functions' programs behind a Lambda Runtime API, and measure their start and memory
	CONTRACT=1 go -C tests/functions test -count=1

.PHONY: test-supplychain
test-supplychain: ## Check that vulnerabilities are found, with a made-up database
	SUPPLYCHAIN=1 go test -count=1 ./tests/supplychain

.PHONY: rename
rename: ## Rename the Go modules, for a fork that others fetch (MODULE=github.com/acme/trade-processing)
	go run ./tools/rename $(MODULE)

.PHONY: test-clone
test-clone: ## Run make demo, lint and test in a clone with an awkward path, line endings, owner and surroundings
	CLONE=1 go test -count=1 -timeout 30m ./tests/clone

.PHONY: test-integration
test-integration: ## Run the tests against AWS emulators, installing them first if they are missing
	EMULATORS=$$(tests/install/install tests/integration/emulators) && export EMULATORS && go test -count=1 ./tests/integration

.PHONY: test-peers
test-peers: ## Check what the stacks declare with third-party tools, installing them first if they are missing
	PEERS=$$(tests/install/install tests/peers/tools) && EMULATORS=$$(tests/install/install tests/integration/emulators) && \
		export PEERS EMULATORS && go test -count=1 ./tests/peers

.PHONY: preview
preview: $(TRADECTL) ## Show what `pulumi up` would create, offline (STACK=local, dev or prod)
	$(TRADECTL) local preview --stack $(STACK)

.PHONY: verify
verify: $(TRADECTL) ## Prove a deployment in AWS with synthetic trades (STACK=dev or prod, JUNIT=report.xml, WATCH=5m, DELIVERY=1)
	$(TRADECTL) verify --stack $(STACK) $(if $(JUNIT),--junit $(JUNIT)) $(if $(WATCH),--watch $(WATCH)) $(if $(DELIVERY),--delivery)

.PHONY: sample
sample: $(TRADECTL) ## Write a sample of trades (COUNT, SEED) to sample.ndjson
	$(TRADECTL) sample --seed $(SEED) --count $(COUNT) --out sample.ndjson

.PHONY: calendars
calendars: ## Generate the market calendars (CHECK=1 only compares; MICS=file compares venues with ISO 10383), installing their libraries first
	PYTHON=$$(tests/install/install tools/calendars)/python/bin/python && cd tools/calendars && $$PYTHON -B -m unittest && \
		$$PYTHON -B generate.py $(if $(CHECK),--check) $(if $(MICS),--mics "$(abspath $(MICS))")

.PHONY: calendars-ending
calendars-ending: ## Warn of venues whose calendar ends within 120 days
	@go -C lambdas run ./market/ending

.PHONY: lint
lint: $(LINT) ## Check formatting and run the linters
	$(LINT) run ./...
	cd components && ../$(LINT) run --config ../.golangci.yml ./...
	cd lambdas && ../$(LINT) run --config ../.golangci.yml ./...
	cd policy && ../$(LINT) run --config ../.golangci.yml ./...
	cd examples/settlement/confirmer && ../../../$(LINT) run --config ../../../.golangci.yml ./...

.PHONY: lint-workflows
lint-workflows: $(ACTIONLINT) ## Check the workflows of GitHub Actions
	$(ACTIONLINT)

.PHONY: fmt
fmt: $(LINT) ## Format all Go code
	$(LINT) fmt ./...
	cd components && ../$(LINT) fmt --config ../.golangci.yml ./...
	cd lambdas && ../$(LINT) fmt --config ../.golangci.yml ./...
	cd policy && ../$(LINT) fmt --config ../.golangci.yml ./...
	cd examples/settlement/confirmer && ../../../$(LINT) fmt --config ../../../.golangci.yml ./...

.PHONY: clean
clean: ## Remove what the other targets built in this folder
	rm -rf bin dist sample.ndjson

# Go's own build cache decides what has to be compiled. A compiler that collects its garbage less often takes a fifth less
# CPU for a first build, and 4.1 GB of memory for the largest package instead of 3.3; -w leaves out what only debuggers read.
.PHONY: $(TRADECTL)
$(TRADECTL):
	@GOGC=400 go build -ldflags=-w -o $@ ./cmd/tradectl

$(LINT): tools/lint/go.mod
	go build -C tools/lint -o ../../$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

$(ACTIONLINT): tools/actionlint/go.mod
	go build -C tools/actionlint -o ../../$@ github.com/rhysd/actionlint/cmd/actionlint
