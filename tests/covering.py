"""Writes variants.json: covering arrays of what cookiecutter.json offers, the same for the same options."""

import json
from math import prod
from pathlib import Path

from covertable import make

from offered import CORE, LISTS, NEEDS, OPTIONS, SCALARS, TOGETHER, items

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


def booted():
    """Return the full product of the core, each triple in one row, with all consumers."""
    size = prod(len(OPTIONS[key]) for key in CORE)
    triples = [factors for factors in TOGETHER["booted"] if len(factors) > 2]
    for salt in range(1000):
        rows = cover(SCALARS, triples, salt=str(salt))
        if len(rows) == size:
            return [row | chosen(items("consumers"), "yes") for row in sorted(rows, key=place)]
    raise SystemExit(f"{size} rows do not hold what is booted together; ask for less in tests/offered.py.")


def integrated(booted):
    """Return the rows, of which one of each server has all integrations: they do not depend on its core."""
    firsts = {row["server"]: number for number, row in reversed(list(enumerate(booted)))}
    every = chosen(items("integrations"), "yes")
    return [row | every if number in firsts.values() else row for number, row in enumerate(booted)]


def partial(booted):
    """Return rows with fewer consumers, for the pairs that are not among those with all."""
    return cover(SCALARS | items("consumers"), presets=booted)[len(booted) :]


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
    parts = [f'"options": {json.dumps(list(OPTIONS))}']
    for title, rows in tables.items():
        lines = ",\n".join(json.dumps(answers(row)) for row in rows)
        parts.append(f'"{title}": [\n{lines}\n]')
    FILE.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")
    print(", ".join(f"{len(rows)} {title}" for title, rows in tables.items()))


if __name__ == "__main__":
    main()
