"""Counts the conditional lines of the template, as `make conditions` prints them.

Such a line has a statement of Jinja, `#% if ...` or `{% if ... %}`, in a file that is rendered: static/ and
Django's templates are copied. `#%%`, a blank line, is none.
"""

import re
import subprocess
from fnmatch import fnmatch

from offered import CONFIG, TEMPLATE

FOLDER = TEMPLATE / "{{cookiecutter.project_slug}}"
STATEMENT = re.compile(r"^\s*#% |^#%[a-z]|\{%", re.MULTILINE)
ALLOWED = 250  # in the whole template; what varies more should be a file of its own


def conditions():
    """Return how many conditional lines each file has that has any, as {path: number}, most first."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=True).stdout
    counts = {}
    for name in filter(None, listed.split("\0")):
        path = FOLDER / name
        if path.is_file() and not any(fnmatch(name, pattern) for pattern in CONFIG["_copy_without_render"]):
            lines = path.read_text(encoding="utf-8").splitlines()
            counts[name] = sum(STATEMENT.search(line) is not None for line in lines)
    return {name: n for name, n in sorted(counts.items(), key=lambda item: (-item[1], item[0])) if n}


def table(counts):
    """Return the numbers as text, a line each, and their sum."""
    lines = [f"{number:5}  {name}" for name, number in counts.items()]
    return "\n".join([*lines, f"{sum(counts.values()):5}  in {len(counts)} files; {ALLOWED} are allowed"])


if __name__ == "__main__":
    print(table(conditions()))
