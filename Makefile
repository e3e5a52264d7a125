# make run    open JupyterLab on the live explorer      (make run VIDEO=path/to/file.mp4 uses that file)
# make test   everything CI checks
# make bench  the benchmarks, in one table and in benchmarks/results.json
# make docs   the guide and the reference of every public name, as pages to read offline
# make clean  remove what these made
#
# Each target does its own set-up. A stamp stands inside what it vouches for (.venv, node_modules, static) and is
# named after a checksum of its inputs, so a second call does nothing and needs no network.

SHELL := /bin/bash
PYTHON ?= python3
VIDEO ?=
BIN := .venv/bin

checksum = $(shell (cat $(1); pwd) 2>/dev/null | cksum | tr ' ' -)
python-ready := .venv/.ready-$(call checksum,pyproject.toml constraints.txt)
npm-ready := js/node_modules/.ready-$(call checksum,js/package.json js/package-lock.json)
front-sources := $(shell find js -name node_modules -prune -o -type f -print | LC_ALL=C sort)
front-ready := convis_widgets/static/.ready-$(call checksum,$(front-sources))

.PHONY: run film test bench docs setup chromium clean

# as it was typed: the name of a film may hold what make and the shell have a meaning for
run: export FILM := $(value VIDEO)
run: film setup
	@.ci/lab "$$FILM"

# before the set-up, which takes minutes
film:
	@.ci/film "$$FILM" >/dev/null

test: setup chromium
	@.ci/checks

bench: setup
	@$(BIN)/python -m benchmarks

docs: setup
	@$(BIN)/sphinx-build -q -W --keep-going -E -a -j auto docs build/docs
	@echo "Written to build/docs; open build/docs/index.html."

setup: $(python-ready) $(front-ready)

chromium:
	@.ci/chromium

$(python-ready):
	@PYTHON="$(PYTHON)" .ci/python-environment
	@rm -f .venv/.ready-* && touch $@

$(npm-ready):
	@echo "== Installing the front end's tools"
	@command -v npm >/dev/null || { echo "npm was not found. Install node 20 or newer, with npm."; exit 1; }
	cd js && npm ci --no-audit --no-fund --no-update-notifier --loglevel=error
	@rm -f js/node_modules/.ready-* && touch $@

$(front-ready): | $(npm-ready)
	@echo "== Building the front end"
	rm -rf convis_widgets/static && cd js && npm run --silent build
	@touch $@

clean:
	rm -rf .venv js/node_modules convis_widgets/static dist build docs/made benchmarks/results.json tests/_screenshots \
		.mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
