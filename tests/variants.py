"""The variants that are tested, as variants.json has them.

covering.py writes that file from what cookiecutter.json offers (`make variants`), and test_variants.py says
when it does not cover that any more. So an option adds rows to the matrix, and does not multiply it.
"""

import json
from pathlib import Path

from offered import CORE


def _read():
    tables = json.loads(Path(__file__).with_name("variants.json").read_text(encoding="utf-8"))
    names = tables.pop("options")
    return {title: [dict(zip(names, row, strict=True)) for row in rows] for title, rows in tables.items()}


_VARIANTS = _read()

BAKED = _VARIANTS["baked"]
BOOTED = _VARIANTS["booted"]  # the full product of the core, with all consumers
PARTIAL = _VARIANTS["partial"]  # booted as well, with fewer consumers
DEPLOYED = _VARIANTS["deployed"]  # each server, with all deployment targets

# Every two answers of the core, for points of the contract that depend on no more; see contract/conftest.py.
COVERING = _VARIANTS["covering"]

# Those whose own tests are run: what they test depends on at most two answers, and seldom on the server.
SUITES = _VARIANTS["suites"]


def name(variant):
    """Return a readable id, e.g. `hypercorn-redis-jwt`."""
    return "-".join(variant[key] for key in CORE)


def first(**answers):
    """Return the first booted variant with these answers."""
    return next(variant for variant in BOOTED if answers.items() <= variant.items())


def on_both(*variants):
    """Return each variant with its pages by Django's templates, and by React."""
    return [variant | {"frontend": by} for variant in variants for by in ("templates", "react")]
