"""What is answered at the prompts arrives, wherever it is written, and shapes the project."""

import ast
import json
import os
import re
import shlex
import shutil
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from cookiecutter.exceptions import FailedHookException
from cookiecutter.main import cookiecutter

from generation import files, generate, run
from offered import CONFIG, QUESTIONS, RULES, TEMPLATE

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
    ("all", list(CONFIG["_options"]["consumers"])),
    ("notifications,rooms", ["rooms", "notifications"]),
    ("  ROOMS ,  rooms", ["rooms"]),
    ("notifications", ["notifications"]),
    ("rooms, ", ["rooms"]),
    ("none", []),
    ("", []),
]


def test_options_are_what_is_asked():
    """Cookiecutter wants the choices at the top and again for its labels, and renders neither."""
    choices = {key: list(choices) for key, choices in CONFIG["_options"].items() if key in QUESTIONS}
    lists = {key: choices.pop(key) for key in CONFIG["_lists"]}
    assert choices == {key: CONFIG[key] for key in QUESTIONS if isinstance(CONFIG[key], list)}

    prompts = CONFIG["__prompts__"]
    assert list(prompts) == QUESTIONS
    for key, names in choices.items():
        assert list(prompts[key]) == ["__prompt__", *names]
    for key, names in lists.items():
        assert f"comma-separated from: {', '.join(names)}; or all, or none" in prompts[key]


def test_membership_of_a_list_is_asked_of_the_list():
    """Not of its text, in which one item may be part of another."""
    asked = re.compile(r"in cookiecutter\.__(?:consumers|integrations|deployment|parts|apps)\b(?!\.split)")
    sources = (path for path in (TEMPLATE / "{{cookiecutter.project_slug}}").rglob("*") if path.is_file())
    assert not [path for path in sources if asked.search(path.read_text(encoding="utf-8", errors="replace"))]


def test_needs_are_among_the_options_and_said():
    for answer, needed, choices in RULES:
        option, choice = answer.split("=")
        assert choice in CONFIG["_options"][option]
        assert choices
        need = f"{needed} {' or '.join(choices)}"
        prompt = CONFIG["__prompts__"][option]
        if option in CONFIG["_lists"]:
            same = [key.split("=") for key, *other in RULES if other == [needed, choices]]
            alike = [item for name, item in same if name == option]
            said = prompt[prompt.rindex("(") : -1].lstrip("(").split("; ")
            assert f"{', '.join(alike)} need{'s' * (len(alike) == 1)} {need}" in said
        else:
            assert f"(needs {need})" in prompt[choice]
        assert QUESTIONS.index(needed) < QUESTIONS.index(option)


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


@pytest.mark.parametrize("host", ["localhost", "intranet", "no", "192.0.2.7", "[2001:db8::7]"])
def test_a_site_may_be_served_at_any_host(bake, host):
    targets = "docker, cloudrun, systemd, supervisor, procfile"
    project = bake(domain_name=host, database="postgresql", deployment=targets)
    assert f'else ["{host}"]' in (project / "config" / "settings.py").read_text(encoding="utf-8")
    assert f"server_name {host};" in (project / "deploy" / "nginx" / "site.conf").read_text(encoding="utf-8")
    service = yaml.safe_load((project / "deploy" / "cloudrun" / "service.yaml").read_text(encoding="utf-8"))
    variables = service["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {"name": "ALLOWED_HOSTS", "value": host} in variables


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
    assert summary.partition("\nNext:\n")[2].startswith(
        "  cd bob_s_site\n"
        "  git init && make lock && git add --all && git commit --message 'As generated'\n"
        "  make services    (Redis with Docker; README.md says how without)\n"
        "  make run\n"
    )

    again = shlex.split(next(line for line in summary.splitlines() if line.startswith("  cookiecutter ")))
    assert again[1] == str(TEMPLATE.resolve())
    run(*command, *again[1:], "--output-dir", tmp_path / "again", cwd=tmp_path)
    assert files(tmp_path / "again" / "bob_s_site") == files(tmp_path / "bob_s_site")


def test_the_same_project_again_from_a_template_that_was_named_otherwise(tmp_path):
    """By a path that leads there from one folder only; and into a folder that is not this one."""
    (tmp_path / "here").symlink_to(TEMPLATE)
    command = [sys.executable, "-m", "cookiecutter", "here", "--no-input", "--output-dir", "out"]
    summary = run(*command, cwd=tmp_path, env=os.environ | {"PWD": str(tmp_path)})
    assert f"\n  cookiecutter {TEMPLATE.resolve()} --no-input --output-dir {tmp_path / 'out'} " in summary
    assert f"\n  cd {tmp_path / 'out' / 'live_site'}\n" in summary


def test_a_project_within_a_repository_gets_none_of_its_own(tmp_path):
    (tmp_path / ".git").mkdir()
    summary = run(sys.executable, "-m", "cookiecutter", TEMPLATE, "--no-input", cwd=tmp_path)
    assert summary.partition("\nNext:\n")[2].split("\n\n")[0] == f"  cd {tmp_path / 'live_site'}\n  make run"


def test_secrets_are_fresh_private_and_written_once(tmp_path, capfd):
    answers = {"database": "postgresql", "channel_layer": "redis"}
    first, other = (generate(tmp_path / name, answers) / ".env" for name in ("first", "other"))
    assert first.stat().st_mode & 0o777 == 0o600
    assert [line.partition("=")[0] for line in first.read_text().splitlines()] == [
        "DEBUG",
        "SECRET_KEY",
        "DATABASE_URL",
        "POSTGRES_PASSWORD",
        "REDIS_URL",
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


@pytest.fixture
def template(tmp_path):
    """Return a copy of what the template consists of."""
    folder = tmp_path / "template"
    folder.mkdir()
    for name in ("cookiecutter.json", "refusals.py", "hooks", "templates", "{{cookiecutter.project_slug}}"):
        copy = shutil.copytree if (TEMPLATE / name).is_dir() else shutil.copy
        copy(TEMPLATE / name, folder / name)
    return folder


@pytest.mark.parametrize("path", ["serving/server_granian.py", "notes", "deploy/kubernetes/hpa.yaml"])
def test_claimed_path_that_the_template_lacks_fails_the_generation(template, tmp_path, capfd, path):
    (template / "{{cookiecutter.project_slug}}" / path).rename(tmp_path / "elsewhere")
    with pytest.raises(FailedHookException):
        cookiecutter(str(template), no_input=True, output_dir=str(tmp_path / "out"))
    assert not list((tmp_path / "out").iterdir())
    line = f"{path} is claimed in cookiecutter.json but is not in the template; mend one of them.\n"
    assert capfd.readouterr().err == line


def test_order_of_claims_has_no_meaning(template, tmp_path, bake):
    options = {  # that of the items in a list is the order of the apps
        option: {choice: claims[::-1] for choice, claims in choices.items()}
        for option, choices in reversed(CONFIG["_options"].items())
    }
    answers = {"channel_layer": "redis", "deployment": "kubernetes", "database": "postgresql"}
    expected = files(bake(**answers))
    assert Path("deploy/kubernetes/hpa.yaml") in expected

    (template / "cookiecutter.json").write_text(json.dumps(CONFIG | {"_options": options}))
    project = cookiecutter(str(template), no_input=True, extra_context=answers, output_dir=str(tmp_path))
    assert files(Path(project)) == expected
