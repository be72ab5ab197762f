"""The types of a project are right, as `make lint` sees them, whatever the answers."""

import pytest

from offered import ALL_CONSUMERS, OPTIONS
from serving import each
from variants import first

# A few that have each module of the template in one of them.
CHECKED = [
    first(server="uvicorn", channel_layer="memory", auth="session_jwt") | {"database": "sqlite"},
    first(server="daphne", channel_layer="redis_queue", auth="jwt") | {"database": "postgresql"},
    first(server="hypercorn", channel_layer="redis", auth="jwt")
    | {"python_version": "3.12", "tasks": "celery", "frontend": "react"},
    first(server="gunicorn", channel_layer="memory", auth="session")
    | {"rest_api": "none", "consumers": ALL_CONSUMERS.removesuffix(", problems")},
    first(server="granian", channel_layer="redis", auth="session")
    | {"django_version": "5.2", "frontend": "none"},
]
SHAPING = (
    "frontend",
    "server",
    "channel_layer",
    "auth",
    "database",
    "rest_api",
    "tasks",
    "django_version",
    "python_version",
)


@pytest.mark.parametrize("variant", each(CHECKED))
def test_lint_finds_nothing(variant, installed):
    assert "Success: no issues found" in installed(variant).make("lint")


@pytest.mark.parametrize("option", SHAPING)
def test_each_choice_is_in_one_of_these(option):
    assert {variant[option] for variant in CHECKED} == set(OPTIONS[option])
