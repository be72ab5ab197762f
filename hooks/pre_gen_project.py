"""Refuse answers that would not work, before a file is written: one line that says the rule and the cure."""

import json
import keyword
import re
import sys
import unicodedata

ANSWERS = dict(json.loads(r"""{{ cookiecutter.items() | list | tojson }}"""))

TEXTS = ("project_name", "description", "author_name", "author_email", "domain_name", "project_slug")

# What cookiecutter.json offers. Cookiecutter itself holds answers against it, but not those of a replay file.
CHOICES = {
    "license": ("MIT", "BSD-3-Clause", "Apache-2.0", "Proprietary"),
    "python_version": ("3.13", "3.12"),
    "django_version": ("6.1", "5.2"),
    "server": ("uvicorn", "daphne", "hypercorn", "gunicorn", "granian"),
    "channel_layer": ("memory", "redis", "redis_queue"),
    "auth": ("session", "jwt", "session_jwt"),
    "database": ("sqlite", "postgresql"),
    "rest_api": ("drf", "none"),
    "ci": ("github", "gitlab", "none"),
}

LISTS = ANSWERS["_lists"]

APPS = {
    *("config", "serving", "realtime", "accounts", "health", "rooms", "notifications", "problems"),
    *("static", "templates", "tests", "deploy"),
}

# Names by which dependencies are imported or installed, in any combination of answers.
DEPENDENCIES = {
    *("django", "asgiref", "channels", "channels_redis", "redis", "hiredis", "msgpack", "msgspec"),
    *("uvicorn", "uvicorn_worker", "daphne", "hypercorn", "gunicorn", "granian", "uvloop", "httptools"),
    *("websockets", "wsproto", "h11", "h2", "twisted", "autobahn", "servestatic", "environs", "marshmallow"),
    *("dotenv", "python_dotenv", "dj_database_url", "dj_email_url", "django_cache_url", "jwt", "pyjwt"),
    *("psycopg", "psycopg_pool", "psycopg_binary", "rest_framework", "rest_framework_simplejwt", "adrf"),
    *("djangorestframework", "djangorestframework_simplejwt", "drf_spectacular", "drf_spectacular_sidecar"),
    *("csp", "django_csp", "pytest", "pytest_django", "pytest_asyncio", "ruff", "uv", "pip", "setuptools"),
}

# Invisible characters that some emoji are built with; no other format character may appear.
JOINERS = "\u200d"


def texts_are_plain():
    for key in TEXTS:
        text = str(ANSWERS[key])
        if not text.strip() or text != text.strip():
            return f"{key} is empty or has spaces around it; write some text without them."
        for character in text:
            if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and character not in JOINERS:
                return (
                    f"{key} holds the invisible character U+{ord(character):04X}; "
                    "write it on one line without control characters."
                )
        if "\\" in text:
            return f"{key} holds a backslash, which Python, TOML and YAML read differently; leave it out."
        if re.search(r"{[#%{]|[#%}]}|^#%", text):
            return f"{key} holds template marks (two braces, a brace with % or #, #% first); leave them out."
        if "'" in text and '"' in text:
            return f"{key} holds both ' and \"; keep one kind, or write \u2019 and \u201c \u201d."


def choices_are_offered():
    for key, offered in CHOICES.items():
        if ANSWERS[key] not in offered:
            return f"{key} {ANSWERS[key]!r} is not offered; choose one of {', '.join(offered)}."


def lists_name_known_items():
    for key, offered in LISTS.items():
        names = [name.strip().lower() for name in str(ANSWERS[key]).split(",")]
        if names in (["all"], ["none"]):
            continue
        for name in names:
            if name in ("all", "none"):
                return f"{key} has {name!r} beside other names; give {name} alone, or the names alone."
            if name not in offered:
                known = ", ".join(offered)
                return f"{key} has the unknown item {name!r}; choose from {known}, or all, or none."


def slug_is_a_package_name():
    slug = str(ANSWERS["project_slug"])
    if not re.fullmatch(r"[a-z]([a-z0-9_]{,61}[a-z0-9])?", slug) or "___" in slug:
        example = re.sub(r"[^a-z0-9]+|___+", "_", slug.lower()).lstrip("_0123456789")[:63].rstrip("_")
        return (
            f"project_slug {slug!r} is no package name (lower-case letters, digits and _, a letter first, "
            f"no _ at the end, no ___, 63 at most); write it e.g. as {example or 'live_site'}."
        )
    if keyword.iskeyword(slug) or keyword.issoftkeyword(slug):
        return f"project_slug {slug!r} is a keyword of Python; choose another name, e.g. my_{slug}_site."


def slug_shadows_nothing():
    slug = str(ANSWERS["project_slug"])
    for kind, names in (
        ("the standard library's", sys.stdlib_module_names),
        ("the dependency", DEPENDENCIES),
        ("the project's own app", APPS),
    ):
        if slug in names:
            return f"project_slug {slug!r} shadows {kind} {slug}; choose another name, e.g. my_{slug}_site."


def email_is_an_address():
    email = str(ANSWERS["author_email"])
    name, _, domain = email.rpartition("@")
    if not re.fullmatch(r"[A-Za-z0-9.!#$%&'*+/=?^_`|~-]+", name) or not is_domain(domain):
        return f"author_email {email!r} is no e-mail address; write it like ada@example.com."


def domain_is_a_host_name():
    domain = str(ANSWERS["domain_name"])
    if not is_domain(domain):
        return f"domain_name {domain!r} is no host name; write it bare and in ASCII, like live.example.com."


def is_domain(text):
    label = r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)"
    return len(text) < 254 and re.fullmatch(rf"({label}\.)+(?=[A-Za-z]){label}", text)


def tokens_have_an_api():
    if ANSWERS["auth"] != "session" and ANSWERS["rest_api"] == "none":
        return f"auth {ANSWERS['auth']} needs an API to hand out tokens; choose rest_api=drf or auth=session."


def databases_outlive_their_containers():
    for target in ANSWERS["__deployment"].split(", "):
        if target in ("kubernetes", "cloudrun", "procfile") and ANSWERS["database"] == "sqlite":
            return f"deployment {target} keeps no files, and SQLite is one; choose database=postgresql."


CHECKS = (
    texts_are_plain,
    choices_are_offered,
    lists_name_known_items,
    slug_is_a_package_name,
    slug_shadows_nothing,
    email_is_an_address,
    domain_is_a_host_name,
    tokens_have_an_api,
    databases_outlive_their_containers,
)

for check in CHECKS:
    if problem := check():
        sys.exit(problem)
