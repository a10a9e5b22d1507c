# Everything runs in .venv, which the first target makes for itself. `make help` lists the targets.
.DEFAULT_GOAL := help
.NOTPARALLEL:
SHELL := /bin/sh

VENV := .venv
BIN := $(VENV)/bin
# A file's tests stay together. Files start in their order: those with a browser, which take longest, come first.
PARALLEL := -n auto --dist loadfile --no-loadscope-reorder
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

demo: $(VENV)/.service ## A blog with comments on this machine, nothing to set up; Ctrl+C ends it
	@$(BIN)/commentsvc demo

serve: $(VENV)/.service ## Set the service up in instance/ and run it
	@$(BIN)/commentsvc init
	@$(BIN)/commentsvc serve

check: $(VENV)/.checks ## Lint, formatting, types, direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

test: check ## The checks, then every test; brings browsers and an nginx for them where it can
	@$(BIN)/python -m tests.support.chromium
	@$(BIN)/python -m tests.support.engines
	@$(BIN)/python -m tests.support.nginx
	@$(BIN)/python -m pytest $(PARALLEL)

quick: check ## The checks, then every test that needs no browser
	@$(BIN)/python -m tests.support.nginx
	@$(BIN)/python -m pytest $(PARALLEL) -m 'not browser'

translations: $(VENV)/.checks ## Bring the catalogues of commentsvc/translations/ up to date with the code's words
	@$(BIN)/python -m tests.support.catalogues

recipes: $(VENV)/.checks ## Build tiny sites with the generators of docs/recipes/, and open them with a real service
	@$(BIN)/python -m tests.support.chromium
	@$(BIN)/python -m tests.recipes.programs
	@$(BIN)/python -m pytest -p no:cacheprovider tests/recipes/check_sites.py tests/recipes/check_wordpress.py

docs: $(VENV)/.checks ## The documents as a site, in docs/_build/index.html
	@$(BIN)/sphinx-build --fail-on-warning --keep-going --quiet -b html -c docs . docs/_build
	@echo "Open docs/_build/index.html"

bench: $(VENV)/.checks ## Measure it beside nginx and Isso, in ten minutes; the table goes into docs/performance.md
	@$(BIN)/python -m tests.support.chromium
	@$(BIN)/python -m bench --write

constraints: $(BIN)/python ## Pin the newest releases that pyproject.toml allows, in constraints.txt
	@rm -rf $(VENV)/fresh && $(BIN)/python -m venv $(VENV)/fresh
	@$(VENV)/fresh/bin/python -m pip install --quiet --disable-pip-version-check -e '.[test,check,docs]'
	@$(VENV)/fresh/bin/python -m pip freeze --exclude-editable | LC_ALL=C sort -f > constraints.txt
	@rm -rf $(VENV)/fresh

clean: ## Remove .venv, caches and builds; instance/ with its comments stays
	@rm -rf $(VENV) bench/.work docs/_build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.service: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing commentsvc in $(VENV)"
	@$(PIP) -e . -c constraints.txt
	@touch $@

$(VENV)/.checks: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing commentsvc with its tests, checks and documents in $(VENV)"
	@$(PIP) -e '.[test,check,docs]' -c constraints.txt
	@touch $@ $(VENV)/.service

$(BIN)/python:
	@for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	  $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	  exec $$python -m venv $(VENV); \
	done; \
	echo "commentsvc needs Python 3.11 or newer with its venv module (on Debian and Ubuntu: python3-venv)." >&2; \
	echo "Where it goes by another name: make PYTHON=/path/to/python" >&2; \
	exit 1

.PHONY: help demo serve check test quick translations recipes docs bench constraints clean
