# Everything a developer runs, and everything CI runs. A machine needs Python 3.11 to 3.13 and make; the rest is set up here.
#   PYTHON=/path/to/python3.12   which interpreter the virtual environment is made from
#   ARGS="..."                   passed on by run, test, bench and conformance
#   UNDERSTUDY_CONFORMANCE_CACHE where `make conformance` keeps what others wrote; by default the user's cache

VENV := .venv
BIN  := $(VENV)/bin
ARGS ?=

# Other people's suites, in an environment of their own, outside of the repository: nothing here depends on them.
UNDERSTUDY_CONFORMANCE_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/understudy-conformance
OTHERS := $(UNDERSTUDY_CONFORMANCE_CACHE)

SUITABLE := import sys, ensurepip, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python; do \
	"$$python" -c '$(SUITABLE)' >/dev/null 2>&1 && { command -v "$$python"; break; }; done)

# Hashes are checked, and nothing but what the files list is installed. The index is whatever pip is set up with.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
PINNED  := $(INSTALL) --require-hashes --no-deps --only-binary :all: --requirement
PROJECT := $(INSTALL) --no-deps --no-index --no-build-isolation --editable .

# Every provider file names the variable its key is read from: where one is set, `make run` serves.
PROVIDER_KEYS = grep -rhoE '[A-Z][A-Z_]*_(API_KEY|BASE_URL|TOKEN)' src/understudy/providers 2>/dev/null | sort -u

.DEFAULT_GOAL := help
.PHONY: help run test test-whole check format-check lint types imports docs-check bench conformance evaluate fix lock clean
.DELETE_ON_ERROR:

help: ## Show what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: $(VENV)/.run ## Serve with understudy.yaml or the provider keys in the environment; without either, show the demo
	@command=demo; \
	if [ -f understudy.yaml ]; then command=serve; fi; \
	for key in $$($(PROVIDER_KEYS)); do if [ -n "$$(printenv "$$key")" ]; then command=serve; fi; done; \
	exec $(BIN)/understudy $$command $(ARGS)

# Each process that a test starts, and each that runs tests, would compile every module and every test anew.
test test-whole: export PYTHONDONTWRITEBYTECODE :=

test: $(VENV)/.dev ## Run all tests and hold the coverage; with ARGS="tests/core -k walk", only those
ifeq ($(strip $(ARGS)),)
	@$(BIN)/coverage erase
	$(BIN)/python -m pytest -n auto --dist worksteal --cov --cov-report=
	$(BIN)/coverage report --include='src/understudy/core/*' --fail-under=100
	$(BIN)/coverage report --omit='src/understudy/core/*' --fail-under=90
else
	$(BIN)/python -m pytest $(ARGS)
endif

test-whole: $(VENV)/.dev ## Run all tests with every case of the long matrices, without coverage
	UNDERSTUDY_WHOLE=1 $(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

check: format-check lint types imports docs-check ## Check format, lint, strict types, import contracts and documentation

format-check: $(VENV)/.dev
	$(BIN)/ruff format --check --quiet .

lint: $(VENV)/.dev
	$(BIN)/ruff check .

types: $(VENV)/.dev
	$(BIN)/mypy src
	$(if $(wildcard bench/*.py),$(BIN)/mypy bench)
	MYPYPATH=tests $(BIN)/mypy tests/conformance

imports: $(VENV)/.dev
	$(BIN)/lint-imports --no-logo

docs-check: $(VENV)/.dev
	$(if $(wildcard docs/generate.py),$(BIN)/python docs/generate.py --check)

bench: $(VENV)/.dev ## Measure the data plane beside nginx
	$(BIN)/python bench/run.py $(ARGS)

conformance: $(VENV)/.dev $(OTHERS)/.installed ## Run other people's conformance suites over a real gateway
	UNDERSTUDY_CONFORMANCE_CACHE=$(OTHERS) $(BIN)/python tests/conformance/run.py $(ARGS)

DATA ?= $(firstword $(UNDERSTUDY_SHARED) ../shared)/data
evaluate: $(VENV)/.dev ## Measure routing by quality on labelled data (DATA=../shared/data), written to docs/evaluation.md
	@[ -d "$(DATA)" ] || { echo 'No labelled data at $(DATA). Name a folder: make evaluate DATA=/path/to/data' >&2; exit 1; }
	$(BIN)/understudy evaluate --data "$(DATA)" --out docs/evaluation.md $(ARGS)

fix: $(VENV)/.dev ## Format, and mend what the linter can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

RESOLVE = UV_CUSTOM_COMPILE_COMMAND='make lock' $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links --upgrade
COMPILE = $(RESOLVE) pyproject.toml --extra all

lock: $(VENV)/.dev ## Pin the newest versions that pyproject.toml allows, with their hashes
	$(COMPILE) --group build --output-file requirements/run.txt
	$(COMPILE) --group dev --constraints requirements/run.txt --output-file requirements/dev.txt
	$(RESOLVE) --group pyproject.toml:conformance --constraints requirements/dev.txt --output-file requirements/conformance.txt

clean: ## Remove everything that was made here, the virtual environment too
	rm -rf $(VENV) build dist .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find src tests bench docs -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

# ---------------------------------------------------------------------------------------------------- the environment

$(BIN)/python:
	@[ -n "$(PYTHON)" ] || { echo 'No Python 3.11 to 3.13 with venv was found (on Debian: apt-get install python3 python3-venv).' \
		'Name one: make PYTHON=/path/to/python3.12' >&2; exit 1; }
	"$(PYTHON)" -m venv --clear $(VENV)

# One stamp for what running needs, one for what developing needs on top of it.
$(VENV)/.run: requirements/run.txt pyproject.toml | $(BIN)/python
	$(PINNED) requirements/run.txt
	$(PROJECT)
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	$(PINNED) requirements/dev.txt
	@touch $@

$(OTHERS)/.installed: requirements/conformance.txt | $(BIN)/python
	@mkdir -p $(OTHERS)
	$(BIN)/python -m venv --clear $(OTHERS)/venv
	$(OTHERS)/venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary :all: \
		--requirement requirements/conformance.txt
	@touch $@
