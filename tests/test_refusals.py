"""Answers that would not work are refused: one line, the last that one sees, and nothing left on disk."""

import json
import subprocess
import sys

import pytest
from cookiecutter.generate import generate_context
from cookiecutter.main import cookiecutter
from cookiecutter.prompt import prompt_for_config

from generation import files, generate
from offered import CONFIG, TEMPLATE
from refusals import Refusal

BAD = [
    ("project_slug", "my-site", "no package name"),
    ("project_slug", "my site", "no package name"),
    ("project_slug", "MySite", "e.g. as mysite."),
    ("project_slug", "2fast", "e.g. as fast."),
    ("project_slug", "_site", "no package name"),
    ("project_slug", "site_", "no package name"),
    ("project_slug", "söte", "no package name"),
    ("project_slug", "a___b", "e.g. as a_b."),
    ("project_slug", "../site", "no package name"),
    ("project_slug", "s" * 64, "63 at most"),
    ("project_slug", "class", "keyword of Python"),
    ("project_slug", "match", "keyword of Python"),
    ("project_slug", "json", "standard library"),
    ("project_slug", "asyncio", "standard library"),
    ("project_slug", "django", "choose another name, e.g. my_django_site."),
    ("project_slug", "rest_framework", "shadows the dependency"),
    ("author_email", "nobody", "like ada@example.com"),
    ("author_email", "a@b", "like ada@example.com"),
    ("author_email", "a b@example.com", "like ada@example.com"),
    ("author_email", '"a"@example.com', "like ada@example.com"),
    ("author_email", "a@-example.com", "like ada@example.com"),
    ("domain_name", "https://example.com", "write it bare"),
    ("domain_name", "example.com:8000", "write it bare"),
    ("domain_name", "example", "write it bare"),
    ("domain_name", "127.0.0.1", "write it bare"),
    ("domain_name", "exa mple.com", "write it bare"),
    ("domain_name", "münchen.de", "in ASCII"),
    ("consumers", "rooms, chat", "unknown item 'chat'; choose from rooms, notifications, or all, or none."),
    ("consumers", "rooms,", "unknown item ''"),
    ("consumers", "rooms notifications", "unknown item 'rooms notifications'"),
    ("consumers", "all, rooms", "give all alone"),
    ("consumers", "none, rooms", "give none alone"),
    ("deployment", "heroku", "unknown item 'heroku'; choose from docker, kubernetes, cloudrun, systemd"),
    ("deployment", "Docker, CloudRun", "deployment cloudrun needs database postgresql; choose"),
    ("deployment", "all", "or another deployment: docker, systemd, supervisor."),
    ("project_name", " ", "empty"),
    ("project_name", "two\nlines", "U+000A"),
    ("project_name", "a\ttab", "U+0009"),
    ("project_name", "bell\a", "U+0007"),
    ("project_name", "txt.\u202eexe", "U+202E"),
    ("project_name", "back\\slash", "backslash"),
    ("project_name", "both ' and \"", "keep one kind"),
    ("description", "", "empty"),
    ("description", "uses \\n", "backslash"),
    ("author_name", "Ada\0", "U+0000"),
]

NAMES = [
    *("django", "asgiref", "channels", "channels_redis", "redis", "msgspec", "servestatic", "environs"),
    *("uvicorn", "uvicorn_worker", "uvloop", "httptools", "websockets", "daphne", "twisted", "autobahn"),
    *("hypercorn", "wsproto", "gunicorn", "granian", "rest_framework", "rest_framework_simplejwt", "adrf"),
    *("djangorestframework", "drf_spectacular", "csp", "psycopg", "pytest", "pytest_django", "ruff", "uv"),
    *("config", "serving", "realtime", "accounts", "health", "rooms", "notifications", "notes"),
    *("static", "templates", "deploy", "manage", "conftest"),
]


def refusal(folder, **answers):
    """Return what is said when `answers` are refused; nothing may be left on disk."""
    with pytest.raises(Refusal) as refused:
        cookiecutter(str(TEMPLATE), no_input=True, extra_context=answers, output_dir=str(folder / "out"))
    assert list(folder.rglob("*")) == [folder / "out"]
    return str(refused.value)


@pytest.mark.parametrize(("question", "answer", "cure"), BAD)
def test_bad_answer_is_refused_in_one_line(tmp_path, question, answer, cure):
    line = refusal(tmp_path, **{"project_slug": "some_site", question: answer})
    assert "\n" not in line
    assert line.startswith(question)
    assert cure in line


@pytest.mark.parametrize("name", NAMES)
def test_slug_may_be_no_app_and_no_dependency(tmp_path, name):
    assert refusal(tmp_path, project_slug=name).endswith(f"choose another name, e.g. my_{name}_site.")


def needs():
    """Yield each answer, what it needs, and each choice that is not that."""
    for answer, need in CONFIG["_needs"].items():
        option, name = need.split("=")
        for other in CONFIG["_options"][option].keys() - {name}:
            yield pytest.param(answer, need, f"{option}={other}", id=f"{answer}, {option}={other}")


@pytest.mark.parametrize(("answer", "need", "other"), list(needs()))
def test_answer_is_refused_without_what_it_needs(tmp_path, answer, need, other):
    line = refusal(tmp_path, **dict(pair.split("=") for pair in (answer, other)))
    option, choice = answer.split("=")
    start, _, others = line.removesuffix(".").partition(f" or another {option}: ")
    assert start == f"{option} {choice} needs {need.replace('=', ' ')}; choose {need},"
    assert not {f"{option}={name}" for name in others.split(", ")} & CONFIG["_needs"].keys()


@pytest.mark.parametrize(
    ("question", "answer", "cure"),
    [
        ("server", "other", "is not offered; choose one of uvicorn, daphne"),
        ("license", "GPL-3.0", "is not offered; choose one of MIT"),
        ("python_version", 3.13, "is not offered; choose one of 3.13"),
        ("project_name", "{{ 7 * 7 }}", "template marks"),
        ("description", "{% if %}", "template marks"),
        ("author_name", "#% if", "template marks"),
    ],
)
def test_answer_that_nobody_checked_before_is_refused(tmp_path, question, answer, cure):
    """Of a replay file, or typed at the prompt; on the command line cookiecutter renders or refuses these."""
    replay = tmp_path / "replay.json"
    replay.write_text(json.dumps({"cookiecutter": default_answers() | {question: answer}}))
    line = only_line("cookiecutter", TEMPLATE, "--replay-file", replay, cwd=tmp_path)
    assert line.startswith(question)
    assert cure in line
    assert list(tmp_path.iterdir()) == [replay]


def only_line(*command, cwd):
    """Return what a module prints that is run and must fail: one line."""
    command = [sys.executable, "-m", *map(str, command)]
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 1
    assert done.stdout.count("\n") == 1, done.stdout
    return done.stdout


def test_refusal_is_all_that_is_printed(tmp_path):
    line = only_line("cookiecutter", TEMPLATE, "--no-input", "project_slug=django", cwd=tmp_path)
    assert (
        line
        == "project_slug 'django' shadows the dependency django; choose another name, e.g. my_django_site.\n"
    )
    assert not list(tmp_path.iterdir())


def test_refusal_leaves_an_existing_project_alone(tmp_path):
    project = generate(tmp_path, {})
    before = files(project)
    with pytest.raises(Refusal):
        generate(tmp_path, {"deployment": "cloudrun"}, overwrite_if_exists=True)
    assert files(project) == before


def default_answers():
    return prompt_for_config(generate_context(str(TEMPLATE / "cookiecutter.json")), no_input=True)
