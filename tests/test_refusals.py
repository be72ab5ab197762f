"""Answers that would not work are refused, a line for each, then how to mend them; nothing is left behind."""

import json
import os
import shlex
import subprocess
import sys

import pytest
from cookiecutter.generate import generate_context
from cookiecutter.main import cookiecutter
from cookiecutter.prompt import prompt_for_config

from generation import files, generate, run
from offered import CONFIG, RULES, TEMPLATE
from refusals import Refusal

BAD = [
    ("project_slug", "my-site", "not a package name"),
    ("project_slug", "my site", "not a package name"),
    ("project_slug", "MySite", "e.g. as mysite."),
    ("project_slug", "2fast", "e.g. as fast."),
    ("project_slug", "_site", "not a package name"),
    ("project_slug", "site_", "not a package name"),
    ("project_slug", "söte", "not a package name"),
    ("project_slug", "a___b", "e.g. as a_b."),
    ("project_slug", "../site", "not a package name"),
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
    ("domain_name", "example.", "write it bare"),
    ("domain_name", "exa mple.com", "write it bare"),
    ("domain_name", "192.0.2", "like live.example.com, localhost, 192.0.2.7 or [2001:db8::7]."),
    ("domain_name", "192.0.2.256", "write it bare"),
    ("domain_name", "[192.0.2.7]", "write it bare"),
    ("domain_name", "2001:db8::7", "write it bare"),
    ("domain_name", "[fe80::1%eth0]", "write it bare"),
    ("domain_name", "münchen.de", "in ASCII"),
    ("consumers", "rooms, chat", "unknown item 'chat'; choose from rooms, notifications, dashboard"),
    ("consumers", "chat, all, polls", "unknown items 'chat', 'polls'; choose from"),
    ("consumers", "rooms notifications", "unknown item 'rooms notifications'"),
    ("consumers", "all, rooms", "give all alone"),
    ("consumers", "none, rooms", "give none alone"),
    ("deployment", "heroku", "unknown item 'heroku'; choose from docker, kubernetes, cloudrun, systemd"),
    ("deployment", "Docker, CloudRun", "deployment cloudrun needs database postgresql; choose"),
    ("deployment", "all", "deployment kubernetes, cloudrun, procfile need database postgresql; choose"),
    ("deployment", "all", "or another deployment: docker, systemd, supervisor."),
    ("tasks", "celery", "needs channel_layer redis or redis_queue; choose channel_layer=redis, or another"),
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
    *("config", "serving", "realtime", "accounts", "health", "rooms", "notifications", "dashboard", "notes"),
    *("leaderboard", "mentoring"),
    *("housekeeping", "celery", "kombu"),
    *("static", "templates", "deploy", "manage", "conftest"),
]


def refusal(folder, **answers):
    """Return what is said when `answers` are refused for one reason; nothing may be left on disk."""
    with pytest.raises(Refusal) as refused:
        cookiecutter(str(TEMPLATE), no_input=True, extra_context=answers, output_dir=str(folder / "out"))
    assert list(folder.rglob("*")) == [folder / "out"]
    (line,), _ = parts(str(refused.value))
    return line


def parts(text):
    """Return the lines that say what is wrong, and the words of the command that gives the same answers."""
    problems, _, command = text.partition("\n\nThe same answers again, to correct:\n  ")
    assert command
    assert "\n" not in command.strip()
    return problems.splitlines(), shlex.split(command)


@pytest.mark.parametrize(("question", "answer", "cure"), BAD)
def test_bad_answer_is_refused_in_one_line(tmp_path, question, answer, cure):
    line = refusal(tmp_path, **{"project_slug": "some_site", question: answer})
    assert line.startswith(question)
    assert cure in line


@pytest.mark.parametrize("name", NAMES)
def test_slug_may_be_no_app_and_no_dependency(tmp_path, name):
    assert refusal(tmp_path, project_slug=name).endswith(f"choose another name, e.g. my_{name}_site.")


def needs():
    """Yield each answer, what it needs, and each choice that is not that."""
    for answer, option, choices in RULES:
        for other in CONFIG["_options"][option].keys() - set(choices):
            rest = enough(answer) | enough(f"{option}={other}") | {option: other}
            yield pytest.param(answer, option, choices, rest, id=f"{answer}, {option}={other}")


def enough(answer):
    """Return answers with which this one is accepted."""
    key, choice = answer.split("=")
    return {key: choice} | {option: choices[0] for needy, option, choices in RULES if needy == answer}


@pytest.mark.parametrize(("answer", "needed", "choices", "answers"), list(needs()))
def test_answer_is_refused_without_what_it_needs(tmp_path, answer, needed, choices, answers):
    line = refusal(tmp_path, **answers)
    option, choice = answer.split("=")
    start, _, others = line.removesuffix(".").partition(f" or another {option}: ")
    need = f"{needed} {' or '.join(choices)}"
    assert start == f"{option} {choice} needs {need}; choose {needed}={choices[0]},"
    for other in others.split(", "):
        generate(tmp_path / other, answers | {option: other})


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
    (line,), _ = parts(refused("cookiecutter", TEMPLATE, "--replay-file", replay, cwd=tmp_path))
    assert line.startswith(question)
    assert cure in line
    assert list(tmp_path.iterdir()) == [replay]


def refused(*command, cwd):
    """Return all that a module prints that is run and must refuse its answers."""
    done = subprocess.run(
        [sys.executable, "-m", *map(str, command)],
        cwd=cwd,
        env=os.environ | {"PWD": str(cwd)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 1, done.stdout
    return done.stdout


WRONG = {
    "project_slug": "django",
    "author_email": "not-an-email",
    "domain_name": "https://example.com/",
    "channel_layer": "redis",
    "rest_api": "none",
    "auth": "jwt",
    "consumers": "room, chat",
    "deployment": "heroku; docker",
}
RIGHT = {
    "project_slug": "live",
    "author_email": "ada@example.com",
    "domain_name": "localhost",
    "auth": "session",
    "consumers": "",
    "deployment": "all",
    "database": "postgresql",
}


def test_all_that_is_wrong_is_said_at_once_and_then_how_to_mend_it(tmp_path):
    given = [f"{question}={answer}" for question, answer in WRONG.items()]
    problems, again = parts(refused("cookiecutter", TEMPLATE, "--no-input", *given, cwd=tmp_path))
    assert len(problems) == 6
    assert {line.split()[0] for line in problems} == WRONG.keys() - {"channel_layer", "rest_api"}
    assert "project_slug 'django' shadows the dependency django; choose" in "\n".join(problems)
    assert not list(tmp_path.iterdir())

    assert again[:3] == ["cookiecutter", str(TEMPLATE.resolve()), "--no-input"]
    answers = dict(word.split("=", 1) for word in again[3:])
    assert WRONG.items() <= answers.items()
    mended = [f"{question}={answer}" for question, answer in (answers | RIGHT).items()]
    run(sys.executable, "-m", *again[:3], *mended, cwd=tmp_path)
    project = tmp_path / "live"
    assert 'host: "localhost"' in (project / "deploy/kubernetes/ingress.yaml").read_text()
    assert not (project / "rooms").exists()


def test_the_command_leads_to_the_same_folder_and_shows_no_invisible_characters(tmp_path):
    answers = ("--output-dir", "elsewhere", "project_slug=class", "description=a\tb\u202ec")
    problems, again = parts(refused("cookiecutter", TEMPLATE, "--no-input", *answers, cwd=tmp_path))
    assert len(problems) == 2
    assert again[3:5] == ["--output-dir", str(tmp_path / "elsewhere")]
    assert "description=abc" in again


def test_an_ip_address_goes_with_all_but_an_ingress(tmp_path):
    answers = {"domain_name": "192.0.2.7", "database": "postgresql"}
    line = refusal(tmp_path, **answers, deployment="docker, kubernetes")
    assert line.endswith("write a host name, or leave kubernetes out of deployment.")
    generate(tmp_path / "out", answers | {"deployment": "docker, cloudrun, systemd, supervisor, procfile"})


def test_refusal_leaves_an_existing_project_alone(tmp_path):
    project = generate(tmp_path, {})
    before = files(project)
    with pytest.raises(Refusal):
        generate(tmp_path, {"deployment": "cloudrun"}, overwrite_if_exists=True)
    assert files(project) == before


def default_answers():
    return prompt_for_config(generate_context(str(TEMPLATE / "cookiecutter.json")), no_input=True)
