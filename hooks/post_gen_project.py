"""Keep what was chosen, drop the rest, write `.env` and say what was made."""

import json
import os
import secrets
import shlex
import shutil
import sys
from pathlib import Path

ANSWERS = dict(json.loads(r"""{{ cookiecutter.items() | list | tojson }}"""))
OPTIONS = ANSWERS["_options"]
GIVEN = {option: ANSWERS.get(f"__{option}", ANSWERS[option]).split(", ") for option in OPTIONS}
LAYER = ANSWERS["channel_layer"]


def claims():
    """Return each claimed path, and its name in this project: none if no given answer claims it."""
    names = {}
    for option, choices in OPTIONS.items():
        for choice, claimed in choices.items():
            for path, _, name in (claim.partition(" -> ") for claim in claimed):
                names.setdefault(Path(path), None)
                if choice in GIVEN[option]:
                    names[Path(path)] = name or path
    return names


def keep(names):
    for path in names:
        if not path.exists():
            sys.exit(f"{path} is claimed in cookiecutter.json but is not in the template; mend one of them.")
    for path, name in names.items():
        if name is None:
            drop(path)
    for path, name in names.items():
        if name and path.exists():  # unless it went with a folder
            path.replace(name)


def drop(path):
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    while not any(path.parent.glob("*")):
        path = path.parent
        path.rmdir()


def write_env(path):
    """Write the secrets once: an `.env` that exists is never changed."""
    lines = ["DEBUG=true", f"SECRET_KEY={secrets.token_urlsafe(48)}"]
    if ANSWERS["database"] == "postgresql":
        slug, password = ANSWERS["project_slug"], secrets.token_urlsafe(16)
        lines.append(f"DATABASE_URL=postgresql://{slug}:{password}@127.0.0.1:5432/{slug}")
    if LAYER != "memory":
        lines.append("REDIS_URL=redis://127.0.0.1:6379/0")
    if ANSWERS["database"] == "postgresql" and "docker" in GIVEN["deployment"]:
        lines.append(f"POSTGRES_PASSWORD={secrets.token_hex(16)}")
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def summary():
    folder = Path.cwd()
    if str(folder.parent) == os.environ.get("PWD"):
        folder = folder.name
    questions = {key: value for key, value in ANSWERS.items() if not key.startswith("_")}
    command = ["cookiecutter", ANSWERS["_template"], "--no-input"]
    command += [f"{key}={value}" for key, value in questions.items()]
    needs = ["PostgreSQL"] * (ANSWERS["database"] == "postgresql") + ["Redis"] * (LAYER != "memory")
    parts = [
        f"Django {ANSWERS['django_version']} on {ANSWERS['server']}",
        f"channel layer {LAYER}",
        f"auth {ANSWERS['auth']}",
        f"consumers {ANSWERS['__consumers'] or 'none'}",
        f"database {ANSWERS['database']}",
        f"REST API {ANSWERS['rest_api']}",
        f"deployment {ANSWERS['__deployment'] or 'none'}",
    ]
    return f"""
Made {folder}: {"; ".join(parts)}.

Next:
  cd {shlex.quote(str(folder))}
  make run{f"    (with {' and '.join(needs)} running; .env says where)" if needs else ""}

The same project again, without questions:
  {shlex.join(command)}
"""


keep(claims())
write_env(Path(".env"))
print(summary())
