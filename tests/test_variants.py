"""The matrix of variants covers what cookiecutter.json offers."""

from itertools import product

import pytest

from offered import LISTS, NEEDS, OPTIONS, TOGETHER, facts, is_possible, items
from variants import BAKED, BOOTED, COVERING, DEPLOYED, PARTIAL, SUITES

AGAIN = "run `make variants` and commit tests/variants.json"
VARIANTS = {"baked": BAKED, "booted": BOOTED + PARTIAL, "covering": COVERING, "suites": SUITES}
VALUES = OPTIONS | items(*LISTS)


def test_variants_have_answers_that_are_offered_and_go_together():
    for variant in (*BAKED, *BOOTED, *PARTIAL, *DEPLOYED):
        assert list(variant) == list(OPTIONS), AGAIN
        values = facts(variant)
        assert all(value in VALUES[factor] for factor, value in values.items()), (variant, AGAIN)
        assert is_possible(values.items()), (variant, AGAIN)
        for key in LISTS:
            named = [item for item in OPTIONS[key] if values[f"{key}={item}"] == "yes"]
            assert variant[key] == (", ".join(named) or "none"), AGAIN


@pytest.mark.parametrize("stage", TOGETHER)
def test_what_must_occur_together_does_unless_the_rules_forbid_it(stage):
    rows = list(map(facts, VARIANTS[stage]))
    for factors in TOGETHER[stage]:
        met = {tuple(row[factor] for factor in factors) for row in rows}
        missing = set(product(*(VALUES[factor] for factor in factors))) - met
        possible = [values for values in missing if is_possible(zip(factors, values, strict=True))]
        assert not possible, f"no variant is {stage} with {factors} = {possible[0]}; {AGAIN}"


def test_those_that_stand_for_all_are_few_and_booted():
    for variants in (COVERING, SUITES):
        assert len(variants) <= len(BOOTED) / 3
        assert all(variant in BOOTED + PARTIAL for variant in variants), AGAIN


def test_the_rules_forbid_something():
    """Without one of them the test above would ask for what pre_gen refuses."""
    for fact, option, choices in NEEDS:
        others = set(OPTIONS[option]) - set(choices)
        assert others
        assert not any(is_possible([fact, (option, other)]) for other in others)


def test_the_core_is_booted_in_full_once_and_each_server_with_few_consumers_and_deployed():
    cores = [tuple(variant[key] for key in ("server", "channel_layer", "auth")) for variant in BOOTED]
    assert sorted(cores) == sorted(product(*(OPTIONS[key] for key in ("server", "channel_layer", "auth"))))
    for variants in (PARTIAL, DEPLOYED):
        assert {variant["server"] for variant in variants} == set(OPTIONS["server"])
    for key in ("channel_layer", "auth"):
        assert {variant[key] for variant in DEPLOYED} == set(OPTIONS[key])
    for key in LISTS:
        assert {"none", ", ".join(OPTIONS[key])} <= {variant[key] for variant in BAKED}
