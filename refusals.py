"""Refuse answers that would not work, before a file is written: one line that says the rule and the cure.

An extension of Jinja, so that it runs in the process of cookiecutter or cruft: what a hook says, in a process
of its own, stands above a traceback. See
https://cookiecutter.readthedocs.io/en/stable/advanced/local_extensions.html
"""

import keyword
import logging
import re
import sys
import unicodedata
from pathlib import Path

from cookiecutter.exceptions import FailedHookException
from cookiecutter.utils import simple_filter

# The template's own, whose folder is the working directory of whoever renders a hook.
PROJECT = Path("{{cookiecutter.project_slug}}")

# Invisible characters that some emoji are built with; no other format character may appear.
JOINERS = "\u200d"


class Refusal(FailedHookException, SystemExit):
    """The line to show: cookiecutter, which knows the first class, prints it and removes the folder; where
    nobody catches it, as in cruft, it ends the program for the second."""

    def __init__(self, line):
        super().__init__(line)
        self.code = line


def accept(answers):
    """Return the answers, a dict, if a project can be made from them; raise `Refusal` otherwise."""
    for check in CHECKS:
        if problem := check(answers):
            raise Refusal(problem)
    return answers


def is_no_refusal(record):
    """Say whether cookiecutter may log this: of a refusal it would, with a traceback."""
    return not (record.exc_info and isinstance(record.exc_info[1], Refusal))


logging.getLogger("cookiecutter.hooks").addFilter(is_no_refusal)


def texts_are_plain(answers):
    for key in (key for key in answers if not key.startswith("_") and key not in answers["_options"]):
        text = str(answers[key])
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


def choices_are_offered(answers):
    """Cookiecutter itself looks at what is typed and given on the command line, but not at a replay file."""
    for key, offered in answers["_options"].items():
        if key not in answers["_lists"] and answers[key] not in offered:
            return f"{key} {answers[key]!r} is not offered; choose one of {', '.join(offered)}."


def lists_name_known_items(answers):
    for key in answers["_lists"]:
        offered = answers["_options"][key]
        names = [name.strip().lower() for name in str(answers[key]).split(",")]
        if names in (["all"], ["none"]):
            continue
        for name in names:
            if name in ("all", "none"):
                return f"{key} has {name!r} beside other names; give {name} alone, or the names alone."
            if name not in offered:
                known = ", ".join(offered)
                return f"{key} has the unknown item {name!r}; choose from {known}, or all, or none."


def slug_is_a_package_name(answers):
    slug = str(answers["project_slug"])
    if not re.fullmatch(r"[a-z]([a-z0-9_]{,61}[a-z0-9])?", slug) or "___" in slug:
        example = re.sub(r"[^a-z0-9]+|___+", "_", slug.lower()).lstrip("_0123456789")[:63].rstrip("_")
        return (
            f"project_slug {slug!r} is no package name (lower-case letters, digits and _, a letter first, "
            f"no _ at the end, no ___, 63 at most); write it e.g. as {example or 'live_site'}."
        )
    if keyword.iskeyword(slug) or keyword.issoftkeyword(slug):
        return f"project_slug {slug!r} is a keyword of Python; choose another name, e.g. my_{slug}_site."


def slug_shadows_nothing(answers):
    slug = str(answers["project_slug"])
    for kind, names in (
        ("the standard library's", sys.stdlib_module_names),
        ("the project's own", {path.stem for path in PROJECT.iterdir()}),
        ("the dependency", dependencies()),
    ):
        if slug in names:
            return f"project_slug {slug!r} shadows {kind} {slug}; choose another name, e.g. my_{slug}_site."


def dependencies():
    """Return the names by which dependencies are installed, imported or listed as apps of Django."""
    required = re.findall(r'"([\w-]+)(?:\[[\w,]+\])?[<=>~]', read(PROJECT / "pyproject.toml"))
    code = "\n".join(map(read, PROJECT.rglob("*.py")))
    imported = re.findall(r'^\s*(?:from|import) (\w+)|^    "(\w+)[".]', code, re.MULTILINE)
    installed = {name.replace("-", "_") for name in required}
    return installed.union({name.removeprefix("django_") for name in installed}, *imported)


def read(path):
    return path.read_text(encoding="utf-8")


def email_is_an_address(answers):
    email = str(answers["author_email"])
    name, _, domain = email.rpartition("@")
    if not re.fullmatch(r"[A-Za-z0-9.!#$%&'*+/=?^_`|~-]+", name) or not is_domain(domain):
        return f"author_email {email!r} is no e-mail address; write it like ada@example.com."


def domain_is_a_host_name(answers):
    domain = str(answers["domain_name"])
    if not is_domain(domain):
        return f"domain_name {domain!r} is no host name; write it bare and in ASCII, like live.example.com."


def is_domain(text):
    label = r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)"
    return len(text) < 254 and re.fullmatch(rf"({label}\.)+(?=[A-Za-z]){label}", text)


def needs_are_met(answers):
    needs, given = answers["_needs"], set()
    for option in answers["_options"]:
        given |= {f"{option}={choice}" for choice in answers.get(f"__{option}", answers[option]).split(", ")}
    for answer, need in needs.items():
        if answer in given and need not in given:
            option, choice = answer.split("=")
            others = [
                other
                for other in answers["_options"][option]
                if needs.get(f"{option}={other}") in {None, *given}
            ]
            return (
                f"{option} {choice} needs {need.replace('=', ' ')}; "
                f"choose {need}, or another {option}: {', '.join(others)}."
            )


CHECKS = (
    texts_are_plain,
    choices_are_offered,
    lists_name_known_items,
    slug_is_a_package_name,
    slug_shadows_nothing,
    email_is_an_address,
    domain_is_a_host_name,
    needs_are_met,
)

Accept = simple_filter(accept)
