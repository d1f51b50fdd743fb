# Every target sets up what it needs; `make setup` alone does it once.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
CONFIG ?=

.PHONY: setup serve test test-wheel test-long fuzz sdk-suites check format lock bench screenshots clean

setup: $(STAMP)

$(STAMP): requirements/dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Penstock needs Python 3.11 or later; call make PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "Python's venv package is missing; on Debian: apt-get install python3-venv"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $(STAMP)

serve: setup
	$(BIN)/penstock serve $(if $(CONFIG),-c $(CONFIG))

test: setup
	$(BIN)/python scripts/test_tools.py
	$(BIN)/python -m pytest -m "not long" -n 2 --dist loadgroup

test-long: setup
	$(BIN)/python scripts/test_tools.py
	$(BIN)/python -m pytest -m long

# The test suites of the vendors' own SDKs, against a gateway and the simulator (docs/conformance.md).
sdk-suites: setup
	$(BIN)/python scripts/sdk_suites.py

# The same tests against the wheel with its hot path compiled, in an environment of its own.
test-wheel: setup
	rm -rf .cache/wheel && mkdir -p .cache/wheel
	$(BIN)/python scripts/build_wheel.py .cache/wheel
	$(BIN)/python -m venv .cache/wheel/venv
	.cache/wheel/venv/bin/python -m pip install --quiet --require-hashes -r requirements/dev.lock
	.cache/wheel/venv/bin/python -m pip install --quiet --no-deps .cache/wheel/*.whl
	.cache/wheel/venv/bin/python -m pytest -m "not long" -n 2 --dist loadgroup --ignore tests/architecture --ignore tests/release

# Longer than CI's bounded fuzzing; needs atheris, which is not among the locked tools.
SECONDS ?= 60
fuzz: setup
	$(BIN)/python scripts/fuzz.py $(SECONDS)

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/pyright
	$(BIN)/codespell src tests docs bench scripts README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md REVIEWING.md
	$(BIN)/python -m pytest -q tests/architecture

format: setup
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

lock:
	$(PYTHON) scripts/lock.py

bench: setup
	$(BIN)/python -m bench $(BENCH)

clean:
	rm -rf $(VENV) .cache .pytest_cache .ruff_cache dist
