# `make demo` and `make test` do all their own set-up; `make help` lists the rest.
#
# pip's own settings are respected (pip.conf, PIP_EXTRA_INDEX_URL, ...). Plain PyPI has the CUDA build of torch, several
# gigabytes that this course has no use for: name PyTorch's index of CPU wheels there, as pytorch.org's installation page
# says, and the same lock installs the small build.

PYTHON ?= python3.11
# Test processes. Two by default: each one loads torch, and the end-to-end tests start processes of their own. A file's
# tests stay in one process, because they share what is expensive: a kernel, a browser, a graded class.
JOBS ?= 2
# Added to the command line of pytest, `course demo`, JupyterLab and pip-compile, e.g. make test PYTEST_FLAGS="-k softmax"
PYTEST_FLAGS ?=
DEMO_FLAGS ?=
LAB_FLAGS ?=
LOCK_FLAGS ?=

VENV := .venv
BIN := $(VENV)/bin
# Quiet enough to leave only errors: an index that lacks some package would print a line for each one that it lacks.
PIP_INSTALL := -m pip install -qq --disable-pip-version-check
# Two stamps, so that a change of pyproject.toml alone (a lint rule, say) costs seconds and not a new installation.
LOCKED := $(VENV)/.stamp-locked
READY := $(VENV)/.stamp-ready

# The resolver lives apart from .venv: `make lock` must work when the present lock does not.
LOCK_VENV := $(VENV)-lock
PIP_TOOLS := pip-tools==7.6.2

# nbgrader starts `alembic` by its bare name, and a user need not have activated .venv.
export PATH := $(abspath $(BIN)):$(PATH)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# The steps of a goal come one after the other, whatever -j says; pytest has its own processes.
.NOTPARALLEL:
.PHONY: help demo test benchmark lint setup lab release lock nbdiff clean demo-intro system-grading system-testing

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: demo-intro system-grading $(READY) ## grade a sample class from end to end, into demo/
	@$(BIN)/course demo $(DEMO_FLAGS)

demo-intro:
	@echo "demo: grade a sample class from end to end into demo/, with a report and feedback."
	@test -e $(READY) || echo "demo: the first time, a set-up comes before that, which takes a minute or two."

test: system-testing lint ## lint, types, and all tests, the browser's included
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder --durations 10 $(PYTEST_FLAGS)

benchmark: system-grading $(READY) ## measure grading beside stock nbgrader, and write docs/benchmarks.md
	@for each in throughput where_time_goes memory linear cold; do \
	    echo "benchmark: $$each"; $(BIN)/python -m benchmarks.$$each --write || exit 1; done

lint: $(READY) ## ruff and mypy
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

setup: $(READY) ## make .venv and install the locked packages in it

lab: $(READY) ## start JupyterLab in this folder
	$(BIN)/jupyter lab $(LAB_FLAGS)

release: $(READY) ## source/ -> release/, checked for leaks
	$(BIN)/course release

lock: ## resolve requirements.lock again after a change of pyproject.toml (LOCK_FLAGS=--upgrade: newest versions)
	PYTHON=$(PYTHON) scripts/system_packages.sh venv
	test -x $(LOCK_VENV)/bin/pip-compile || $(PYTHON) -m venv $(LOCK_VENV)
	$(LOCK_VENV)/bin/python $(PIP_INSTALL) "$(PIP_TOOLS)"
	PATH="$(abspath $(LOCK_VENV)/bin):$$PATH" scripts/lock.sh $(LOCK_FLAGS)

nbdiff: $(READY) ## in this clone, let `git diff` show notebooks cell by cell
	git config diff.jupyternotebook.command '"$(abspath $(BIN))/git-nbdiffdriver" diff'

clean: ## remove .venv, caches and everything that was generated, but no student's work
	rm -rf $(VENV) $(LOCK_VENV) demo report build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find . -name .ipynb_checkpoints -type d -prune -exec rm -rf {} +

# Without it the set-up goes on: `course` itself refuses to grade, says why, and knows how to do without.
system-grading:
	@scripts/system_packages.sh bubblewrap || echo "set-up: going on without it"

system-testing:
	@scripts/system_packages.sh bubblewrap chromium

$(BIN)/python:
	@PYTHON=$(PYTHON) scripts/system_packages.sh venv
	$(PYTHON) -m venv $(VENV)

$(LOCKED): requirements.lock | $(BIN)/python
	@echo "set-up: installing the packages of requirements.lock into $(VENV) (a minute or two)"
	$(BIN)/python $(PIP_INSTALL) -r requirements.lock
	@touch $@

# --no-build-isolation: the build uses the locked setuptools, and nothing is fetched.
$(READY): pyproject.toml $(LOCKED)
	$(BIN)/python $(PIP_INSTALL) --no-deps --no-build-isolation -e .
	@touch $@
	@echo "set-up: done"
