"""What cookiecutter.json offers, and what of it must be tested together.

A *factor* is what varies: an option, or an item of an option that is a list, with the values "yes" and "no".
"""

import json
from itertools import combinations
from pathlib import Path

TEMPLATE = Path(__file__).parent.parent
CONFIG = json.loads((TEMPLATE / "cookiecutter.json").read_text(encoding="utf-8"))
QUESTIONS = [key for key in CONFIG if not key.startswith("_")]
LISTS = list(CONFIG["_lists"])
CORE = ("server", "channel_layer", "auth")


# An option that begins with _ is private: nobody is asked, only a preset answers it.
OPTIONS = {key: list(choices) for key, choices in CONFIG["_options"].items() if key in QUESTIONS}
SCALARS = {key: choices for key, choices in OPTIONS.items() if key not in LISTS}
DEFAULT = {key: CONFIG[key][0] if isinstance(CONFIG[key], list) else CONFIG[key] for key in OPTIONS}
ALL_CONSUMERS = ", ".join(OPTIONS["consumers"])


def items(*lists):
    """Return the factors of these lists, with their values."""
    return {f"{key}={item}": ["yes", "no"] for key in lists for item in OPTIONS[key]}


def fact(text):
    """Return the factor and the value of an answer such as "auth=jwt" or "deployment=docker"."""
    return (text, "yes") if text in items(*LISTS) else tuple(text.split("="))


# What an answer needs, as (answer, option, the choices of it that go with that answer).
RULES = [
    (answer, option, choices)
    for answer, needs in CONFIG["_needs"].items()
    for option, choices in needs.items()
    if answer.split("=")[0] in QUESTIONS
]
NEEDS = [(fact(answer), option, choices) for answer, option, choices in RULES]


def facts(variant):
    """Return the value of each factor in a variant, as a dict."""
    values = {key: variant[key] for key in SCALARS}
    for factor in items(*LISTS):
        key, item = factor.split("=")
        values[factor] = "yes" if item in variant[key].split(", ") else "no"
    return values


def is_possible(facts):
    """Say whether pre_gen accepts these values, whatever the others are: no factor needs two values."""
    left = {factor: set(values) for factor, values in (SCALARS | items(*LISTS)).items()}
    for factor, value in facts:
        left[factor] &= {value}
    for _ in NEEDS:  # one may follow from another
        for (factor, value), needed, choices in NEEDS:
            if left[factor] == {value}:
                left[needed] &= set(choices)
    return all(left.values())


def pairs(factors):
    """Return the pairs of factors."""
    return list(combinations(factors, 2))


# What must occur together. Among what is baked: every two answers, and each triple of the core with each
# other answer but the license. Among what is booted, which has one row for each triple: every two answers,
# but for targets, and every two of the core with what else decides how a project runs, as far as so many rows
# can hold it. Pages come from Django in all of those rows; with another front end one has all consumers,
# others have few. Of these some are enough for points of the contract that depend on two answers of the core
# ("covering"), and some for projects' own tests: the server and an API make little difference to them, and
# what the contract holds of authentication in every one of its triples need not meet there once more.
RUNS = ("python_version", "django_version", "database")
ALONE = {"license", "ci", "deployment", "server", "python_version", "frontend", "rest_api"}
ELSEWHERE = [{"frontend", other} for other in SCALARS if other not in ("django_version", "auth", "rest_api")]
APART = (
    {"channel_layer", "auth"},
    {"django_version", "auth"},
    {"auth", "database"},
)
TOGETHER = {
    "baked": [
        *pairs(SCALARS | items(*LISTS)),
        *((*CORE, other) for other in SCALARS | items(*LISTS) if other not in (*CORE, "license")),
    ],
    "booted": [
        CORE,
        *((*two, other) for two in pairs(CORE) for other in RUNS),
        *(two for two in pairs(SCALARS | items("consumers")) if set(two) not in ELSEWHERE),
    ],
    "covering": pairs(CORE),
    "suites": [
        *((one,) for one in ["server", "python_version", "frontend", "rest_api"]),
        *((one,) for one in items("consumers", "integrations")),
        *(two for two in pairs(key for key in SCALARS if key not in ALONE) if set(two) not in APART),
    ],
}
