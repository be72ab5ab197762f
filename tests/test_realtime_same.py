"""`realtime/` is the same in every project: answers decide which of its files are there, and nothing else."""

import re

import pytest

from offered import CONFIG, TEMPLATE

SOURCE = TEMPLATE / "{{cookiecutter.project_slug}}" / "realtime"

# Bakes in which each choice of each option that shapes realtime/ occurs.
VARIANTS = [
    {},
    {"auth": "session_jwt", "channel_layer": "redis", "server": "gunicorn", "database": "postgresql"},
    {
        "auth": "jwt",
        "channel_layer": "redis_queue",
        "server": "daphne",
        "consumers": "rooms",
        "frontend": "react",
    },
    {"consumers": "none", "rest_api": "none", "server": "hypercorn", "django_version": "5.2"},
    {"consumers": "notifications", "server": "granian", "python_version": "3.12", "frontend": "none"},
]


def files(folder):
    return {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}


def test_it_holds_nothing_for_cookiecutter():
    marks = re.compile(rb"cookiecutter|#%|\{%|\{\{")
    rendered = {
        name: path
        for name, path in files(SOURCE).items()
        if not name.name.endswith("-tpl") and "templates" not in name.parts  # Django's own marks
    }
    assert not [name for name, path in rendered.items() if marks.search(path.read_bytes())]


@pytest.mark.parametrize("answers", VARIANTS, ids=lambda answers: "-".join(answers.values()) or "default")
def test_each_file_is_that_of_the_template(bake, answers):
    """Of siblings such as `allowance_memory.py` and `allowance_redis.py` the chosen one is `allowance.py`."""
    for name, path in files(bake(**answers) / "realtime").items():
        siblings = [SOURCE / name, *(SOURCE / name.parent).glob(f"{name.stem}_*{name.suffix}")]
        sources = {file.read_bytes() for file in siblings if file.is_file()}
        assert path.read_bytes() in sources, name


def test_a_file_of_one_name_is_the_same_in_all_projects(bake):
    """But for those that are one of several siblings."""
    versions = {}
    for answers in VARIANTS:
        for name, path in files(bake(**answers) / "realtime").items():
            versions.setdefault(str(name), set()).add(path.read_bytes())
    assert {name for name, found in versions.items() if len(found) > 1} == {
        "allowance.py",
        "consumer_template/apps.py-tpl",
        "consumer_template/urls.py-tpl",
    }


@pytest.mark.parametrize("option", ["server", "channel_layer", "auth", "frontend"])
def test_these_projects_have_every_choice(option):
    first, *_ = CONFIG[option]
    assert {answers.get(option, first) for answers in VARIANTS} == set(CONFIG[option])
