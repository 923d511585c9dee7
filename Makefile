# `make` lists what there is. Needs Python 3.11 or later and a package index; everything else is
# installed into .venv from the hashed lock files.

.DEFAULT_GOAL := help

VENV    := .venv
PYTHON  := $(VENV)/bin/python
PYTEST  := $(PYTHON) -m pytest
RUNTIME := $(VENV)/.installed-runtime
DEV     := $(VENV)/.installed-dev

# One BLAS thread: LightGBM brings its own threads, and two pools on one machine fight.
# OMP_NUM_THREADS is left alone, because it would hold LightGBM back too.
export OPENBLAS_NUM_THREADS ?= 1
# tools/install.sh fills this folder only where the system has no OpenMP library of its own.
export LD_LIBRARY_PATH := $(CURDIR)/$(VENV)/lib/openmp$(if $(LD_LIBRARY_PATH),:$(LD_LIBRARY_PATH))
# The lock files describe themselves by this instead of by a long command.
export UV_CUSTOM_COMPILE_COMMAND := make lock

.PHONY: help
help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# ---------------------------------------------------------------------------------- install

.PHONY: setup
setup: $(DEV) ## Make .venv with payoff, all its extras and the developer's tools

$(RUNTIME): requirements.lock pyproject.toml tools/install.sh
	@sh tools/install.sh $(VENV) requirements.lock
	@touch $@

# The developer's lock holds every runtime pin too, so it satisfies both.
$(DEV): requirements-dev.lock pyproject.toml tools/install.sh
	@sh tools/install.sh $(VENV) requirements-dev.lock
	@touch $(RUNTIME) $@

# -------------------------------------------------------------------------------------- use

.PHONY: demo
demo: $(RUNTIME) ## Fetch real data, decide, and write a report (no developer's tools needed)
	@$(PYTHON) examples/demo.py

# ------------------------------------------------------------------------------------ check

.PHONY: check
check: lint types layers ## Everything that reads the code without running it

.PHONY: lint
lint: $(DEV) ## Format, lint and spelling, without changing a file
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/typos
	@$(PYTHON) tools/changelog.py check

.PHONY: format
format: $(DEV) ## Format the code and mend what the linter can mend
	@$(VENV)/bin/ruff format .
	@$(VENV)/bin/ruff check --fix .

.PHONY: types
types: $(DEV) ## Strict type check of src
	@$(VENV)/bin/mypy

.PHONY: layers
layers: $(DEV) ## Which module may import which
	@$(VENV)/bin/lint-imports

.PHONY: test
test: $(DEV) ## The test suite, without simulations and slow tests
	@$(PYTEST) tests

.PHONY: docs
docs: $(DEV) ## Run the examples in docstrings and check the documentation
	@$(PYTEST) --doctest-modules src tests/docs

.PHONY: coverage
coverage: $(DEV) ## The test suite with branch coverage
	@$(PYTEST) --cov --cov-report=term-missing tests

.PHONY: nightly
nightly: $(DEV) ## Simulations, slow tests, and ten times the property examples
	@PAYOFF_HYPOTHESIS=nightly $(PYTEST) -m "" --cov tests

.PHONY: statistics
statistics: $(DEV) ## Run the simulations in full and rewrite docs/reference/statistics.md
	@$(PYTHON) tools/statistics_table.py

.PHONY: test-oldest
test-oldest: $(DEV) ## The test suite on the oldest dependencies that pyproject.toml admits
	@mkdir -p .cache
	@$(VENV)/bin/uv venv --quiet --clear --python $(PYTHON) .cache/oldest
	@$(VENV)/bin/uv pip compile --quiet --resolution lowest-direct --python $(PYTHON) \
	  --all-extras pyproject.toml -o .cache/oldest.txt
	@$(VENV)/bin/uv pip compile --quiet --python $(PYTHON) --all-extras --group dev --group build \
	  --constraint .cache/oldest.txt pyproject.toml -o .cache/oldest-dev.txt
	@$(VENV)/bin/uv pip sync --quiet --python .cache/oldest/bin/python .cache/oldest-dev.txt
	@$(VENV)/bin/uv pip install --quiet --python .cache/oldest/bin/python \
	  --no-deps --no-build-isolation -e .
	@.cache/oldest/bin/python -m pytest tests

.PHONY: bench
bench: $(DEV) ## Time payoff against its limits and, where installed, its peers
	@$(PYTHON) benchmarks/start.py
	@$(PYTHON) benchmarks/judge.py

# --------------------------------------------------------------------------------- maintain

.PHONY: snapshots
snapshots: $(DEV) ## Rewrite the files under tests/snapshots; read the diff before you commit it
	@PAYOFF_WRITE_SNAPSHOTS=1 $(PYTEST) -m snapshot tests

COMPILE = $(VENV)/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url \
  --python-version 3.11 --all-extras --group build pyproject.toml

.PHONY: lock
lock: $(DEV) ## Renew both lock files
	@$(COMPILE) --upgrade -o requirements.lock
	@$(COMPILE) --upgrade --group dev --constraint requirements.lock -o requirements-dev.lock

.PHONY: clean
clean: ## Remove what the tools and the demo wrote (keeps .venv and downloads)
	@rm -rf .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache \
	  .ruff_cache build demo-out dist htmlcov
	@find src tests tools examples -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: clean-all
clean-all: clean ## Remove .venv, downloads and fetched data too
	@rm -rf $(VENV) .cache
	@find examples -name data -type d -prune -exec rm -rf {} +
