# What this folder adds to the Makefile. Node and npm come from PyPI, into .venv.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
DEVELOP := serving.vite
MODULES := frontend/node_modules/.package-lock.json
FRAMES := frontend/src/realtime/frames.ts
BUILT := static/app/index.html
SOURCES := $(shell find frontend -name node_modules -prune -o -type f -print)

.PHONY: frames build test-frontend lint-frontend format-frontend FORCE
run: $(MODULES) $(FRAMES)
serve: $(BUILT)
test: $(if $(ARGS),,test-frontend) # ARGS are those of pytest
lint: lint-frontend
format: format-frontend

build: $(BUILT) ## Build the front end into static/app, if it has changed

frames: $(FRAMES) ## Write the types of all frames for TypeScript

$(BUILT): $(SOURCES) static/site.css $(MODULES) $(FRAMES)
	cd frontend && npm run --silent build

# Written only if it changes, so that nothing is built for it in vain.
$(FRAMES): .env FORCE
	@$(PYTHON) manage.py frames $@

$(MODULES): frontend/package-lock.json | .venv/installed
	cd frontend && npm ci
	@touch $@

test-frontend: $(MODULES) $(FRAMES)
	cd frontend && npm run --silent test

lint-frontend: $(MODULES) $(FRAMES)
	cd frontend && npm run --silent lint

format-frontend: $(MODULES)
	cd frontend && npm run --silent format
