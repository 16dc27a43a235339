# The two commands of the README are `make demo` and `make test`; each sets up what it needs.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3.11)
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := console sandbox tap-salesforce-cases transform target-hubspot-tickets
# Two workers: what a small machine and the CI have; more cores are used with `make test WORKERS=auto`.
WORKERS ?= 2

.PHONY: help demo sandbox test faults soak bench check lint types tests setup plugins lock audit sbom clean

help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | awk -F'\t' '{printf "  make %-10s %s\n", $$1, $$2}'

demo: setup plugins ## cases of a local Salesforce become tickets of a local HubSpot, in about a minute
	@$(BIN)/python sandbox/demo.py

sandbox: setup ## the local Salesforce and HubSpot, kept in .sandbox/, until Ctrl-C
	@$(BIN)/case-sync-sandbox serve --database .sandbox/data

test: setup ## everything that proves the project: lint, types, tests
	@$(MAKE) --no-print-directory lint types tests

faults: setup ## the fault runs, which take twenty minutes: crashes, kills, lost answers, overlaps, fuzzed input
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadgroup -m faults

soak: setup ## the same with up to ten times the seeds: hours
	SOAK=1 $(BIN)/python -m pytest -q -n $(WORKERS) --dist loadgroup -m faults

bench: setup ## speed, side by side with others, as ratios: bench/RESULTS.md
	@$(BIN)/python bench/results.py

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types:
	@for package in $(PACKAGES); do echo "mypy $$package"; $(BIN)/mypy "$$package/src"; done

tests:
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadgroup -m "not faults"

setup: $(VENV)/.ready

# uv reads the pins and hashes; the five packages are installed in place, so that an edit counts at once. All is compiled now: where
# Python may not write bytecode (PYTHONDONTWRITEBYTECODE, a read-only image), each start of a plugin would compile it again, for seconds.
$(VENV)/.ready: requirements.lock pyproject.toml $(PACKAGES:%=%/pyproject.toml)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; say which one with: make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Setting up the environment in $(VENV) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check "$$(grep -E '^uv==' requirements.lock | cut -d' ' -f1)"
	@$(BIN)/uv pip install -q --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation $(PACKAGES:%=-e ./%)
	@$(BIN)/python -m compileall -q $(PACKAGES:%=%/src)
	@touch $@

plugins: setup .meltano/.ready ## install the plugins the way `meltano install` does for everybody

.meltano/.ready: meltano.yml $(PACKAGES:%=%/pyproject.toml) | setup
	@echo "Installing the plugins with Meltano ..."
	@log=$$(mktemp); UV_COMPILE_BYTECODE=1 $(BIN)/meltano install >"$$log" 2>&1 || { cat "$$log"; rm -f "$$log"; exit 1; }; rm -f "$$log"
	@touch $@

lock: setup ## renew requirements.lock: newest versions that fit the ranges
	@$(BIN)/uv lock -q --upgrade
	@$(BIN)/uv export -q --frozen --no-emit-workspace --no-header --no-annotate --all-packages -o requirements.lock

audit: setup ## known weaknesses of what requirements.lock holds; asks an advisory service, and fails where none answers
	@log=$$(mktemp); trap 'rm -f "$$log"' EXIT; \
	if $(BIN)/uv tool run pip-audit@2.10.1 --strict --require-hashes --disable-pip --progress-spinner off -r requirements.lock >"$$log" 2>&1; \
	then cat "$$log"; elif grep -q 'known vulnerabilit' "$$log"; then cat "$$log"; exit 1; \
	else tail -n 1 "$$log"; echo "The audit was not made, so nothing is known: it needs the package index, and an advisory service that answers."; exit 1; fi

sbom: setup ## dist/sbom.json: what requirements.lock holds, as CycloneDX
	@mkdir -p dist
	@$(BIN)/uv tool run --from cyclonedx-bom==7.5.0 cyclonedx-py requirements requirements.lock --output-format JSON --output-file dist/sbom.json

clean: ## remove what was set up and what runs left behind
	rm -rf $(VENV) .bench .meltano .sandbox .mypy_cache .pytest_cache .ruff_cache .hypothesis output
