"""What can be answered at the prompts: good answers work wherever they are written, bad ones are refused."""

import ast
import json
import os
import re
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
from jinja2 import Template

from offered import CONFIG, QUESTIONS, TEMPLATE

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
    ("deployment", "Docker, CloudRun", "deployment cloudrun keeps no files"),  # and the database is SQLite
    ("deployment", "all", "deployment kubernetes keeps no files"),
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

PAIRS = [
    ({"auth": "jwt", "rest_api": "none"}, "choose rest_api=drf or auth=session."),
    ({"auth": "session_jwt", "rest_api": "none"}, "choose rest_api=drf or auth=session."),
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


def refusal(template, folder, capfd, **answers):
    """Return what stands on stderr after `answers` were refused; nothing may be left on disk."""
    capfd.readouterr()
    with pytest.raises(FailedHookException):
        cookiecutter(str(template), no_input=True, extra_context=answers, output_dir=str(folder / "out"))
    assert list(folder.rglob("*")) == [folder / "out"]
    return capfd.readouterr().err


def in_one_line(error):
    return error.endswith("\n") and error.count("\n") == 1


@pytest.mark.parametrize(("question", "answer", "cure"), BAD)
def test_bad_answer_is_refused_in_one_line(tmp_path, capfd, question, answer, cure):
    error = refusal(TEMPLATE, tmp_path, capfd, **{"project_slug": "some_site", question: answer})
    assert in_one_line(error), error
    assert error.startswith(question)
    assert cure in error


@pytest.mark.parametrize(("answers", "cure"), PAIRS)
def test_bad_pair_is_refused_in_one_line(tmp_path, capfd, answers, cure):
    error = refusal(TEMPLATE, tmp_path, capfd, **answers)
    assert in_one_line(error), error
    assert cure in error


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
def test_answer_that_nobody_checked_before_is_refused(tmp_path, capfd, question, answer, cure):
    """Of a replay file, or typed at the prompt; on the command line cookiecutter renders or refuses these."""
    replay = tmp_path / "replay.json"
    replay.write_text(json.dumps({"cookiecutter": default_answers() | {question: answer}}))
    with pytest.raises(FailedHookException):
        cookiecutter(str(TEMPLATE), replay=str(replay), output_dir=str(tmp_path))
    error = capfd.readouterr().err
    assert in_one_line(error), error
    assert error.startswith(question)
    assert cure in error


def default_answers():
    return prompt_for_config(generate_context(str(TEMPLATE / "cookiecutter.json")), no_input=True)


@pytest.fixture(scope="module")
def pre_gen():
    """Return the names that hooks/pre_gen_project.py defines, after it accepted the default answers."""
    source = (TEMPLATE / "hooks" / "pre_gen_project.py").read_text(encoding="utf-8")
    names = {}
    exec(Template(source).render(cookiecutter=default_answers()), names)
    return names


def test_hook_knows_the_choices(pre_gen):
    choices = {key: tuple(CONFIG[key]) for key in QUESTIONS if isinstance(CONFIG[key], list)}
    assert choices == pre_gen["CHOICES"]


def test_slug_may_be_no_app_and_no_dependency(pre_gen):
    project = TEMPLATE / "{{cookiecutter.project_slug}}"
    apps = {path.name for path in project.iterdir() if path.is_dir() and path.name.isidentifier()}
    requirements = re.findall(r'^  "([a-z-]+)', (project / "pyproject.toml").read_text(), re.MULTILINE)
    assert apps <= pre_gen["APPS"]
    assert {name.replace("-", "_") for name in requirements} <= pre_gen["DEPENDENCIES"]


def test_every_question_and_choice_is_described():
    prompts = CONFIG["__prompts__"]
    assert list(prompts) == QUESTIONS
    for key in QUESTIONS:
        if isinstance(CONFIG[key], list):
            assert list(prompts[key]) == ["__prompt__", *CONFIG[key]]
    for key, items in CONFIG["_lists"].items():
        assert all(item in prompts[key] for item in items)


def test_no_list_item_is_part_of_another():
    """Templates ask `"rooms" in cookiecutter.__consumers`, which is a text."""
    for items in CONFIG["_lists"].values():
        assert not [(one, other) for one in items for other in items if one != other and one in other]


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
    assert [name for name in CONFIG["_lists"]["consumers"] if (project / name).exists()] == chosen


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


@pytest.mark.parametrize(
    ("path", "answers"),
    [("serving/server_granian.py", {"server": "granian"}), ("problems", {"rest_api": "none"})],
)
def test_path_that_the_template_lacks_fails_the_generation(tmp_path, capfd, path, answers):
    template = tmp_path / "template"
    for name in ("cookiecutter.json", "hooks", "{{cookiecutter.project_slug}}"):
        copy = shutil.copytree if (TEMPLATE / name).is_dir() else shutil.copy
        template.mkdir(exist_ok=True)
        copy(TEMPLATE / name, template / name)
    (template / "{{cookiecutter.project_slug}}" / path).rename(tmp_path / "elsewhere")
    (tmp_path / "work").mkdir()
    error = refusal(template, tmp_path / "work", capfd, **answers)
    assert (
        error
        == f"{path} is named in hooks/post_gen_project.py but is not in the template; mend one of them.\n"
    )


def run(*command, cwd=None, **options):
    """Run a command that must succeed; return what it printed."""
    done = subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{shlex.join(done.args)} in {cwd}\n{done.stdout}{done.stderr}"
    return done.stdout


def files(project):
    """Return {path: content} of a project, without its secrets."""
    paths = (path for path in project.rglob("*") if path.is_file() and path.name != ".env")
    return {path.relative_to(project): path.read_bytes() for path in paths}
