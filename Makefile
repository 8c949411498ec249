# `make` alone explains itself: each target says what it does behind its name.
.DEFAULT_GOAL := help
.ONESHELL:
.NOTPARALLEL:
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
PORT ?= 6010
CONFIG_PATH ?= config/config.yml
DB_PATH ?= data/jobs.queuedb
MINUTES ?= 10
SEEDS ?= 500
FIRST ?= 0
SECONDS ?= 60

BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes
# So that .venv/bin/jobengine is there. Its hashes would be those of the checkout.
INSTALL_ITSELF := $(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	--no-header --no-emit-index-url --no-emit-find-links
# A package whose program has another name names it, too.
DEBIAN_PACKAGES := strace curl bubblewrap:bwrap slurm-wlm:slurmctld munge:munged

##@ Use it

.PHONY: run
run: .venv/run.stamp  ## Serve config/config.yml on 127.0.0.1:6010; PORT= takes another port
	@if [[ -z $${SECRET:-}$${SECRET_FILE:-} ]]; then
	  unset SECRET
	  export SECRET_FILE=data/secret
	  mkdir -p data
	  [[ -s data/secret ]] || (umask 077; $(BIN)/python -c 'import secrets; print("hex:" + secrets.token_hex(32))' >data/secret)
	fi
	cat <<'END'
	Once the server says that it is ready, try in another terminal:
	curl -X PUT http://127.0.0.1:$(PORT)/api/v1/jobs/create -H 'X-Name: service3' -H 'X-Queue: test_queue_1' -H 'Content-Type: application/json' -d '{"content": {"hello": "world"}, "valid_for": 600, "priority": 80}'
	END
	exec $(BIN)/python -m jobengine serve --config $(CONFIG_PATH) --db $(DB_PATH) --port $(PORT)

.PHONY: docker
docker:  ## Build the container image, where a container engine is running
	@if docker info >/dev/null 2>&1; then
	  docker build --tag jobengine .
	else
	  echo 'No container engine is running here: the image was not built. `make test` follows the steps of the Dockerfile without one.'
	  exit 1
	fi

##@ Check it

.PHONY: test
test: .venv/dev.stamp debian-packages  ## Install what the tests need, and run all of them
	$(BIN)/python -m pytest -n 2 </dev/null

.PHONY: check
check: lint types layers docs test  ## All that must hold before a commit: lint, types, layers, docs, test

.PHONY: lint
lint: .venv/dev.stamp  ## Style and formatting of the code, and the Dockerfile
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/hadolint Dockerfile

.PHONY: format
format: .venv/dev.stamp  ## Format the code, and mend what can be mended by itself
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: types
types: .venv/dev.stamp  ## Types, strictly
	$(BIN)/mypy

.PHONY: layers
layers: .venv/dev.stamp  ## Which room may import which
	$(BIN)/lint-imports

.PHONY: docs
docs: .venv/dev.stamp  ## Build the documentation into site/; a broken link is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

##@ Try it hard

.PHONY: soak
soak: .venv/dev.stamp  ## Try to break the database file for MINUTES=; adds up in data/soak-results.jsonl
	$(BIN)/python -m tests.soak --minutes $(MINUTES)

.PHONY: kills
kills: .venv/dev.stamp  ## Of these: kill the server under load, in compactions and changes of the SECRET, too
	$(BIN)/python -m tests.soak --minutes $(MINUTES) kills

.PHONY: power
power: .venv/dev.stamp  ## Of these: lose power, and any of what was not synced, at every point of a story
	$(BIN)/python -m tests.soak --minutes $(MINUTES) power

.PHONY: damage
damage: .venv/dev.stamp  ## Of these: damage files of three sizes at random
	$(BIN)/python -m tests.soak --minutes $(MINUTES) damage

.PHONY: calls
calls: .venv/dev.stamp  ## Of these: let every pair of the first file calls fail, with every error
	$(BIN)/python -m tests.soak --minutes $(MINUTES) calls

.PHONY: syncs
syncs: .venv/dev.stamp  ## Of these: let one sync of the real server fail
	$(BIN)/python -m tests.soak --minutes $(MINUTES) syncs

.PHONY: full-disk
full-disk: .venv/dev.stamp  ## Of these: fill a small file system under load, and free it; needs root
	$(BIN)/python -m tests.soak --minutes $(MINUTES) full-disk

.PHONY: simulate
simulate: .venv/dev.stamp  ## Simulate whole brokers, each decided by a seed; SEEDS= of them from FIRST= on
	$(BIN)/python -m tests.simulation --seeds $(SEEDS) --first $(FIRST)

.PHONY: fuzz
fuzz: .venv/dev.stamp  ## Feed junk to all that reads bytes from outside, for SECONDS= together
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS)

.PHONY: mutants
mutants: .venv/dev.stamp  ## Put known bugs into the code, one at a time: the tests must notice each
	$(BIN)/python -m tests.mutants

.PHONY: bench
bench: .venv/dev.stamp  ## Measure speed and memory; writes benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks

.PHONY: bench-peers
bench-peers: .venv/dev.stamp data/peers-venv/stamp  ## Install wrk, other brokers and job libraries, and measure beside them
	$(BIN)/python -m benchmarks.peers
	$(BIN)/python -m benchmarks --only peers

##@ Look after it

.PHONY: golden
golden: .venv/dev.stamp  ## Make the golden database files that are missing: for a new format version
	$(BIN)/python -m tests.journal.make_golden

.PHONY: reference
reference: .venv/dev.stamp  ## Write the generated parts of docs/ again: tables and diagrams
	$(BIN)/python -m tests.docs.generated

.PHONY: lock
lock: .venv/dev.stamp  ## Pin the newest versions that pyproject.toml allows
	$(BIN)/python -m pip install --quiet uv
	$(LOCK) --upgrade --extra fast pyproject.toml --output-file requirements.lock
	$(LOCK) --upgrade --extra fast --group dev --group docs --group build pyproject.toml --constraints requirements.lock --output-file requirements-dev.lock
	$(LOCK) --upgrade --group build --constraints requirements-dev.lock --output-file requirements-build.lock
	$(LOCK) --upgrade benchmarks/peers/requirements.in --output-file benchmarks/peers/requirements.lock

.PHONY: clean
clean:  ## Remove what was installed and built; data/ stays
	rm -rf .venv site dist build .coverage .hypothesis .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

.PHONY: help
help:
	@awk 'BEGIN { FS = ":.*## " } /^##@ / { print "\n" substr($$0, 5) } /^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

# --- what the targets above need ---

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; PYTHON= names another one")'
	$(PYTHON) -m venv .venv || { echo 'On Debian: apt-get install python3-venv'; rm -rf .venv; exit 1; }

.venv/run.stamp: pyproject.toml requirements.lock requirements-build.lock | .venv/bin/python
	@echo 'Installing into .venv ...'
	$(INSTALL) --requirement requirements.lock
	$(INSTALL) --requirement requirements-build.lock
	$(INSTALL_ITSELF)
	touch $@

.venv/dev.stamp: pyproject.toml requirements-dev.lock | .venv/bin/python
	@echo 'Installing into .venv ...'
	$(INSTALL) --requirement requirements-dev.lock
	$(INSTALL_ITSELF)
	touch .venv/run.stamp $@

data/peers-venv/stamp: benchmarks/peers/requirements.lock | .venv/bin/python
	@echo 'Installing the peers into data/peers-venv ...'
	$(BIN)/python -m venv --clear data/peers-venv
	data/peers-venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes --requirement $<
	touch $@

.PHONY: debian-packages
debian-packages:
	@missing=$$(for each in $(DEBIAN_PACKAGES); do command -v $${each#*:} >/dev/null || echo -n "$${each%:*} "; done)
	if [[ -z $$missing ]]; then exit; fi
	become=$$([[ $$(id -u) == 0 ]] || echo sudo -n)
	install() { $$become env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $$missing; }
	if ! (install || ($$become apt-get update -qq && install)) >/dev/null 2>&1; then
	  echo "Not installed, and not to be installed from here: $$missing- what cannot be run without is named at the end."
	fi
