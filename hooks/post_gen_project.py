"""Keep what was chosen, drop the rest, write `.env` and say what was made."""

import json
import os
import re
import runpy
import shlex
import shutil
import sys
import tempfile
from pathlib import Path

ANSWERS = dict(json.loads(r"""{{ cookiecutter.items() | list | tojson }}"""))
AGAIN = json.loads(r""" {{ cookiecutter | again | tojson }} """)
OPTIONS = ANSWERS["_options"]
GIVEN = {option: ANSWERS.get(f"__{option}", ANSWERS[option]).split(", ") for option in OPTIONS}
LAYER = ANSWERS["channel_layer"]


def claims():
    """Return each claimed path, and its names in this project: none if no given answer claims it."""
    names = {}
    for option, choices in OPTIONS.items():
        for choice, claimed in choices.items():
            for path, _, name in (claim.partition(" -> ") for claim in claimed):
                given = names.setdefault(Path(path), set())
                if choice in GIVEN[option]:
                    given.add(Path(name or path))
    return names


def keep(names):
    for path in names:
        if not path.exists():
            sys.exit(f"{path} is claimed in cookiecutter.json but is not in the template; mend one of them.")
    for path, given in names.items():
        if not given and path.exists():  # unless it went with a folder
            drop(path)
    for path, given in names.items():
        if given and path.exists():  # the same
            for name in given - {path}:
                name.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, name)
            if path not in given:
                drop(path)


def drop(path):
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    drop_empty(path)


def drop_empty(path):
    """Remove the folders that a path was the last in."""
    while not any(path.parent.glob("*")):
        path = path.parent
        path.rmdir()


def is_compared(folder):
    """Say whether cruft made this to compare it with a project: in a temporary folder, which goes again."""
    temporary = Path(tempfile.gettempdir()).resolve()
    return (
        "_commit" in ANSWERS
        and folder.parents[1] == temporary
        and re.fullmatch(r"tmp[a-z0-9_]{8}", folder.parent.name)  # as `tempfile` names them
    )


def summary(folder):
    in_git = any((parent / ".git").exists() for parent in (folder, *folder.parents))
    if str(folder.parent) == os.environ.get("PWD"):
        folder = folder.name
    needs = ["PostgreSQL"] * (ANSWERS["database"] == "postgresql") + ["Redis"] * (LAYER != "memory")
    steps = [f"cd {shlex.quote(str(folder))}"]
    if not in_git:
        steps.append("git init && make lock && git add --all && git commit --message 'As generated'")
    if needs:
        steps.append(f"make services    ({' and '.join(needs)} with Docker; README.md says how without)")
    next_steps = "\n  ".join([*steps, "make run"])
    parts = [
        f"Django {ANSWERS['django_version']} on {ANSWERS['server']}",
        f"channel layer {LAYER}",
        f"auth {ANSWERS['auth']}",
        f"consumers {ANSWERS['__consumers'] or 'none'}",
        f"database {ANSWERS['database']}",
        f"REST API {ANSWERS['rest_api']}",
        f"front end {ANSWERS['frontend']}",
        f"tasks {ANSWERS['tasks']}",
        f"integrations {ANSWERS['__integrations'] or 'none'}",
        f"deployment {ANSWERS['__deployment'] or 'none'}",
    ]
    return f"""
Made {folder}: {"; ".join(parts)}.

Next:
  {next_steps}

The same project again, without questions:
  {AGAIN}
"""


keep(claims())
if not is_compared(Path.cwd()):
    runpy.run_path("config/dotenv.py")["complete"](environment={})
    print(summary(Path.cwd()))
