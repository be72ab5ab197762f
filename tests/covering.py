"""Writes variants.json: covering arrays of what cookiecutter.json offers, the same for the same options."""

import json
from math import prod
from pathlib import Path
from random import Random

from covertable import make

from offered import CORE, LISTS, NEEDS, OPTIONS, SCALARS, TOGETHER, is_possible, items

OTHERS = OPTIONS["frontend"][1:]  # than pages by Django
FILE = Path(__file__).with_name("variants.json")


def cover(factors, triples=(), **options):
    """Return rows that hold every pair of values, and what the triples (or longer tuples) of factors give."""
    constraints = [
        {
            "operator": "or",
            "conditions": [
                {"operator": "ne", "left": factor, "value": value},
                *({"operator": "eq", "left": needed, "value": choice} for choice in choices),
            ],
        }
        for (factor, value), needed, choices in NEEDS
        if {factor, needed} <= factors.keys()
    ]
    models = [{"fields": list(fields), "strength": len(fields)} for fields in triples]
    return make(factors, sub_models=models, constraints=constraints, **options)


def chosen(factors, value):
    return dict.fromkeys(factors, value)


def all_that_go_with(row, *lists):
    """Return the items of these lists: "yes" to those that the answers of a row allow, "no" to the others."""
    return {item: "yes" if is_possible([*row.items(), (item, "yes")]) else "no" for item in items(*lists)}


def booted():
    """Return the full product of the core, each triple in one row, with all consumers that go with it."""
    size = prod(len(OPTIONS[key]) for key in CORE)
    triples = [factors for factors in TOGETHER["booted"] if len(factors) > 2]
    for salt in range(1000):
        rows = cover(SCALARS | {"frontend": ["templates"]}, triples, salt=str(salt))
        if len(rows) == size:
            return [row | all_that_go_with(row, "consumers") for row in sorted(rows, key=place)]
    raise SystemExit(f"{size} rows do not hold what is booted together; ask for less in tests/offered.py.")


def integrated(booted):
    """Return the rows, of which one of each server has all integrations: they do not depend on its core."""
    full = [row for row in booted if "no" not in row.values()]  # with every consumer that uses them
    firsts = {row["server"]: row for row in reversed(full)}
    every = chosen(items("integrations"), "yes")
    return [row | every if row in firsts.values() else row for row in booted]


def partial(booted):
    """Return rows with fewer consumers, for the pairs that are not among those with all.

    The first have all, each with another front end.
    """
    others = [
        chosen(items("consumers"), "yes") | {"frontend": other, "auth": "session_jwt"} for other in OTHERS
    ]
    two = [factors for factors in TOGETHER["booted"] if len(factors) == 2]
    rows = cover(SCALARS | items("consumers"), two, presets=[*booted, *others], strength=1)
    return rows[len(booted) :]


def fewest(rows, together, given=()):
    """Return some of the rows, among which all meets that is to meet, so far as it does among all of them.

    Those with these numbers are among them.
    """
    held = [{tuple((factor, row[factor]) for factor in factors) for factors in together} for row in rows]

    def attempt(order):
        chosen = list(given)
        missing = set().union(*held).difference(*(held[number] for number in given))
        while missing:
            chosen.append(max(order, key=lambda number: len(held[number] & missing)))
            missing -= held[chosen[-1]]
        return chosen

    orders = (Random(salt).sample(range(len(rows)), len(rows)) for salt in range(300))
    return [rows[number] for number in sorted(min(map(attempt, orders), key=len))]


def baked():
    factors = SCALARS | items(*LISTS)
    extremes = [chosen(items(key), value) for key in LISTS for value in ("yes", "no")]
    longer = [factors for factors in TOGETHER["baked"] if len(factors) > 2]
    return sorted(cover(factors, longer, presets=extremes), key=place)


def deployed():
    """Return a row for each server with all targets, among them every other answer; most with Redis."""
    factors = SCALARS | {"python_version": ["3.13"]} | chosen(items(*LISTS), ["yes"])
    layers = sorted(OPTIONS["channel_layer"], key=["redis", "redis_queue", "memory"].index)
    return sorted(cover(factors | {"channel_layer": layers}, strength=1), key=place)


def place(row):
    return [OPTIONS[key].index(row[key]) for key in CORE]


def answers(row):
    """Return what is answered at the prompts, in their order."""
    texts = dict(row)
    for key in LISTS:
        texts[key] = ", ".join(item for item in OPTIONS[key] if row.get(f"{key}={item}") == "yes") or "none"
    return [texts[key] for key in OPTIONS]


def main():
    tables = {"booted": booted()}
    tables |= {"partial": partial(tables["booted"]), "baked": baked(), "deployed": deployed()}
    tables["booted"] = integrated(tables["booted"])
    none = chosen(items("integrations"), "no")
    rows = [none | row for row in tables["booted"] + tables["partial"]]
    tables["covering"] = fewest(rows[: len(tables["booted"])], TOGETHER["covering"])
    others = range(len(tables["booted"]), len(tables["booted"]) + len(OTHERS))
    tables["suites"] = fewest(rows, TOGETHER["suites"], others)
    parts = [f'"options": {json.dumps(list(OPTIONS))}']
    for title, rows in tables.items():
        lines = ",\n".join(json.dumps(answers(row)) for row in rows)
        parts.append(f'"{title}": [\n{lines}\n]')
    FILE.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")
    print(", ".join(f"{len(rows)} {title}" for title, rows in tables.items()))


if __name__ == "__main__":
    main()
