# Everything sets itself up: `make demo` and `make test` need only Python >= 3.11 and make.
# Another interpreter: make test PYTHON=python3.13 VENV=.venv-3.13

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test lint types pytest rules mutants bench clean

demo: $(READY)
	@$(BIN)/rivusio compile examples/flights.py
	@$(BIN)/python examples/flights.py
	@$(BIN)/python examples/compare.py

test: lint types pytest

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy --cache-dir $(VENV)/mypy-cache

pytest: $(READY)
	$(BIN)/python -m pytest

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "rivusio needs Python >= 3.11: make PYTHON=python3.11"; exit 1; }
	@echo "setting up $(VENV), once"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[dev]"
	@touch $(READY)

# docs/rules.md: which test holds which rule of docs/semantics.md
rules: $(READY)
	$(BIN)/python -m tests.rules

# breaks each rule on purpose, and looks whether its tests fail: some seven minutes
mutants: $(READY)
	$(BIN)/python -m tests.mutants

# CPU time against loops written by hand, as ratios; see benchmarks/__main__.py
bench: $(READY)
	@$(BIN)/python -m benchmarks

clean:
	rm -rf .venv .venv-* .pytest_cache .mypy_cache .ruff_cache dist
