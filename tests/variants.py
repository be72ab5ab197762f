"""The variants that are tested, as variants.json has them.

covering.py writes that file from what cookiecutter.json offers (`make variants`), and test_variants.py says
when it does not cover that any more. So an option adds rows to the matrix, and does not multiply it.
"""

import json
from itertools import combinations
from pathlib import Path

from offered import CORE, OPTIONS, facts


def _read():
    tables = json.loads(Path(__file__).with_name("variants.json").read_text(encoding="utf-8"))
    names = tables.pop("options")
    return {title: [dict(zip(names, row, strict=True)) for row in rows] for title, rows in tables.items()}


_VARIANTS = _read()

BAKED = _VARIANTS["baked"]
BOOTED = _VARIANTS["booted"]  # the full product of the core, with all consumers
PARTIAL = _VARIANTS["partial"]  # booted as well, with fewer consumers
DEPLOYED = _VARIANTS["deployed"]  # each server, with all deployment targets


def fewest(variants, ignored, alone=()):
    """Return some of the variants, which hold every pair of answers that all hold.

    What is ignored does not count, and what stands alone only by itself, each answer once.
    """

    def held(variant):
        told = [(fact, fact[0].split("=")[0]) for fact in facts(variant).items()]
        told = [(fact, option) for fact, option in told if option not in ignored]
        paired = [fact for fact, option in told if option not in alone]
        return {fact for fact, _ in told}.union(combinations(paired, 2))

    chosen, missing = [], set().union(*map(held, variants))
    while missing:
        chosen.append(max(variants, key=lambda variant: len(held(variant) & missing)))
        missing -= held(chosen[-1])
    return chosen


# Every two answers of the core, for points of the contract that depend on no more; see contract/conftest.py.
COVERING = fewest(BOOTED, ignored=set(OPTIONS) - set(CORE))

# Those whose own tests are run: what they test depends on at most two answers, and seldom on the server.
SUITES = fewest(
    BOOTED + PARTIAL,
    {"license", "ci", "deployment"},
    alone={"server", "python_version", "consumers", "integrations"},
)


def name(variant):
    """Return a readable id, e.g. `hypercorn-redis-jwt`."""
    return "-".join(variant[key] for key in CORE)


def first(**answers):
    """Return the first booted variant with these answers."""
    return next(variant for variant in BOOTED if answers.items() <= variant.items())
