# Everything that can be done with this repository. `make` alone lists it.

# The version of this program. Nothing else names it: the build writes it into the binary.
VERSION := 0.1.0
COMMIT  := $(shell git rev-parse --short=7 HEAD 2>/dev/null || echo unknown)

# The other names of the binary: each is a link to it in bin/. Modules are named after their documentation, which is
# generated from the modules themselves.
LINKS := craton-inventory iotronic-inventory $(basename $(notdir $(wildcard plugins/modules/*.py)))

# The program that `make build` builds, and with which build tags: nopage and nometrics leave out what only a server needs.
PROGRAM := bin/craton
TAGS    :=

# Everything is compiled with the flags of `make build`, except for the race detector: compiling the dependencies again with
# other flags would take minutes.
export GOFLAGS := $(strip $(filter-out -trimpath,$(GOFLAGS)) -trimpath)
export CGO_ENABLED := 0

# Commands, modules, metrics and the libraries that only they use do little work themselves: inlining there would save no
# time, and take 0.6 MB.
LEAN := $(foreach package,github.com/craton-fleet/craton/internal/cli github.com/craton-fleet/craton/modules github.com/gophercloud github.com/spf13 github.com/prometheus google.golang.org/protobuf,-gcflags=$(package)/...=-l)

# How long `make fuzz` spends on each target.
FUZZTIME := 10s

# Flags of the tests. `make check` runs all of vet, so the tests do not. Tests sometimes wait, for a database, a timeout or a
# failover: one package more than there are processors keeps these busy.
TESTFLAGS := -shuffle=on -timeout=25m -vet=off -p=$(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1)))

# What takes longest begins first, so that nothing is left to run alone at the end.
LONGEST := ./tests/ansible ./tests/collection ./server ./server/store ./tests/browser

# The race detector needs a C compiler, and compiles every package again. SQLite is C translated to Go, with memory that is not
# Go's: the race detector would find nothing there, and take most of the time.
RACE := -race -gcflags=modernc.org/...=-race=false

# Packages with concurrent code, which `make race` tests.
CONCURRENT := ./craton ./iotronic ./keystone ./inventory/... ./server/... ./modules/ansible $(addprefix ./internal/,connect importing output provenance reconcile rest snapshot web cli/...)

# The tools of `make check`, in the version that everybody runs.
GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GOVULNCHECK   := golang.org/x/vuln/cmd/govulncheck@v1.8.0

# The tool that builds deb and rpm.
NFPM := github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.43.4

# An OpenSSH private key with which `make release` signs the checksums.
SIGN_KEY :=

SHELL       := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help build man collection release release-test demo test race machines newest-ironic sanity check bench bench-peers load million proof fuzz screenshots clean
MAKEFLAGS += --no-print-directory

help: ## list the targets (this)
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

build: ## build bin/craton, one static binary, and the links to it
	@mkdir -p $(dir $(PROGRAM))
	go build -buildvcs=false -tags '$(TAGS)' $(LEAN) -ldflags '-s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)' -o $(PROGRAM) ./cmd/craton
	@[ $(PROGRAM) != bin/craton ] || for name in $(LINKS); do ln -sfn craton "bin/$$name"; done

man: ## write a manual page for each subcommand into man/
	@go run ./tools/man -version $(VERSION) man

collection: ## build dist/craton-fleet-VERSION.tar.gz, the Ansible collection craton.fleet
	@echo 'building the collection packer; with an empty cache, this and each platform takes a minute or two'
	@GOGC=400 go build -o .cache/collection/build ./tools/collection/build
	@.cache/collection/build tarball -version $(VERSION) -commit $(COMMIT) -o dist

demo: build ## load an example fleet and run Ansible on it, to see everything work together
	@tests/demo

test: ## run all tests, with the oldest and newest Ansible that run here
	@venvs=$$(tests/ansible/venvs --path); \
	set -x; CRATON_TEST_ANSIBLE="$$venvs" tests/run $(TESTFLAGS) $(LONGEST) ./...

race: ## run the tests of packages with concurrent code under the race detector; takes minutes, not part of test
	CGO_ENABLED=1 go test $(RACE) $(TESTFLAGS) $(CONCURRENT)

machines: ## kill parts of two servers and a PostgreSQL cluster of two machines (Patroni, etcd, HAProxy) under load; takes minutes, not part of test
	CRATON_TEST_MACHINES=required go test -count=1 -timeout=15m -v ./tests/machines

newest-ironic: ## run the Ironic tests with the newest Ironic on PyPI, installed into .cache, instead of Debian's, and those with Redfish and python-ironicclient with both; takes minutes, not part of test
	tests/newest-ironic go test -count=1 -timeout=30m ./internal/openstacktest ./internal/connect ./iotronic ./inventory/iotronic ./modules/iotronic
	tests/newest-ironic go test -count=1 -timeout=30m -run '^TestIronic' ./internal/cli
	tests/newest-ironic env -u CRATON_TEST_IRONIC_PYTHON go test -count=1 -timeout=30m -run '^Test((Ironic)?Redfish|(With)?IronicClient)$$' ./modules/iotronic ./internal/cli

sanity: ## run ansible-test sanity, ansible-lint, ansible-builder, ansible-navigator and ansible-rulebook on the collection and the examples, and build it, with the oldest and newest Ansible; takes minutes, not part of test
	@venvs=$$(tests/ansible/venvs --path); \
	set -x; CRATON_TEST_SANITY=1 CRATON_TEST_ANSIBLE="$$venvs" go test -count=1 -timeout=30m -v -run '^Test(Sanity|Lint|ExamplesLint|ExecutionEnvironment|Rulebook|Tarball)$$' ./tests/collection

# .cache/bin/NAME@VERSION is a tool: a new version is a new file, so each is built once.
tool = .cache/bin/$(notdir $(1))
TOOLS := $(GOLANGCI_LINT) $(GOVULNCHECK) $(NFPM)

.cache/bin/%:
	@echo 'installing $*'
	@GOBIN="$(CURDIR)/.cache/bin/new" GOFLAGS= go install $(filter %/$*,$(TOOLS))
	@mv ".cache/bin/new/$(firstword $(subst @, ,$*))" "$@"; rmdir .cache/bin/new

release: $(call tool,$(NFPM)) ## build archives, deb, rpm, collection, checksums and bill of materials into dist; SIGN_KEY=FILE signs, RELEASE=1 refuses a version that the changelog calls unreleased
	go run ./tools/release -version $(VERSION) -commit $(COMMIT) -nfpm $< -sign-key "$(SIGN_KEY)" $(if $(RELEASE),-release) -o dist

release-test: $(call tool,$(NFPM)) ## install, upgrade, downgrade, remove and purge the packages on this Debian, in an overlay, and build them twice; needs root, takes minutes, not part of test
	CRATON_TEST_PACKAGES="$(CURDIR)/$<" tests/run -count=1 -timeout=30m -v ./tests/packages

checks := check-format check-modules check-vet check-lint check-vulnerabilities
.PHONY: $(checks)

check: ## check formatting, vet, linters, go.mod and known vulnerabilities, without running anything
	@$(MAKE) --keep-going $(checks)

check-format:
	@echo 'gofmt -s -l'; files=$$(find . -path './.*' -prune -o -name '*.go' -print | xargs gofmt -s -l); \
	if [ -n "$$files" ]; then echo "not formatted; run: gofmt -s -w" $$files; exit 1; fi

check-modules:
	go mod tidy -diff

check-vet:
	go vet ./...

check-lint: $(call tool,$(GOLANGCI_LINT))
	$< run

check-vulnerabilities: $(call tool,$(GOVULNCHECK))
	@tests/vulnerabilities $<

bench: build ## measure the inventory, the modules and the server on this machine, and print tables
	go run ./tools/bench

bench-peers: build ## compare a play on one of 10,000 hosts with NetBox's nb_inventory, installed from PyPI into .cache
	go run ./tools/bench --only peers

million: build ## restore a fleet of 1,000,000 hosts into PostgreSQL, measure every request, and let 100 clients work for 3 minutes; takes 10 to 20 minutes, 12 GB of disk
	go run ./tools/bench --only million --clients 100

load: build ## let 50 clients work on a server with 10,000 hosts for 3 minutes, on SQLite and on PostgreSQL: no errors, flat memory, p99 by route; takes 10 minutes
	go run ./tools/bench --only load

proof: ## run the tests with more versions and larger sizes; takes many minutes, not part of test
	CRATON_TEST_PROOF=1 go test -count=1 -timeout=60m -v -run '^TestMemory$$' ./server
	CRATON_TEST_PROOF=1 go test -count=1 -timeout=60m -run '^(TestPlans|TestPrune.*|TestExport|TestRules.*|TestPlain)$$' ./internal/fleetfile -rapid.checks=1000
	for engine in postgres pgbouncer; do CRATON_TEST_ENGINE=$$engine go test -count=1 -timeout=30m -run '^(TestPlans|TestPrune.*|TestExport|TestRules.*|TestApply.*|TestEffects.*)$$' ./internal/fleetfile; done
	CRATON_TEST_ENGINE=pgbouncer,disturbed go test -count=1 -timeout=60m ./server ./server/store
	CRATON_TEST_PROOF=1 CRATON_TEST_ENGINE=sqlite,postgres go test -count=1 -timeout=60m -run '^Test(Affected|FaultAtEachStatement|History|InventoryByPages|KeptInventory|Past|PrometheusLarge|Rotation|Undo|VariablesAgainstModel|WhereAgainstModel)' ./server ./server/store
	CRATON_TEST_ENGINE=postgres,pgbouncer tests/newest-postgres go test -count=1 -timeout=30m -skip '^TestTLS$$' ./server/...
	$(MAKE) race
	$(MAKE) newest-ironic
	@venvs=$$(tests/ansible/venvs --path all); \
	set -x; CRATON_TEST_PROOF=1 CRATON_TEST_ANSIBLE="$$venvs" go test -count=1 -timeout=120m -v -parallel=2 -run '^(TestNothingIsExecuted|TestNothingOfIronicIsExecuted|TestResultsAreRead|TestLazy.*|TestFleetSrcOverSSH)$$' ./tests/collection
	@venvs=$$(tests/ansible/venvs --path); \
	set -x; CRATON_TEST_PROOF=1 CRATON_TEST_ANSIBLE="$$venvs" go test -count=1 -timeout=120m -v -run '^Test(Export|Import|SameVariables|SSHConfig)' ./tests/ansible
	CRATON_TEST_PROOF=1 go test -count=1 -timeout=30m -run '^(TestRandomFleets|TestPrometheusReads)$$' ./internal/cli/export

fuzz: ## run every fuzz target for FUZZTIME=10s each
	@tests/fuzz $(FUZZTIME)

screenshots: ## take the screenshots in docs/images again, with chromium
	CRATON_TEST_SCREENSHOTS=1 CRATON_TEST_BROWSER=required go test -count=1 -run '^TestScreenshots$$' ./tests/browser

clean: ## remove everything that the other targets created: bin, man, .demo, dist, .cache
	rm -rf bin man .demo dist .cache
