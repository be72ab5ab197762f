"""The environment and `.env`, and how a setting is read from there."""

import re
from pathlib import Path

from environs import Env, EnvError

from realtime.rates import parse_rates

BASE_DIR = Path(__file__).resolve().parent.parent

env = Env()
try:
    env.read_env(BASE_DIR / ".env", recurse=False)
except (OSError, UnicodeDecodeError) as error:
    raise SystemExit(f".env is no text file that may be read: {error}. Mend or move it.") from None


def read(parse, name, rule, **options):
    """Read a variable, or end the process with one line that says what is wrong with it."""
    try:
        return parse(name, **options)
    except (EnvError, ValueError):
        problem, hint = "wrong", ""
        if env.str(name, default=None) is None:
            problem, hint = "missing", "; for development `make .env` does"
        cure = f"It must be {rule}. Set it in the environment or in .env{hint}."
        raise SystemExit(f"{name} is {problem}. {cure}") from None


def database(name, engine, **options):
    """Read the URL of a database of the kind that this project is made for, one of Django's engines."""
    found = env.dj_db_url(name, **options)
    if found["ENGINE"] != f"django.db.backends.{engine}":
        raise ValueError(name)
    return found


def mail(name, **options):
    """Read the URL of a mail server, or console:// for none."""
    found = env.dj_email_url(name, **options)
    kind, has_host = found.get("EMAIL_BACKEND", ""), bool(found["EMAIL_HOST"])
    if not kind.endswith("smtp.EmailBackend" if has_host else "console.EmailBackend"):
        raise ValueError(name)
    if not has_host:
        return found | {"EMAIL_BACKEND": "accounts.mail.ConsoleBackend"}
    return found | {"EMAIL_TIMEOUT": found["EMAIL_TIMEOUT"] or 10}


def rates(name, **options):
    """Read rates such as 50/second;1000/minute."""
    return parse_rates(env.str(name, **options))


def token(name, **options):
    """Read what stands behind `Authorization: Bearer`; nothing, or enough to be a secret."""
    found = env.str(name, **options)
    if found and not re.fullmatch(r"[\w.~+/-]{20,}=*", found, re.ASCII):
        raise ValueError(name)
    return found


def bare_names(hosts):
    if not hosts or any("/" in host for host in hosts):
        raise ValueError(hosts)


def origins(sites, host="[^/]+", least=0):
    if len(sites) < least or not all(re.fullmatch(f"https?://{host}", site) for site in sites):
        raise ValueError(sites)


DEBUG = read(env.bool, "DEBUG", "true or false, for example DEBUG=false", default=False)
