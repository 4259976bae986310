# Everything that can be done with WxHub; `make help` lists it. Needs Python 3.11 or newer, and make.

SHELL := /bin/sh
PYTHON ?= python3
PORT ?= 8000
SIMULATOR_PORT ?= 8100
VENV := .venv
BIN := $(VENV)/bin
# A package mirror set for pip serves uv too.
export UV_DEFAULT_INDEX ?= $(if $(UV_INDEX_URL),$(UV_INDEX_URL),$(PIP_INDEX_URL))
ifeq ($(UV_DEFAULT_INDEX),)
unexport UV_DEFAULT_INDEX
endif

.PHONY: help demo test install run worker simulator lint check bench soak messages lock clean

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*##  */\1:/p' $(MAKEFILE_LIST) | awk -F: '{printf "  make %-12s%s\n", $$1, $$2}'

demo: install  ## the whole thing on this machine: site, worker, simulator of WeChat (PORT=…, SIMULATOR_PORT=…)
	@exec $(BIN)/python manage.py demo --port $(PORT) --simulator-port $(SIMULATOR_PORT)

test: install  ## all tests (on PostgreSQL: TEST_DATABASE_URL=postgres://…)
	$(BIN)/python -m pytest -n auto

install: $(VENV)/.installed $(VENV)/.collected  ## everything into .venv, as uv.lock has it

run: install  ## the site in development, on PORT
	$(BIN)/python manage.py migrate -v0
	$(BIN)/granian --interface wsgi wxhub.wsgi:application --port $(PORT) --blocking-threads 16

worker: install  ## sends what is due and does the periodic work
	$(BIN)/python manage.py worker

simulator: install  ## plays WeChat on SIMULATOR_PORT
	$(BIN)/python manage.py simulator --port $(SIMULATOR_PORT)

lint: install  ## ruff, mypy, import contracts, migrations, translations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run -v0

check: lint test  ## what CI runs

bench: install  ## a page of figures, half an hour (PARTS="callback delivery", SERVER=postgres://…/postgres)
	$(BIN)/python -m bench $(PARTS) $(if $(SERVER),--database $(SERVER))

soak: install  ## every fault of the reliability table, made for real on SQLite and PostgreSQL (an hour; ROWS="C1 C318")
	$(BIN)/python -m bench.soak $(ROWS)

messages: install  ## translations: collect the strings, compile the catalogue (needs gettext)
	$(BIN)/python manage.py makemessages -l zh_Hans --no-obsolete --no-wrap -i .venv -i tests
	$(BIN)/python manage.py compilemessages -l zh_Hans -i .venv

lock: install  ## uv.lock anew; it names versions and hashes, and no host: any mirror serves it
	$(BIN)/uv lock $(LOCK_OPTIONS)
	$(BIN)/python -c "import re, pathlib; p = pathlib.Path('uv.lock'); t = p.read_text(); \
	t = re.sub(r'registry = \"[^\"]+\"', 'registry = \"packages\"', t); \
	p.write_text(re.sub(r'url = \"https?://[^\"]*/([^/\"]+)\"', r'path = \"\1\"', t))"

clean:  ## remove what `install` and the demo made
	rm -rf $(VENV) .demo .pytest_cache .mypy_cache .ruff_cache

$(VENV)/.collected: $(VENV)/.installed $(shell find static -type f)
	@DEBUG=true $(BIN)/python -W ignore manage.py collectstatic --noinput --clear -v0
	@touch $@

# uv comes from the package index, by the pip of a fresh environment. Debian and Ubuntu keep that pip in a package apart.
VENV_PACKAGE := python3-venv
APT := $(if $(filter 0,$(shell id -u)),,sudo )apt-get
$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "WxHub needs Python 3.11 or newer: make PYTHON=python3.12 …"; exit 1; }
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || { rm -rf $(VENV); \
	  echo "This Python cannot make environments; installing $(VENV_PACKAGE) with apt-get."; \
	  { $(APT) update -qq && $(APT) install -y -qq $(VENV_PACKAGE); } >/dev/null || \
	  { echo "That failed. Install $(VENV_PACKAGE) (or your system's package for Python's venv) and try again."; exit 1; }; \
	  $(PYTHON) -m venv $(VENV); }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

$(VENV)/.installed: pyproject.toml uv.lock | $(BIN)/uv
	@$(BIN)/uv export --quiet --frozen --all-extras --no-emit-project --output-file $(VENV)/requirements.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r $(VENV)/requirements.txt
	@touch $@
