#!/bin/sh
# Builds the pages where they are served: after `uv sync`, before `collectstatic`. Node is there meanwhile only.
set -eu
cd "${0%/*}/.."
PATH=$PWD/.venv/bin:$PATH python manage.py frames frontend/src/realtime/frames.ts
cd frontend
uv run --isolated --locked --only-group frontend sh -euc '
    npm ci --cache "${XDG_CACHE_HOME:-$HOME/.cache}/npm"
    npm run build'
rm -r node_modules
