"""The matrix of variants, derived from cookiecutter.json: a new choice joins it by being offered."""

import json
from collections import Counter
from itertools import combinations, product
from pathlib import Path

TEMPLATE = Path(__file__).parent.parent
CONFIG = json.loads((TEMPLATE / "cookiecutter.json").read_text(encoding="utf-8"))
QUESTIONS = [key for key in CONFIG if not key.startswith("_")]

# Every option with the answers that tests give it. Of a list: all, none, and each item alone.
OPTIONS = {key: list(choices) for key, choices in CONFIG["_options"].items()}
OPTIONS |= {key: [", ".join(OPTIONS[key]), "none", *OPTIONS[key]] for key in CONFIG["_lists"]}

ALL_CONSUMERS = OPTIONS["consumers"][0]

CORE = ("server", "channel_layer", "auth")
STRUCTURE = (*CORE, "rest_api", "database", "consumers")


def is_valid(variant):
    """Say whether pre_gen accepts these answers together."""
    given = {f"{key}={choice}" for key, choices in variant.items() for choice in choices.split(", ")}
    return all(need in given for answer, need in CONFIG["_needs"].items() if answer in given)


def answers(options):
    """Yield every combination of answers to `options`, as dicts."""
    for values in product(*(OPTIONS[key] for key in options)):
        yield dict(zip(options, values, strict=True))


def pairs(variant):
    """Return the pairs of answers that occur together in `variant`."""
    return set(combinations(sorted(variant.items()), 2))


def all_pairs(options):
    """Return the pairs of answers to `options` that occur in any valid variant."""
    met = set()
    for one, other in combinations(sorted(options), 2):
        for variant in answers({one, other, "auth", "rest_api", "database", "deployment"}):
            if is_valid(variant):
                met |= pairs({one: variant[one], other: variant[other]})
    return met


def spread(rows, free, beside=()):
    """Complete each row with those answers to `free` whose pairs were met least, in rows and in `beside`."""
    met, variants = Counter(pair for variant in beside for pair in pairs(variant)), []
    for row in rows:
        candidates = filter(is_valid, ({**row, **rest} for rest in answers(free)))
        best = max(candidates, key=lambda variant: sum(0.1 ** met[pair] for pair in pairs(variant)))
        met.update(pairs(best))
        variants.append(best)
    return variants


def others(options):
    """Return the names of the options that are not among `options`."""
    return [key for key in OPTIONS if key not in options]


def name(variant):
    """Return a readable id, e.g. `hypercorn-redis-jwt`."""
    return "-".join(variant[key] for key in CORE)


# The full product, booted and talked to with all consumers; its other options are covered pairwise. No file
# of a deployment target has a part in that: those are run from the projects in `DEPLOYED`.
BOOTED = spread(
    [{**core, "consumers": ALL_CONSUMERS, "deployment": "none"} for core in answers(CORE)],
    others((*CORE, "consumers", "deployment")),
)

# Booted too: each server with fewer consumers, so that `BOOTED` and these meet every pair of answers.
PARTIAL = spread(
    [
        {"server": server, "consumers": few, "deployment": "none"}
        for server in OPTIONS["server"]
        for few in OPTIONS["consumers"][1:]
    ],
    others(("consumers", "server", "deployment")),
    beside=BOOTED,
)

# Everything that shapes code, in full; license, versions, deployment and CI are covered pairwise beside it.
BAKED = spread(filter(is_valid, answers(STRUCTURE)), others(STRUCTURE))

# Each server with all targets, and each channel layer and authentication among them.
DEPLOYED = spread(
    [
        {
            "server": server,
            "channel_layer": layer,
            "consumers": ALL_CONSUMERS,
            "deployment": OPTIONS["deployment"][0],
            "python_version": "3.13",
        }
        for server, layer in zip(
            OPTIONS["server"], ("redis", "redis_queue", "memory", "redis_queue", "redis"), strict=True
        )
    ],
    others(("server", "channel_layer", "consumers", "deployment", "python_version")),
)
