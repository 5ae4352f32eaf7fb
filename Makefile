# `make demo` and `make test` set everything up by themselves: they find a Python >= 3.12 and a C++ compiler,
# make .venv, install the locked requirements by hash, build the package, and go.

VENV := .venv
BIN := $(VENV)/bin
SOURCES := $(shell find src -type f -not -name '*.pyc' -not -name '*.so') CMakeLists.txt pyproject.toml
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
JOBS ?= 2

.PHONY: demo test test-slow fuzz lint docs bench lock clean
.DELETE_ON_ERROR:

demo: $(VENV)/.package
	$(BIN)/fiducial demo build/demo

test: $(VENV)/.package
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup -m "not slow" $(ARGS)

test-slow: $(VENV)/.package
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup -m slow $(ARGS)

# Damaged and random bytes for the decoder of compressed tiles, built with sanitizers.
fuzz:
	CXX=$$(tools/find-compiler) tests/fuzz/run $(or $(INPUTS),200000) $(or $(SEED),1)

lint: $(VENV)/.package
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.package
	$(BIN)/python -m sphinx -W --keep-going -b html docs build/docs

# Beside other programs: `make bench ARGS="--size small --repeats 1"` for a quick look at whether it works.
bench: $(VENV)/.package
	$(BIN)/python -m benchmarks.run $(ARGS)

# After a change of pyproject.toml: the lock carries hashes and no address.
lock: $(VENV)/.requirements
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --generate-hashes --no-header --no-annotate --all-extras --universal \
		--python-version 3.12 pyproject.toml --output-file requirements.lock

clean:
	rm -rf $(VENV) build dist

$(VENV)/.requirements: requirements.lock tools/find-python
	@tools/find-compiler >/dev/null
	@python=$$(tools/find-python) && echo "python: $$python" && "$$python" -m venv $(VENV)
	$(PIP) install --require-hashes -r requirements.lock
	@touch $@

# The plug-in package goes in too, so that the tests find the doors for plug-ins open.
$(VENV)/.package: $(VENV)/.requirements $(SOURCES) $(shell find tests/plugin -type f -not -name '*.pyc')
	CXX=$$(tools/find-compiler) $(PIP) install --no-deps --no-build-isolation --force-reinstall .
	$(PIP) install --no-deps --no-build-isolation --force-reinstall ./tests/plugin
	@touch $@
