# `make` lists the commands. It needs Python with pip; uv, from the PATH or from .venv, brings the rest.
UV := $(or $(shell command -v uv),.venv/bin/uv)
PYTHON := .venv/bin/python
# On two cores, since much of a run is waiting.
WORKERS ?= 3
# Tests with these markers need a program that may be absent, or root; pyproject.toml says which.
AS_ROOT := $(shell test $$(id -u) = 0 && echo yes)
ABSENT := $(if $(shell command -v chromium),,browser) \
  $(if $(AS_ROOT),$(if $(shell command -v buildah),,image) $(if $(shell command -v systemctl),,systemd),image systemd)
SELECT := $(if $(strip $(ABSENT)),-m "$(foreach marker,$(ABSENT),not $(marker) and) not none")

RESOLUTION ?= newest
# Each server, and all that a project may depend on.
FEW := uvicorn-redis-session or daphne-redis_queue-jwt or hypercorn-redis-jwt \
  or gunicorn-redis_queue-session_jwt or granian-redis-session_jwt

.DEFAULT_GOAL := help
.PHONY: help demo test versions variants presets conditions soak bench lint format

help: ## List these commands
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

demo: | $(UV) ## Generate the default project into demo/ and serve it at http://127.0.0.1:8000
	@if [ -d demo/live_site ]; then echo "Keeping demo/live_site; delete it to generate it again"; \
	else echo "Generating demo/live_site"; \
	  $(UV) sync --quiet --inexact --no-dev --group demo && \
	  $(PYTHON) -m cookiecutter . --no-input --default-config --output-dir demo; fi
	@$(MAKE) --no-print-directory -C demo/live_site UV=$(abspath $(UV)) demo-users
	@echo; echo "Serving at http://$${HOST:-127.0.0.1}:$${PORT:-8000}/ - log in as shown above; Ctrl+C stops it"; echo
	@cd demo/live_site && $(PYTHON) -m serving.server --reload

test: .venv/installed ## Bake, boot and talk to every variant; make test ARGS="-k daphne" runs a part
	$(PYTHON) -m pytest -v -n $(WORKERS) --dist loadgroup $(SELECT) $(ARGS)

versions: .venv/installed ## Test a few variants with other versions of what they depend on: the newest, or RESOLUTION=lowest-direct
	RESOLUTION=$(RESOLUTION) $(MAKE) --no-print-directory test ARGS='tests/test_suites.py tests/contract -k "$(FEW)"'

variants: .venv/installed ## Choose anew which variants are tested, after a change of cookiecutter.json
	$(PYTHON) tests/covering.py

presets: .venv/installed ## Make the folders in presets/ anew, after a change of cookiecutter.json or of a preset
	$(PYTHON) presets/make.py

conditions: ## Count the conditional lines of each file of the template
	@python3 tests/conditions.py

soak: .venv/installed ## Let all that a project rests on fail, for MINUTES=60; the result goes to docs/soak.md
	$(PYTHON) -m pytest -n 0 -s tests/test_chaos.py -k uvicorn-redis-session --minutes $(or $(MINUTES),60)

bench: .venv/installed ## Measure fan-out and HTTP against other servers, and sockets against polling; results go to docs/
	$(PYTHON) -m benchmarks

lint: .venv/installed ## Check style and likely bugs, in the template too
	$(PYTHON) -m ruff check --config pyproject.toml
	$(PYTHON) -m ruff format --config pyproject.toml --check

format: .venv/installed ## Put the code into its standard form
	$(PYTHON) -m ruff check --config pyproject.toml --fix
	$(PYTHON) -m ruff format --config pyproject.toml

.venv/installed: pyproject.toml .python-version | $(UV)
	@echo "Installing into .venv"
	$(UV) sync
	@touch $@

.venv/bin/uv:
	@echo "Making .venv with $$(python3 --version)"
	python3 -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check uv
