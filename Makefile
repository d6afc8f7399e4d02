# chatter: `make start` runs the server, `make test` passes the tests.

PORT   = 8000
STORE  = sqlite:$(STATE)/chatter.sqlite
URL    = http://127.0.0.1:8000
NAME   =
PYTHON = python3

VENV   = .venv
STATE  = var
BIN    = $(VENV)/bin
PIP    = $(BIN)/python -m pip --quiet --disable-pip-version-check

# What was asked for, and is not the default above.
ASKED  = $(foreach name,PORT STORE,$(if $(filter file,$(origin $(name))),,$(name)))

# The environment names the folder of its checkout, which may have been moved since.
MOVED := $(shell test -e $(VENV)/run && \
	! grep -qsxF '$(CURDIR)/src' $(VENV)/lib/python*/site-packages/*chatter_server.pth && echo yes)

# These take long: they start servers, databases, browsers, or make environments.
SLOW   = e2e eventsource examples packaging page postgres property schemathesis

# Many wait for something most of the time, so there are more workers than processors.
PYTEST = $(BIN)/python -m pytest -n 4 --no-loadscope-reorder

.PHONY: help start stop client check test lint lint-page format format-page docs bench bench-live bench-nodes bench-page pictures clean

help: ## show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' Makefile

start: $(VENV)/run ## start the server in the background (PORT=… STORE=…)
	@$(BIN)/python scripts/daemon.py --state $(STATE) start \
		--port '$(PORT)' --store '$(STORE)' --url '$(URL)' --asked '$(ASKED)'

stop: ## stop it and wait for its end
	@$(PYTHON) scripts/daemon.py --state $(STATE) stop

client: $(VENV)/run ## chat in this terminal (URL=… NAME=…)
	@$(BIN)/python client.py '$(URL)' $(if $(NAME),--name "$$NAME")

check: lint ## lint, check the types and run the fast tests
	$(PYTEST) -q $(SLOW:%=--ignore=tests/%)

test: lint ## lint, check the types and run all tests
	$(PYTEST)

lint: $(VENV)/dev ## lint and check the types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@if command -v npm > /dev/null; then $(MAKE) --no-print-directory lint-page; else \
		echo "npm is missing: the page's scripts are not checked."; fi

lint-page: node_modules/.installed ## lint the page for browsers (needs npm)
	npm run --silent lint

format: $(VENV)/dev ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	@if command -v npm > /dev/null; then $(MAKE) --no-print-directory format-page; fi

format-page: node_modules/.installed ## format the page for browsers (needs npm)
	npm run --silent format

docs: $(VENV)/dev ## make the documentation of the API in docs/api
	PYTHONPATH=scripts $(BIN)/pydoctor

bench: $(VENV)/dev ## measure, side by side with others
	$(BIN)/python benchmarks/bench.py

bench-live: $(VENV)/dev ## measure live delivery, side by side with others
	$(BIN)/python benchmarks/bench_live.py

bench-nodes: $(VENV)/dev ## measure several nodes on PostgreSQL
	$(BIN)/python benchmarks/bench_nodes.py

bench-page: $(VENV)/dev ## measure the page in a browser (needs chromium)
	$(BIN)/python benchmarks/bench_page.py

pictures: $(VENV)/dev ## make the pictures of the page in docs (needs chromium)
	$(BIN)/python scripts/pictures.py

clean: stop ## remove the environment and what tools left, but no chat
	rm -rf $(VENV) node_modules dist docs/api .hypothesis .mypy_cache .pytest_cache .ruff_cache benchmarks/build

# The plugin is copied when chatter is installed, so a change of it installs again.
$(VENV)/run: pyproject.toml constraints.txt twisted/plugins/chatter_plugin.py $(MOVED:yes=FORCE)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and \
		"chatter needs Python 3.10 or newer, for instance: make start PYTHON=python3.12")'
	@echo "Making the environment in $(VENV)$(if $(MOVED), anew: the checkout was moved,, once)."
	@$(PYTHON) -m venv $(MOVED:yes=--clear) $(VENV)
	@$(PIP) install -c constraints.txt -e .
	@touch $@

node_modules/.installed: package.json
	@npm install --silent --no-audit --no-fund --no-package-lock
	@touch $@

$(VENV)/dev: $(VENV)/run
	@$(PIP) install -c constraints.txt -e '.[dev]'
	@touch $@

FORCE:
