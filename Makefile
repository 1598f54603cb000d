# Everything a person or a CI does with a clone. `make help` lists the targets.
# Needs python3 (3.11 or newer), make and git; the rest is installed into .venv.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Workers of the test run; `make test WORKERS=0` runs in one process, for debuggers.
WORKERS ?= auto
# Arguments for pytest: `make test TESTS="tests/store -k lock"`.
TESTS ?=
# What the tests and checks use beside the runtime dependencies: every extra, and the dependency group dev.
EXTRAS := fmt,objectstore,postgres,encrypt,policy,fleet,telemetry

CHECKS := lint format types any-share complexity layers dependencies dead-code generated tree links decisions picture docs words tests-say
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
# As pip does for a package that it installs: without it every start compiles all modules again where PYTHONDONTWRITEBYTECODE
# is set, as it is in many containers.
COMPILE := $(BIN)/python -m compileall -q reconciler

.DEFAULT_GOAL := help
.PHONY: help setup demo test quick check $(CHECKS) fix generate prove bench wheel image clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.created:
	@sh scripts/make_venv.sh $(PYTHON) $(VENV)
	@touch $@

$(VENV)/.runtime: pyproject.toml | $(VENV)/.created
	@echo "installing reconciler into $(VENV)"
	@$(PIP) --editable .
	@$(COMPILE)
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/.created
	@echo "installing reconciler and what its tests and checks need into $(VENV)"
	@$(PIP) --upgrade 'pip>=25.1' # an older one knows no dependency groups
	@$(PIP) --editable '.[$(EXTRAS)]' --group dev
	@$(COMPILE)
	@touch $(VENV)/.runtime $@

setup: $(VENV)/.dev ## install everything that tests and checks need (instant when it is there)

demo: $(VENV)/.runtime ## run validate, plan, apply and plan on the built-in emulator
	@bash scripts/demo.sh $(BIN)/reconciler

test: $(VENV)/.dev ## run the tests
	@$(COMPILE)
	@HYPOTHESIS_PROFILE=$${HYPOTHESIS_PROFILE:-ci} $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(TESTS)

quick: $(VENV)/.dev ## run the tests nearest to what changed, for 20 seconds at most
	@HYPOTHESIS_PROFILE=$${HYPOTHESIS_PROFILE:-ci} $(BIN)/python -m scripts.quick

prove: $(VENV)/.dev ## run the long suites: crash matrix, thousands of random histories
	@$(COMPILE)
	@HYPOTHESIS_PROFILE=prove $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m prove --timeout 3600 $(TESTS)

check: $(VENV)/.dev ## run every static check and report all that fail
	@$(MAKE) --no-print-directory --keep-going $(CHECKS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .

format: $(VENV)/.dev
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

any-share: $(VENV)/.dev
	$(BIN)/python -m scripts.check_any

complexity: $(VENV)/.dev
	$(BIN)/python -m scripts.check_complexity

layers: $(VENV)/.dev
	$(BIN)/lint-imports

dependencies: $(VENV)/.dev
	$(BIN)/deptry reconciler

dead-code: $(VENV)/.dev
	$(BIN)/python -m scripts.check_dead_code

generated: $(VENV)/.dev
	$(BIN)/python -m scripts.check_generated

tree: $(VENV)/.dev
	$(BIN)/python -m scripts.check_tree

links: $(VENV)/.dev
	$(BIN)/python -m scripts.check_links

decisions: $(VENV)/.dev
	$(BIN)/python -m scripts.check_decisions

picture: $(VENV)/.dev
	$(BIN)/python -m scripts.picture

docs: $(VENV)/.dev ## build the documentation site into site/, and check its links
	@$(BIN)/python -m scripts.build_docs

words: $(VENV)/.dev
	$(BIN)/python -m scripts.check_words

tests-say: $(VENV)/.dev
	$(BIN)/python -m scripts.check_tests

fix: $(VENV)/.dev ## format, and repair what ruff can repair
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

generate: $(VENV)/.dev ## write the generated files again: schemas/, docs/reference/, what views call kinds and guards, the list of decisions, and the output shown on pages
	$(BIN)/python -m scripts.check_generated --write
	$(BIN)/python -m scripts.check_decisions --write
	$(BIN)/python -m scripts.run_docs --write

bench: $(VENV)/.runtime ## measure start-up and work on 100 to 100,000 objects and octoDNS beside it, in 12 minutes at most; writes docs/benchmarks.md
	@$(COMPILE)
	@$(BIN)/python -m scripts.bench

wheel: $(VENV)/.dev ## build the wheel, and try it in a new environment and an empty folder
	@bash scripts/check_wheel.sh $(BIN)/python

image: ## build the container image and try it (says so where no container runtime answers)
	@bash scripts/check_image.sh

clean: ## remove the virtual environment and all caches
	rm -rf $(VENV) .cache .hypothesis build dist site
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
