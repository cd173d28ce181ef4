# Two commands do all set-up on a fresh machine: `make plan` and `make test`. Both may be run again at any time.
# uv is used when it is there (faster), else python's own venv and pip.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= out
UV := $(shell command -v uv 2>/dev/null)

ifdef UV
MAKE_VENV = uv venv --quiet --allow-existing --python "$(PYTHON)" $(VENV)
INSTALL = uv pip install --quiet --python $(BIN)/python
else
MAKE_VENV = $(PYTHON) -m venv $(VENV)
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check
endif

.DEFAULT_GOAL := help
.PHONY: help plan test lint types check bench lock clean

help:  ## list the commands
	@grep -hE '^[a-z]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

$(BIN)/python:
	$(MAKE_VENV)

# The locked, hashed set first, so that every machine has the same versions; then this folder itself, without its dependencies.
$(VENV)/.installed: pyproject.toml requirements.lock | $(BIN)/python
	$(INSTALL) --require-hashes -r requirements.lock
	$(INSTALL) --no-deps -e .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	$(INSTALL) --require-hashes -r requirements-dev.lock
	@mkdir -p build/types/lifecircle
	@for pair in gis:gis layers:layers maps:maps cli:scripts; do ln -sfn "../../../$${pair#*:}" "build/types/lifecircle/$${pair%%:*}"; done
	@touch $@

plan: $(VENV)/.installed  ## set up, plan the built-in city, say where the map and the report lie
	$(BIN)/lifecircle plan --out "$(OUT)"

test: $(VENV)/.installed-dev  ## set up with what the tests need, run all tests
	$(BIN)/python -m pytest $(PYTEST)

lint: $(VENV)/.installed-dev  ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev  ## mypy, strict
	$(BIN)/mypy -p lifecircle

check: lint types test  ## all that must pass before a change lands

bench: $(VENV)/.installed-dev  ## time and memory, side by side with peers in one run
	$(BIN)/python benchmarks/pipeline.py
	$(BIN)/python benchmarks/engine.py --record
	$(BIN)/python benchmarks/floating.py --record
	$(BIN)/python benchmarks/siting.py --record

lock: $(BIN)/python  ## renew the hashed locks (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command "make lock" -o requirements.lock pyproject.toml
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command "make lock" --extra dev -c requirements.lock -o requirements-dev.lock pyproject.toml

clean:  ## remove what was built; keeps out/
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
