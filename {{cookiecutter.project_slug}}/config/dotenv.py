"""Write what development needs into `.env`: `make .env`, with which `make run` and `make test` begin.

Nothing that stands there is changed. It needs no settings, which want `.env` themselves.
"""

import os
import re
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

FILE = Path(__file__).resolve().parent.parent / ".env"
LINE = re.compile(r"""^\s*(?:export\s+)?(\w+)[ \t]*=[ \t]*(['"]?)(.*?)\2[ \t]*(?:[ \t]#.*)?$""", re.MULTILINE)


def needed(has: dict[str, str]) -> dict[str, str]:
    """Return what development needs, by name, with fresh secrets; `has` is what stands in `.env`."""
    values = {"DEBUG": "true", "SECRET_KEY": secrets.token_urlsafe(48)}
#% if cookiecutter.database == "postgresql"
    name, known = "{{ cookiecutter.project_slug }}", re.search(r":([\w.~-]+)@", has.get("DATABASE_URL", ""))
    password = has.get("POSTGRES_PASSWORD") or (known[1] if known else secrets.token_hex(16))
    values["DATABASE_URL"] = f"postgresql://{name}:{password}@127.0.0.1:5432/{name}"
    values["POSTGRES_PASSWORD"] = password  # with which `make services` starts it
#% endif
#% if cookiecutter.channel_layer != "memory"
    values["REDIS_URL"] = "redis://127.0.0.1:6379/0"
#% endif
#% if cookiecutter._env
    if not has:  # afterwards it is for you to change them, or to take them out
        values |= {
#% for name, value in cookiecutter._env.items()
            "{{ name }}": "{{ value }}",
#% endfor
        }
#% endif
    return values


def complete(environment: Mapping[str, str]) -> str:
    """Write `.env`, or add what it lacks, and return a sentence about that, if there is something to say."""
    if "SECRET_KEY" in environment:
        return ""  # as in CI: what is needed comes from there
    new = not FILE.exists()
    text = "" if new else FILE.read_text(encoding="utf-8")
    has = {name: value for name, _, value in LINE.findall(text)}
    lacks = {name: value for name, value in needed(has).items() if name not in has}
    names = ", ".join(lacks)
    if not lacks:
        return ""
    if has.get("DEBUG", "false" if "SECRET_KEY" in has else "true").lower() not in ("true", "on", "yes", "1"):
        return f".env lacks {names}. Add them yourself: it is not for development, since DEBUG is off there."
    with open(FILE, "x" if new else "a", encoding="utf-8", opener=for_its_owner) as file:
        file.write("" if text[-1:] in ("", "\n") else "\n")
        file.writelines(f"{name}={value}\n" for name, value in lacks.items())
    return f"Wrote {names} into .env"


def for_its_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


if __name__ == "__main__":
    try:
        said = complete(os.environ)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        sys.exit(f"{FILE} is no text file that you may read and write: {reason}. Mend or move it.")
    if said:
        print(said)
