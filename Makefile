# `make run` and `make test` need nothing but Python 3.11+ and a package index.

PYTHON ?= python3
VENV := .venv
# uv compiles nothing: what is imported first writes its bytecode for all that follow.
unexport PYTHONDONTWRITEBYTECODE
BIN := $(VENV)/bin
LOCKS := requirements/base.txt requirements/local.txt requirements/dev.txt
STAMP := $(VENV)/.installed

.PHONY: help setup run test test-long lint types format bench picture messages lock clean

help: ## What can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(STAMP) ## Virtual environment and locked dependencies

$(STAMP): $(LOCKS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "MOMO Pro needs Python 3.11 or newer; name one: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	@echo "==> Virtual environment in $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
		{ echo "venv failed; on Debian or Ubuntu: apt install python3-venv"; rm -rf $(VENV); exit 1; }
	@echo "==> Locked dependencies"
	@# uv takes a tenth of pip's time; where only pip knows the way to an index, pip installs them.
	@sed -n '/^uv==/,/# via/p' requirements/dev.txt | \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r /dev/stdin && \
		$(BIN)/uv pip install --quiet --require-hashes --python $(BIN)/python $(LOCKS:%=-r %) || \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes $(LOCKS:%=-r %) || \
		{ echo "Packages could not be installed: is a package index reachable? Then run the same command again."; exit 1; }
	@touch $@

run: setup ## Set up everything, crawl once, serve on PORT (5000) until Ctrl-C
	@exec $(BIN)/python -m momo.local.run

test: setup ## The whole suite, on services that it starts for itself
	@$(BIN)/python -m pytest -n auto $(ARGS)

test-long: setup ## What takes too long for every run: each way to die, 10,000 messages, each role, 200 examples of a rule
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements/long.txt
	@$(BIN)/python -m pytest -n auto -m "long or hypothesis" --hypothesis-profile=deep $(ARGS)

lint: setup ## Style, types, layers, migrations, deployment checks
	@echo "==> ruff" && $(BIN)/ruff check . && $(BIN)/ruff format --check .
	@echo "==> mypy" && MOMO_ENV=test $(BIN)/mypy
	@echo "==> import-linter" && $(BIN)/lint-imports
	@echo "==> migrations" && $(BIN)/python manage.py makemigrations --check --dry-run
	@echo "==> deployment" && MOMO_ENV=production DEBUG=0 ALLOWED_HOSTS=mo.wooo.work \
		SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(64))') \
		DATABASE_URL=postgresql://momo@database.invalid/momo REDIS_URL=redis://broker.invalid PUBLIC_URL=https://mo.wooo.work \
		EMAIL_URL=smtp+tls://momo:stand-in@mail.invalid DJANGO_SETTINGS_MODULE=momo.settings \
		$(BIN)/python -m django check --deploy --fail-level WARNING

format: setup ## Put the code into its style
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

bench: setup ## Speed, side by side with its floors and peers
	@$(BIN)/python -m tests.benchmarks $(ARGS)

picture: setup ## The documentation's pictures, from a running `make run`
	@$(BIN)/python docs/picture.py

messages: setup ## Compile the translations (needs gettext)
	@$(BIN)/python manage.py compilemessages --ignore .venv

lock: setup ## Write the locks of requirements/ anew
	@for name in base local dev; do \
		$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
			requirements/$$name.in --output-file requirements/$$name.txt || exit 1; done
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-deps \
		requirements/long.in --output-file requirements/long.txt

clean: ## Delete the data of make run (demo and live) and the virtual environment; asks first, YES=1 does not
	@test -n "$(YES)" || { \
		echo "This deletes all data of make run, demo and DEMO=0: databases, uploads, accounts ($$(du -sh .local 2>/dev/null | cut -f1) in .local)," && \
		echo "and the virtual environment. Nothing can bring it back." && \
		printf 'Type yes to delete it: ' && read -r answer && test "$$answer" = yes; } || { echo "Nothing was deleted."; exit 1; }
	@test ! -x $(BIN)/python || $(BIN)/python -m momo.local.clean
	@rm -rf $(VENV) .local
