# The environment is .venv; its stamps are younger than the files that it was made from.
PYTHON ?= python3
UV ?= uv
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.complete

.DEFAULT_GOAL := help
.PHONY: help venv demo serve migrate test test-browser lint bench lock clean
.DELETE_ON_ERROR:

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

venv: $(STAMP)  ## make the environment in .venv

demo: $(STAMP)  ## run published courses through the whole protocol
	$(BIN)/regimen demo

serve: $(STAMP)  ## the HTTP service with courses to look at, open on this machine only
	$(BIN)/regimen serve --demo

migrate: $(STAMP)  ## bring the database of REGIMEN_DATABASE_URL to the newest schema
	$(BIN)/regimen migrate

test: lint  ## lint, then every test on SQLite and on PostgreSQL, with coverage
	$(BIN)/python -m pytest -n logical --dist loadfile --cov --cov-report=term

test-browser: $(STAMP)  ## the pages in a real headless Chromium, which CHROMIUM may name
	$(BIN)/python -m pytest tests/browser

lint: $(STAMP)  ## ruff, mypy --strict and the import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP)  ## measure speed against the floor of the same run
	$(BIN)/python -m benchmarks

lock:  ## resolve requirements.lock anew (needs uv)
	$(UV) pip compile pyproject.toml --extra dev --universal --python-version 3.11 --upgrade \
		--generate-hashes --no-header --no-annotate --no-emit-index-url --output-file requirements.lock

clean:  ## remove the environment and everything that was made
	rm -rf $(VENV) build dist .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): $(VENV)/.locked pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/python -m pip check
	@touch $@

$(VENV)/.locked: requirements.lock
	@command -v $(PYTHON) >/dev/null || { \
		echo "No $(PYTHON) found. Install Python 3.11, 3.12 or 3.13, or name one: make PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || { \
		echo "$$($(PYTHON) --version 2>&1) found, but 3.11, 3.12 or 3.13 is needed. Name one: make PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make environments. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version), which takes a minute, once."
	$(PYTHON) -m venv --clear $(VENV)
	@# The lock is whole, so nothing is resolved: a resolver asks for the newest release of a package with extras first.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement requirements.lock
	@touch $@
