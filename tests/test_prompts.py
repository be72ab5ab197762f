"""What can be answered at the prompts: good answers work wherever they are written, bad ones are refused."""

import ast
import json
import os
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from cookiecutter.exceptions import FailedHookException
from cookiecutter.generate import generate_context
from cookiecutter.main import cookiecutter
from cookiecutter.prompt import prompt_for_config

from offered import CONFIG, QUESTIONS, TEMPLATE
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
    *("config", "serving", "realtime", "accounts", "health", "rooms", "notifications", "problems"),
    *("static", "templates", "deploy", "manage", "conftest"),
]

GOOD_TEXTS = [
    "Bob's Site",
    'The "Best" Site',
    "Fish & Chips <now>",
    "</script><script>alert(1)</script>",
    "Zażółć gęślą jaźń, 日本語",
    "Rocket 🚀 and 👩\u200d💻",
    "100% of $HOME, `id` and $(id) # not a comment",
    "- {braces}: [brackets], *stars* and _lines_ | > !",
]

LISTS = [
    ("all", ["rooms", "notifications"]),
    ("notifications,rooms", ["rooms", "notifications"]),
    ("  ROOMS ,  rooms", ["rooms"]),
    ("notifications", ["notifications"]),
    ("none", []),
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


def test_options_are_what_is_asked():
    """Cookiecutter wants the choices at the top and again for its labels, and renders neither."""
    choices = {key: list(choices) for key, choices in CONFIG["_options"].items()}
    lists = {key: choices.pop(key) for key in CONFIG["_lists"]}
    assert choices == {key: CONFIG[key] for key in QUESTIONS if isinstance(CONFIG[key], list)}

    prompts = CONFIG["__prompts__"]
    assert list(prompts) == QUESTIONS
    for key, names in choices.items():
        assert list(prompts[key]) == ["__prompt__", *names]
    for key, names in lists.items():
        assert f"comma-separated from: {', '.join(names)}; or all, or none" in prompts[key]


def test_no_list_item_is_part_of_another():
    """Templates ask `"rooms" in cookiecutter.__consumers`, which is a text."""
    for key in CONFIG["_lists"]:
        items = CONFIG["_options"][key]
        assert not [(one, other) for one in items for other in items if one != other and one in other]


def test_needs_are_among_the_options_and_said():
    for answer, need in CONFIG["_needs"].items():
        (option, choice), (needed, name) = answer.split("="), need.split("=")
        assert choice in CONFIG["_options"][option]
        assert name in CONFIG["_options"][needed]
        if option not in CONFIG["_lists"]:
            assert f"(needs {needed} {name})" in CONFIG["__prompts__"][option][choice]


@pytest.mark.parametrize("text", GOOD_TEXTS)
def test_text_arrives_unchanged(bake, text):
    project = bake(project_name=text, project_slug="some_site", description=text, author_name=text)
    metadata = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert metadata["description"] == text
    assert metadata["authors"][0]["name"] == text
    assert setting(project, "PROJECT_NAME") == text
    assert text in (project / "LICENSE").read_text(encoding="utf-8")
    yaml.safe_load((project / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    run(sys.executable, "-m", "ruff", "format", "--no-cache", "--check", project / "config" / "settings.py")


def setting(project, name):
    """Return the constant that config/settings.py assigns to `name`."""
    tree = ast.parse((project / "config" / "settings.py").read_text(encoding="utf-8"))
    values = (n.value for n in tree.body if isinstance(n, ast.Assign) and n.targets[0].id == name)
    return ast.literal_eval(next(values))


@pytest.mark.parametrize(("answer", "chosen"), LISTS)
def test_list_answer(bake, answer, chosen):
    project = bake(consumers=answer)
    assert [name for name in CONFIG["_options"]["consumers"] if (project / name).exists()] == chosen


def test_slug_is_derived(bake):
    assert bake(project_name="Zażółć: 日本 Chat!").name == "zazolc_ri_ben_chat"
    assert bake(project_name="🚀").name == "live_site"


def test_pressing_enter_accepts_every_default(tmp_path, bake):
    """The questions, as asked at a terminal."""
    output = run(sys.executable, "-m", "cookiecutter", TEMPLATE, cwd=tmp_path, input="\n" * len(QUESTIONS))
    assert f"[{len(QUESTIONS)}/{len(QUESTIONS)}]" in output
    assert files(tmp_path / "live_site") == files(bake())


def test_summary_names_the_next_commands_and_the_same_project_again(tmp_path):
    answers = ["project_name=Bob's Site", "server=daphne", "channel_layer=redis", "consumers= rooms"]
    command = [sys.executable, "-m", "cookiecutter"]
    shell = os.environ | {"PWD": str(tmp_path)}
    summary = run(*command, TEMPLATE, "--no-input", *answers, cwd=tmp_path, env=shell)
    assert "cd bob_s_site\n  make run    (with Redis running; .env says where)\n" in summary

    again = shlex.split(next(line for line in summary.splitlines() if line.startswith("  cookiecutter ")))
    run(*command, *again[1:], "--output-dir", tmp_path / "again", cwd=tmp_path)
    assert files(tmp_path / "again" / "bob_s_site") == files(tmp_path / "bob_s_site")


def test_secrets_are_fresh_private_and_written_once(tmp_path, capfd):
    answers = {"database": "postgresql", "channel_layer": "redis"}
    first, other = (generate(tmp_path / name, answers) / ".env" for name in ("first", "other"))
    assert first.stat().st_mode & 0o777 == 0o600
    assert [line.partition("=")[0] for line in first.read_text().splitlines()] == [
        "DEBUG",
        "SECRET_KEY",
        "DATABASE_URL",
        "REDIS_URL",
        "POSTGRES_PASSWORD",
    ]
    secrets = {"SECRET_KEY", "DATABASE_URL", "POSTGRES_PASSWORD"}
    assert not secrets & {k for k, v in env(first).items() if v == env(other)[k]}

    written = first.read_text()
    (first.parent / ".git" / "refs").mkdir(parents=True)
    generate(tmp_path / "first", answers | {"consumers": "none"}, overwrite_if_exists=True)
    assert first.read_text() == written
    assert (first.parent / ".git" / "refs").is_dir()
    assert not (first.parent / "rooms").exists()


def env(path):
    return dict(line.split("=", 1) for line in path.read_text().splitlines())


def generate(folder, answers, **options):
    return Path(
        cookiecutter(str(TEMPLATE), no_input=True, extra_context=answers, output_dir=str(folder), **options)
    )


@pytest.fixture
def template(tmp_path):
    """Return a copy of what the template consists of."""
    folder = tmp_path / "template"
    folder.mkdir()
    for name in ("cookiecutter.json", "refusals.py", "hooks", "{{cookiecutter.project_slug}}"):
        copy = shutil.copytree if (TEMPLATE / name).is_dir() else shutil.copy
        copy(TEMPLATE / name, folder / name)
    return folder


@pytest.mark.parametrize("path", ["serving/server_granian.py", "problems", "deploy/kubernetes/hpa.yaml"])
def test_claimed_path_that_the_template_lacks_fails_the_generation(template, tmp_path, capfd, path):
    (template / "{{cookiecutter.project_slug}}" / path).rename(tmp_path / "elsewhere")
    with pytest.raises(FailedHookException):
        cookiecutter(str(template), no_input=True, output_dir=str(tmp_path / "out"))
    assert not list((tmp_path / "out").iterdir())
    line = f"{path} is claimed in cookiecutter.json but is not in the template; mend one of them.\n"
    assert capfd.readouterr().err == line


def test_order_of_claims_has_no_meaning(template, tmp_path, bake):
    options = {
        option: {choice: claims[::-1] for choice, claims in reversed(choices.items())}
        for option, choices in reversed(CONFIG["_options"].items())
    }
    answers = {"channel_layer": "redis", "deployment": "kubernetes", "database": "postgresql"}
    expected = files(bake(**answers))
    assert Path("deploy/kubernetes/hpa.yaml") in expected

    (template / "cookiecutter.json").write_text(json.dumps(CONFIG | {"_options": options}))
    project = cookiecutter(str(template), no_input=True, extra_context=answers, output_dir=str(tmp_path))
    assert files(Path(project)) == expected


def run(*command, cwd=None, **options):
    """Run a command that must succeed; return what it printed."""
    done = subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{shlex.join(done.args)} in {cwd}\n{done.stdout}{done.stderr}"
    return done.stdout


def files(project):
    """Return {path: content} of a project, without its secrets."""
    paths = (path for path in project.rglob("*") if path.is_file() and path.name != ".env")
    return {path.relative_to(project): path.read_bytes() for path in paths}
