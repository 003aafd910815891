# Everything sets itself up: `make demo` and `make test` need only Python >= 3.11 and make.
# Another interpreter: make test PYTHON=python3.13 VENV=.venv-3.13

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test test-all lint types pytest rules mutants bench bench-check fuzz fuzz-front-door
.PHONY: typing-versions clean

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
	$(BIN)/python -m pytest --numprocesses=auto --dist=loadfile

# a release step: the same on every Python that pyproject.toml claims and this machine has
PYTHONS := $(shell sed -n 's/.*"Programming Language :: Python :: \(3\.[0-9]*\)".*/\1/p' pyproject.toml)
test-all:
	@found=; failed=; \
	for version in $(PYTHONS); do \
		python=; \
		for each in python$$version "$$(pyenv root 2>/dev/null)"/versions/$$version.*/bin/python$$version; do \
			if "$$each" --version >/dev/null 2>&1; then python=$$each; break; fi; \
		done; \
		if [ -z "$$python" ]; then echo "python$$version is not on this machine: skipped"; continue; fi; \
		echo "python$$version: $$python"; found="$$found $$version"; \
		$(MAKE) --no-print-directory test PYTHON="$$python" VENV=.venv-$$version || failed="$$failed $$version"; \
	done; \
	if [ -z "$$found" ]; then echo "none of these is on this machine: $(PYTHONS)"; exit 1; fi; \
	echo "tested:$$found"; \
	if [ -n "$$failed" ]; then echo "failed:$$failed"; exit 1; fi

# the type cases and `rivusio check` under every mypy of the range in pyproject.toml
MYPYS := 2.2.0 2.3.1 2.4.1
TYPING := tests/typesafety tests/compiler/typecheck/test_check.py
typing-versions: $(MYPYS:%=.venv-mypy-%/.ready)
	for version in $(MYPYS); do .venv-mypy-$$version/bin/python -m pytest $(TYPING) || exit 1; done

.venv-mypy-%/.ready: pyproject.toml
	@$(PYTHON) -m venv .venv-mypy-$*
	@.venv-mypy-$*/bin/python -m pip install --quiet --disable-pip-version-check \
		--editable ".[dev]" "mypy==$*"
	@touch $@

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

# breaks each rule on purpose, and the compiler, and looks whether tests fail: an hour
mutants: $(READY)
	$(BIN)/python -m tests.mutation

# random chains, interpreted against compiled: make fuzz N=20000 [SEED=1]; failures go to .fuzz/
N ?= 1000
fuzz: $(READY)
	$(BIN)/python -m tests.equivalence $(N) $(if $(SEED),--seed $(SEED))

# broken files and artifacts: make fuzz-front-door [SECONDS=600] [SEED=1]; failures go to .fuzz/
SECONDS ?= 600
fuzz-front-door: $(READY)
	$(BIN)/python -m tests.robustness --seconds $(SECONDS) $(if $(SEED),--seed $(SEED))

# CPU time against loops written by hand, as ratios; see docs/performance.md
# make bench [SHAPES="five filters"] [ROUNDS=31] [JSON=FILE]
BENCH = $(BIN)/python -m benchmarks $(SHAPES) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(JSON),--json $(JSON))
bench: $(READY)
	@$(BENCH)

# fails where a ratio is worse than the committed one; make bench-check UPDATE=1 commits to new ones
bench-check: $(READY)
	@$(BENCH) $(if $(UPDATE),--update,--check)

clean:
	rm -rf .venv .venv-* .pytest_cache .mypy_cache .ruff_cache dist
