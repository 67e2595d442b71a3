# The commands of the hub; `make` alone prints them.
EXAMPLE ?=
CLAIM   ?=
STACK   ?= embedded
RECORD  ?=
TIMES   ?=
CHECK   ?=
COVERAGE ?=
VARIANT ?=
RESET   ?=
SHOW    ?=
URL     ?=

PYTHON := .venv/bin/python
PYTEST = env PYTHONPATH=. $(PYTHON) -m pytest $(if $(EXAMPLE),--example $(EXAMPLE))
NEXUS  := PYTHONPATH=. $(PYTHON) -m nexus
LOCK   := --universal --generate-hashes --no-emit-index-url --python-version 3.12 --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)

# Text is UTF-8, whatever the terminal speaks.
export PYTHONUTF8 := 1
# An environment in which it is set would have each of hundreds of processes compile what it imports once more.
unexport PYTHONDONTWRITEBYTECODE
# Programs of an environment name the folder that it was made in: of a checkout that was moved it is made again.
ifneq ($(shell cat .venv/place 2>/dev/null),$(shell pwd -P))
$(shell rm -f .venv/*.stamp)
endif

.DEFAULT_GOAL := help
.PHONY: help setup run mine up down prove test bench sync site doctor lint format clean lock

help: ## print the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.venv/run.stamp: requirements.txt setup.sh
	@sh setup.sh requirements.txt run

.venv/dev.stamp: requirements-dev.txt setup.sh
	@sh setup.sh requirements-dev.txt dev run

setup: .venv/dev.stamp ## install what tests and experiments need

run: .venv/run.stamp ## [EXAMPLE=…]: open the lab, and start an example in it, until Ctrl-C
	@exec env $(NEXUS) run $(EXAMPLE)

mine: .venv/dev.stamp ## EXAMPLE=… [RESET=1|SHOW=solution]: write a variant of your own, and run the example with it
	@exec env $(NEXUS) mine $(EXAMPLE) $(if $(RESET),--reset) $(if $(SHOW),--show $(SHOW))

up: .venv/dev.stamp ## EXAMPLE=…: start an example in containers
	@$(NEXUS) up $(EXAMPLE)

down: .venv/dev.stamp ## EXAMPLE=…: stop its containers and remove their volumes
	@$(NEXUS) down $(EXAMPLE)

prove: .venv/dev.stamp ## [EXAMPLE=…] [CLAIM=…] [VARIANT=mine] [STACK=embedded|compose] [RECORD=1|COVERAGE=1|TIMES=10]: run the experiments
	@exec env $(NEXUS) prove $(EXAMPLE) $(if $(CLAIM),--claim $(CLAIM)) $(if $(VARIANT),--variant $(VARIANT)) --stack $(STACK) $(if $(RECORD),--record) $(if $(COVERAGE),--coverage) $(if $(TIMES),--times $(TIMES))

test: .venv/dev.stamp ## [EXAMPLE=…]: verify everything this machine can
	@$(PYTEST) -n 3 --dist loadfile --no-loadscope-reorder -m "not alone and not paired"; status=$$?; [ $$status -le 1 ] || exit $$status; \
	$(if $(EXAMPLE),,$(PYTEST) -n 2 --dist worksteal -m paired || status=$$?; [ $$status -le 1 ] || exit $$status;) \
	$(PYTEST) -m alone $(if $(EXAMPLE),tests/test_claims.py) || status=$$?; exit $$status

bench: .venv/dev.stamp ## EXAMPLE=… [STACK=embedded|compose] [RECORD=1]: the solution beside its peers in one run
	@exec env $(NEXUS) bench $(EXAMPLE) --stack $(STACK) $(if $(RECORD),--record)

sync: .venv/dev.stamp ## [CHECK=1]: fill code and figures into the write-ups, or fail if one is stale
	@$(NEXUS) sync $(if $(CHECK),--check)

site: .venv/run.stamp ## [URL=…]: write the lab's pages into site/, without anything to run
	@$(NEXUS) site $(if $(URL),--url $(URL))

doctor: .venv/run.stamp ## check what this machine can run
	@$(NEXUS) doctor

lint: .venv/dev.stamp ## ruff, mypy, compose files, workflow
	@PYTHONPATH=. $(PYTHON) -m nexus.lint

format: .venv/dev.stamp ## let ruff format and sort
	@.venv/bin/ruff check --quiet --fix-only .
	@.venv/bin/ruff format .

clean: ## leave no process, container, volume or file
	@if [ -x $(PYTHON) ]; then $(NEXUS) clean; fi
	@rm -rf .venv .nexus .pytest_cache .mypy_cache .ruff_cache .hypothesis site .site-*
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

lock: .venv/run.stamp ## [UPGRADE=1]: resolve every requirements file again
	@.venv/bin/uv pip compile -q $(LOCK) pyproject.toml -o requirements.txt
	@.venv/bin/uv pip compile -q $(LOCK) pyproject.toml --group dev -o requirements-dev.txt
	@for lock in examples/*/requirements*.in examples/*/exercises/*.in benchmarks/*.in; do \
		[ -e "$$lock" ] || continue; \
		.venv/bin/uv pip compile -q $(LOCK) "$$lock" -o "$${lock%.in}.txt"; done
