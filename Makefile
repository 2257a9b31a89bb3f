# `make help` lists what there is. All of it works on a machine with Python 3.11+, git and make.

# The first Python that the lock was made for; `make PYTHON=/path/to/python` chooses another.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& command -v $$p && break; done)
PY := .venv/bin/python
# Twice quiet: errors are shown, warnings about the machine's pip are not ours.
PIP := $(PY) -m pip --disable-pip-version-check -qq
TESTS ?=
# Further marks to leave out, as `and not external`.
LEFT_OUT ?=
# Two at a time suit two cores; the servers are shared. In the order of the folders, what takes
# long comes first, and no core is left alone with it in the end.
TEST_OPTIONS ?= -n 2 --dist loadfile --no-loadscope-reorder

# What the visual pages are built from (a directory tells of files that went), and the last of
# the files that it becomes.
PAGES := apps/celesta/console/static/celesta/built/licenses.md
PAGES_FROM := $(shell find frontend -maxdepth 1 -type f) $(shell find frontend/src)

export PYTHONPATH := .:apps:workers
.DEFAULT_GOAL := help
.PHONY: up down dev demo pages test test-long check bench bench-ui audit lock fmt clean clean-data help

up: .venv/run.stamp pages  ## install, start Celesta on private servers, run the demo; Ctrl-C stops
	@$(PY) -m project up

down:  ## stop what `make up` started, from another terminal
	@test -x $(PY) && $(PY) -m project down || echo "Nothing is installed here."

dev: .venv/run.stamp pages  ## like up, with DEBUG, and what you change is loaded at once
	@$(PY) -m project dev

demo: .venv/run.stamp  ## run the package audit on the Celesta that is up
	@$(PY) manage.py demo

pages: .venv/run.stamp  ## build the visual pages from frontend/, if anything in it has changed
	@$(MAKE) --no-print-directory -s $(PAGES) || echo "  Celesta does without: its editor is a text editor until \`make pages\` succeeds."

test: .venv/dev.stamp $(PAGES)  ## run the tests (TESTS=path::name for some), nothing needs to be started
	@$(PY) -m pytest $(TEST_OPTIONS) -m "not long$(LEFT_OUT)" $(TESTS)

test-long: .venv/dev.stamp $(PAGES)  ## run the tests that take minutes
	@$(PY) -m pytest -m "long$(LEFT_OUT)" $(TESTS)

check: .venv/dev.stamp  ## format, lint, types, arrows, migrations, deployment, OpenAPI, features
	@$(PY) -m project.checks

bench: .venv/run.stamp  ## measure Celesta against raw Celery canvas
	@$(PY) -m benchmarks $(BENCH_OPTIONS)

bench-ui: .venv/run.stamp pages  ## measure lists among a million runs, and pages in a browser
	@$(PY) -m benchmarks ui $(BENCH_OPTIONS)

audit: .venv/dev.stamp  ## look for known holes in the locked packages
	@$(PY) -m pip_audit --require-hashes --disable-pip -r requirements.txt
	@$(PY) -m ruff check --select S project apps workers

lock: .venv/dev.stamp  ## resolve requirements*.in and package.json anew, prove the locks for every system
	@$(PY) -m project.checks.lock

fmt: .venv/dev.stamp  ## format the code and mend what the linter can
	@$(PY) -m project.frontend format
	@$(PY) -m ruff check --fix --quiet . ; $(PY) -m ruff format .

clean:  ## delete what was built and installed here; the data stay
	@test ! -x $(PY) || $(PY) -m project down
	@rm -rf .venv build dist staticfiles *.egg-info apps/*.egg-info .mypy_cache .ruff_cache
	@rm -rf frontend/node_modules apps/celesta/console/static/celesta/built
	@rm -rf .pytest_cache .hypothesis .import_linter_cache htmlcov .coverage .coverage.*
	@find project apps workers tests examples -name __pycache__ -prune -exec rm -rf {} +

clean-data:  ## delete the private servers' data, secrets and logs
	@test -x $(PY) && $(PY) -m project erase || echo "Nothing is installed here."

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

.venv/python.stamp:
	@test -n "$(PYTHON)" || { echo "Celesta needs Python 3.11, 3.12 or 3.13: install one, or name it with make PYTHON=/path/to/python"; exit 1; }
	@echo "  Installing into .venv (once; $(PYTHON))"
	@"$(PYTHON)" -m venv .venv || { rm -rf .venv; echo "No virtual environment could be made: install Python's venv module (Debian, Ubuntu: apt-get install python3-venv)"; exit 1; }
	@touch $@

.venv/run.stamp: .venv/python.stamp requirements.txt
	@begun=$$(date +%s); $(PIP) install --require-hashes --only-binary :all: -r requirements.txt \
	  && printf '  ✓ %-28s %5s s\n' "Packages installed" $$(( $$(date +%s) - begun ))
	@touch $@

.venv/dev.stamp: .venv/run.stamp requirements-dev.txt
	@$(PIP) install --require-hashes --only-binary :all: -r requirements-dev.txt
	@touch $@

$(PAGES): $(PAGES_FROM) | .venv/run.stamp
	@$(PY) -m project.frontend build
