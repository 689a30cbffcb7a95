# Every target works by itself on a fresh clone; the one prerequisite is a `python3` >= 3.12.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-spark test-browser test-notebooks notebooks docs lint lock bench calibration simulation clean

BIN := .venv/bin
PYTHON := $(BIN)/python
# Written last, so that an interrupted installation starts again, and a changed lock reinstalls.
READY := .venv/.ready
DEMOS := colombia_vouchers mechte_example

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

demo: $(READY) ## Set up, fit the shipped real data, say where the reports are
	@for name in $(DEMOS); do \
		$(BIN)/bayesmed fit "models/$$name.toml" --out "demo/$$name" --seed 1; \
	done
	@echo; echo "Open in a browser:"
	@for name in $(DEMOS); do echo "  demo/$$name/report.html"; done

test: $(READY) ## Set up and run the tests, on as many cores as there are up to 4
	$(PYTHON) -m pytest -n auto --maxprocesses 4 --dist loadfile

test-spark: $(READY) ## Run the tests on a real Spark in local mode (needs Java 17 or 21)
	@java -version >/dev/null 2>&1 || { \
		echo "Spark needs Java 17 or 21 as java; install one (Debian: apt-get install openjdk-17-jre-headless)." >&2; \
		exit 1; \
	}
	$(PYTHON) -m pytest tests/engines -m spark

test-browser: $(READY) ## Look at the reports in a real browser (needs Chromium)
	BAYESMED_BROWSER=1 $(PYTHON) -m pytest tests/browser -m browser

test-notebooks: $(READY) ## Run copies of the notebooks, each for real
	$(PYTHON) -m pytest tests/notebooks -m notebooks --durations=0

notebooks: $(READY) ## Run the notebooks in place and keep their pictures
	$(PYTHON) -m tests.notebooks

docs: $(READY) ## Build the documentation, warnings as errors
	$(PYTHON) -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo "Open in a browser: docs/_build/html/index.html"

lint: $(READY) ## Check style, types and the direction of imports
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	$(BIN)/lint-imports

bench: $(READY) ## Measure speed (prints medians, asserts nothing)
	$(PYTHON) -m tests.benchmarks

calibration: $(READY) ## Repeat the long studies whose stored tables are tested (hours)
	$(PYTHON) -W ignore -m tests.calibration.algorithm_1
	$(PYTHON) -m tests.calibration.seeds
	$(PYTHON) -W ignore -m tests.calibration.variants
	$(PYTHON) -W ignore -m tests.calibration.shared_control
	$(PYTHON) -W ignore -m tests.calibration.multi_site_iv
	$(PYTHON) -W ignore -m tests.calibration.covariate_iv
	$(PYTHON) -W ignore -m tests.calibration.random_coefficients
	$(PYTHON) -W ignore -m tests.calibration.principal_strata
	$(PYTHON) -W ignore -m tests.calibration.assumptions
	$(PYTHON) -W ignore -m tests.calibration.cell_assumptions
	$(PYTHON) -W ignore -m tests.calibration.known_failures
	$(PYTHON) -W ignore -m tests.calibration.assumptions --table
	$(PYTHON) -W ignore -m tests.calibration.subgroups
	$(PYTHON) -W ignore -m tests.calibration.job_corps
	$(PYTHON) -W ignore -m tests.calibration.subgroups --table
	$(PYTHON) -W ignore -m tests.calibration.sbc
	$(PYTHON) -W ignore -m tests.calibration.sbc --table
	$(PYTHON) -W ignore -m tests.studies.kills

simulation: $(READY) ## Repeat Fu's Table 1, 1,000 data sets a cell (10 minutes on 2 cores)
	$(PYTHON) -m tests.calibration.algorithm_1 --only base

# Versions in the lock are kept where they still fit; `make lock UPGRADE=--upgrade` renews them.
lock: $(READY) ## Resolve the dependencies of pyproject.toml into requirements.lock
	$(PYTHON) -m pip install --quiet "uv>=0.9"
	$(PYTHON) -m uv pip compile pyproject.toml --group build --group test --group lint --group docs \
		--universal --python-version 3.12 --generate-hashes --no-annotate \
		--no-header --no-emit-index-url $(UPGRADE) --output-file requirements.lock --quiet

clean: ## Remove the environment, demo results and caches
	rm -rf .venv docs/_build docs/generated demo build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

$(READY): requirements.lock pyproject.toml
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null || { \
		echo "bayesmed needs Python 3.12 or newer as python3; here it is: $$(python3 --version 2>&1 || true)." >&2; \
		echo "Install one (3.13 is what .python-version names) and run make again." >&2; \
		exit 1; \
	}
	python3 -m venv .venv
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
