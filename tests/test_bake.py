"""What must hold for the text of every generated project, whatever the answers: see variants.py."""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from functools import cache
from itertools import groupby
from pathlib import Path

import pytest
import uv
import yaml

from offered import OPTIONS, TEMPLATE
from variants import BAKED

# A word -> the answers that it belongs to. It may stand in no project with none of these.
BELONGS_TO = {
    r"uvicorn": {"server": ["uvicorn", "gunicorn"]},
    r"daphne|twisted|autobahn": {"server": ["daphne"]},
    r"hypercorn": {"server": ["hypercorn"]},
    r"gunicorn|uvicorn.worker": {"server": ["gunicorn"]},
    r"granian": {"server": ["granian"]},
    r"redis": {"channel_layer": ["redis", "redis_queue"]},
    r"channels_redis.pubsub": {"channel_layer": ["redis"]},
    r"channels_redis.core": {"channel_layer": ["redis_queue"]},
    r"USE_INMEMORY_CHANNELS": {"channel_layer": ["redis", "redis_queue"]},
    r"jwt|simplejwt": {"auth": ["jwt", "session_jwt"]},
    r"(?<!flask-)cors\w*": {"auth": ["jwt", "session_jwt"], "frontend": ["none"]},
    r"react(-dom)?|vite|vitest|biome|node_modules|npm": {"frontend": ["react"]},
    r"frontend_origins|password-reset": {"frontend": ["none"]},
    r"rooms?": {"consumers": ["rooms"]},
    r"ice_servers|turn_secret|coturn|webrtc\w*": {"consumers": ["rooms"]},
    r"notifications?|notify_user": {"consumers": ["notifications"]},
    r"a?notify_dashboard|DashboardConsumer|ws/dashboard|dashboard\.py": {"consumers": ["dashboard"]},
    r"mentoring|mentorships?|notify_mentor|notify_student|student_event": {"consumers": ["mentoring"]},
    r"accounts.mentors|is_mentor|may_supervise": {"consumers": ["dashboard", "mentoring"]},
    r"\w*leaderboard\w*|add_score|standings": {"consumers": ["leaderboard"]},
    r"ws/chat|api/messages|chatsessions?|assistant\.\w+|assistant_\w+": {"consumers": ["assistant"]},
    r"ws/problems|api/(?:async/)?problems|bubblewrap|bwrap": {"consumers": ["problems"]},
    r"judge_\w+|problems_\w+": {"consumers": ["problems"]},
    r"openai\w*": {"integrations": ["openai"], "consumers": ["problems"]},
    r"anthropic\w*|claude": {"integrations": ["anthropic"]},
    r"gemini\w*": {"integrations": ["gemini"], "consumers": ["problems"]},
    r"\w*dynamodb\w*|\w*boto\w*|moto|aws": {"integrations": ["dynamodb"]},
    r"integrations/llm|integrations\.llm": {
        "integrations": ["openai", "anthropic", "gemini"],
        "consumers": ["assistant", "problems"],
    },
    r"postgres|postgresql|psycopg": {"database": ["postgresql"]},
    r"sqlite3?": {"database": ["sqlite"]},
    r"rest_framework|djangorestframework|drf|adrf|spectacular|openapi": {"rest_api": ["drf"]},
    r"api/notes|notes\.(models|views|admin)": {"rest_api": ["drf"]},
    r"celery\w*|kombu|delay_on_commit|housekeeping": {"tasks": ["celery"]},
    r"dockerfile|dockerignore": {"deployment": ["docker", "kubernetes", "cloudrun"]},
    r"docker|compose": {
        "deployment": ["docker", "kubernetes", "cloudrun"],
        "database": ["postgresql"],
        "channel_layer": ["redis", "redis_queue"],
    },
    r"compose.yaml": {"deployment": ["docker"]},
    r"nginx": {"deployment": ["docker", "systemd", "kubernetes"]},
    r"kubernetes|kubectl|kustom\w*": {"deployment": ["kubernetes"]},
    r"cloud ?run|gcloud": {"deployment": ["cloudrun"]},
    r"systemd|systemctl": {"deployment": ["systemd"]},
    r"supervisor\w*": {"deployment": ["supervisor"]},
    r"procfile|heroku": {"deployment": ["procfile"]},
    r"github|dependabot": {"ci": ["github"]},
    r"gitlab|renovate": {"ci": ["gitlab"]},
    r"pre-commit": {"ci": ["github", "gitlab"]},
    r"django-csp": {"django_version": ["5.2"]},
    r"MIT License": {"license": ["MIT"]},
    r"BSD 3-Clause": {"license": ["BSD-3-Clause"]},
    r"Apache License": {"license": ["Apache-2.0"]},
    r"proprietary": {"license": ["Proprietary"]},
    r"3\.12": {"python_version": ["3.12"]},
    r"3\.13": {"python_version": ["3.13"]},
}

# Such a word by itself, and anywhere: the second is soon said.
PATTERNS = {
    word: (re.compile(rf"(?<![a-z])({word.lower()})(?![a-z])"), re.compile(word.lower()))
    for word in BELONGS_TO
}

# What every project has: for its tests alone, and a name that every browser knows.
EVERYWHERE = {
    "pyproject.toml": '  "daphne>=4.2.2,<4.3", # channels.testing imports it\n',
    "typescript.py": '"Notification", ',
}

PARSERS = {
    ".py": ast.parse,
    ".toml": tomllib.loads,
    ".json": json.loads,
    ".yml": yaml.safe_load,
    ".yaml": yaml.safe_load,
}


def parts():
    """Return the variants in parts of one server and channel layer each; a part is baked by one process."""
    for (server, layer), variants in groupby(BAKED, key=lambda v: (v["server"], v["channel_layer"])):
        name = f"{server}-{layer}"
        yield pytest.param(list(variants), id=name, marks=pytest.mark.xdist_group(name))


@pytest.fixture(scope="module", params=parts())
def projects(request, bake):
    """Return {folder: answers} of the projects of one part."""
    return {bake(**variant): variant for variant in request.param}


def texts(project):
    """Yield (path, text) of each file; every file of a project is text."""
    for path in sorted(project.rglob("*")):
        if path.is_file():
            yield path, path.read_text(encoding="utf-8")


def is_copied(path):
    in_copied = {"templates", "static", "frontend", "client", "consumer_template"} & set(path.parts)
    return bool(in_copied) or (path.parent.match("deploy/monitoring") and path.suffix != ".md")


def test_no_jinja_is_left(projects):
    read = ((path, text) for project in projects for path, text in texts(project))
    assert not [path for path, text in read if leftovers(is_copied(path), text)]


@cache
def leftovers(copied, text):
    text = re.sub(r"\$\{\{ .*? \}\}", "", text)  # GitHub's own
    return re.findall(r"cookiecutter" if copied else r"cookiecutter|\{\{|\{%|#%", text)


def test_every_file_parses(projects):
    for project in projects:
        for path, text in texts(project):
            if path.suffix in PARSERS:
                try:
                    parse(path.suffix, text)
                except Exception as error:
                    raise AssertionError(f"{path} of {projects[project]}") from error


@cache
def parse(suffix, text):
    PARSERS[suffix](text)


def test_files_end_and_breathe_as_they_should(projects):
    """A conditional block leaves no hole and no missing line end."""
    for project in projects:
        for path, text in texts(project):
            breathes = path.suffix in (".py", ".py-tpl", ".md")  # Markdown may quote Python
            hole = "\n\n\n\n" if breathes else "\n\n\n"
            ends_well = not text or (text.endswith("\n") and not text.endswith("\n\n"))
            assert ends_well, f"{path} of {projects[project]}"
            assert hole not in text or path.name == "LICENSE", f"{path} of {projects[project]}"


def test_no_folder_is_empty(projects):
    folders = (path for project in projects for path in project.rglob("*") if path.is_dir())
    assert not [path for path in folders if not any(path.iterdir())]


def test_code_is_clean_and_formatted(projects):
    for command in ("check", "format --check"):
        run(sys.executable, "-m", "ruff", *command.split(), "--no-cache", *projects)


def test_nothing_stands_there_for_an_answer_not_given(projects):
    traces = []
    for project, answers in projects.items():
        unwanted = {
            word
            for word, owners in BELONGS_TO.items()
            if all(set(answers[option].split(", ")).isdisjoint(given) for option, given in owners.items())
        }
        for path, text in texts(project):
            where = path.relative_to(project)
            if path.name == ".env":
                text = re.sub(r"[\w-]{16,}", "", text)  # secrets, which may spell anything
            if re.fullmatch(r"package(-lock)?\.json", path.name):
                continue  # versions of others, and where they have their homes
            if known := EVERYWHERE.get(path.name):
                assert known in text
                text = text.replace(known, "")
            for word in unwanted.intersection(words(f"{where}\n{text}")):
                traces.append(f"{word} in {where} with {sorted(set(answers.values()))}")
    assert not traces, "\n".join(traces[:40])


def test_a_proxy_limits_logins_where_these_are(projects):
    for project, answers in projects.items():
        site = project / "deploy/nginx/site.conf"
        if site.exists():
            urls = (project / "accounts/urls_login.py").read_text(encoding="utf-8")
            login = re.search(r'"(\S+)/", .+ name="login"', urls)[1]
            limited = re.search(r"\^/\((.+)\)/\$ \{", site.read_text())[1]
            assert {login, "admin/login"} <= set(limited.split("|")), answers


@cache
def words(text):
    """Return which words that belong to an answer stand in a text; most texts are those of many projects."""
    text = text.lower()
    return [word for word, (alone, there) in PATTERNS.items() if there.search(text) and alone.search(text)]


@pytest.fixture(scope="session")
def python(tmp_path_factory):
    """Return a function Django version -> a Python that has what any project with it may depend on."""
    pythons = {}

    def python(version):
        if version not in pythons:
            folder = tmp_path_factory.mktemp(f"django-{version}")
            run(uv.find_uv_bin(), "venv", "--quiet", "--python", sys.executable, folder)
            run(uv.find_uv_bin(), "pip", "install", "--quiet", "--python", folder, *all_dependencies(version))
            pythons[version] = folder / "bin" / "python"
        return pythons[version]

    return python


def all_dependencies(django_version):
    """Return the requirements of a project that had every answer at once."""
    text = (TEMPLATE / "{{cookiecutter.project_slug}}" / "pyproject.toml").read_text(encoding="utf-8")
    listed = text.partition("\n[dependency-groups]\n")[0]
    listed = listed.replace("{{ cookiecutter.django_version }}", django_version)
    return sorted(set(re.findall(r'"([\w-]+(?:\[[\w,]+\])?[~>]=[^"]+)"', listed)))


@pytest.mark.parametrize("version", OPTIONS["django_version"])
def test_deployment_check_has_nothing_to_say(projects, python, version, tmp_path_factory):
    """`manage.py check --deploy`, with what a production host sets; and no migration is missing."""
    chosen = [project for project, answers in projects.items() if answers["django_version"] == version]
    assert chosen
    bytecode = tmp_path_factory.getbasetemp() / "bytecode"
    run(python(version), CHECK, *chosen, env=PRODUCTION | {"PYTHONPYCACHEPREFIX": bytecode})


CHECK = Path(__file__).with_name("check_projects.py")

PRODUCTION = os.environ | {
    "PYTHONDONTWRITEBYTECODE": "",
    "DEBUG": "false",
    "SECRET_KEY": "only-here-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "ALLOWED_HOSTS": "example.com",
    "EMAIL_URL": "submission://user:password@mail.example.com",
    "DEFAULT_FROM_EMAIL": "noreply@example.org",
    **dict.fromkeys(["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"], "a-key"),
}


def run(*command, **options):
    """Run a command that must succeed."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{command[0]}\n{done.stdout[-8000:]}{done.stderr[-8000:]}"
