"""Refuse answers that would not work, before a file is written: a line for each, with the rule and the cure.

Extensions of Jinja, so that they run in the process of cookiecutter or cruft: what a hook says, in a process
of its own, stands above a traceback. See
https://cookiecutter.readthedocs.io/en/stable/advanced/local_extensions.html
"""

import json
import keyword
import logging
import os
import re
import shlex
import sys
import unicodedata
from ipaddress import ip_address
from pathlib import Path

from cookiecutter.exceptions import FailedHookException
from cookiecutter.utils import simple_filter

# The project's folder in the template, which is the working directory while a hook is rendered.
PROJECT = Path("{{cookiecutter.project_slug}}")

PRESETS = Path(__file__).resolve().parent / "presets"

# Invisible characters that some emoji are built with; no other format character may appear.
JOINERS = "\u200d"


class Refusal(FailedHookException, SystemExit):
    """What to show: cookiecutter, which knows the first class, prints it and removes the folder; where
    nobody catches it, as in cruft, it ends the program for the second."""

    def __init__(self, text):
        super().__init__(text)
        self.code = text


def accept(answers):
    """Return the answers, a dict, if a project can be made from them; raise `Refusal` otherwise."""
    problems = {}
    for check in CHECKS:
        for question, problem in check(answers):
            problems.setdefault(question, f"{question} {problem}")
    if problems:
        lines = list(problems.values())
        if command := again(answers):
            lines += ["", "The same answers again, to correct:", f"  {command}"]
        raise Refusal("\n".join(lines))
    return answers


def is_no_refusal(record):
    """Say whether cookiecutter may log this: of a refusal it would, with a traceback."""
    return not (record.exc_info and isinstance(record.exc_info[1], Refusal))


logging.getLogger("cookiecutter.hooks").addFilter(is_no_refusal)


def again(answers):
    """Return the command that gives these answers without questions; none when cruft updates a project."""
    texts = {question: str(text) for question, text in answers.items() if not question.startswith("_")}
    texts = {question: "".join(filter(is_visible, text)) for question, text in texts.items()}
    template, preset = answers["_template"], answers.get("_preset")
    folder = ["--directory", f"presets/{preset}"] if preset else []
    if "_commit" in answers:  # which is cruft's
        command = ["cruft", "create", template, *folder, "--no-input", "--extra-context", json.dumps(texts)]
        return shlex.join(command) if "create" in sys.argv else ""
    if not re.search(r":|\.zip$", template):
        template = str(PRESETS.parent)
    command = ["cookiecutter", template, *folder, "--no-input"]
    if answers.get("_checkout"):
        command += ["--checkout", answers["_checkout"]]
    output_dir = answers.get("_output_dir")
    if output_dir and output_dir != os.environ.get("PWD"):
        command += ["--output-dir", output_dir]
    return shlex.join([*command, *(f"{question}={text}" for question, text in texts.items())])


def is_visible(character):
    return character in JOINERS or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}


# Each check yields questions and what is wrong with their answers. The first that is wrong with one counts.


def texts_are_plain(answers):
    for key in (key for key in answers if not key.startswith("_") and key not in answers["_options"]):
        text = str(answers[key])
        invisible = [f"U+{ord(character):04X}" for character in text if not is_visible(character)]
        if invisible:
            rule = "write it on one line without control characters."
            problem = f"holds the invisible character {invisible[0]}; {rule}"
        elif not text.strip() or text != text.strip():
            problem = "is empty or has spaces around it; write some text without them."
        elif "\\" in text:
            problem = "holds a backslash, which Python, TOML and YAML read differently; leave it out."
        elif re.search(r"{[#%{]|[#%}]}|^#%", text):
            problem = "holds template marks (two braces, a brace with % or #, #% first); leave them out."
        elif "'" in text and '"' in text:
            problem = "holds both ' and \"; keep one kind, or write \u2019 and \u201c \u201d."
        else:
            continue
        yield key, problem


def choices_are_offered(answers):
    """Cookiecutter itself looks at what is typed and given on the command line, but not at a replay file."""
    for key, offered in answers["_options"].items():
        if key not in answers["_lists"] and answers[key] not in offered:
            yield key, f"{answers[key]!r} is not offered; choose one of {', '.join(offered)}."


def lists_name_known_items(answers):
    for key in answers["_lists"]:
        offered = answers["_options"][key]
        names = [name.strip().lower() for name in str(answers[key]).split(",") if name.strip()]
        unknown = [repr(name) for name in names if name not in (*offered, "all", "none")]
        if unknown:
            items = "item" if len(unknown) == 1 else "items"
            known = ", ".join(offered)
            yield key, f"has the unknown {items} {', '.join(unknown)}; choose from {known}, or all, or none."
        for name in ("all", "none"):
            if name in names and set(names) != {name}:
                yield key, f"has {name!r} beside other names; give {name} alone, or the names alone."


def slug_is_a_package_name(answers):
    slug = str(answers["project_slug"])
    if not re.fullmatch(r"[a-z]([a-z0-9_]{,61}[a-z0-9])?", slug) or "___" in slug:
        example = re.sub(r"[^a-z0-9]+|___+", "_", slug.lower()).lstrip("_0123456789")[:63].rstrip("_")
        yield (
            "project_slug",
            f"{slug!r} is not a package name (lower-case letters, digits and _, a letter first, "
            f"no _ at the end, no ___, 63 at most); write it e.g. as {example or 'live_site'}.",
        )
    elif keyword.iskeyword(slug) or keyword.issoftkeyword(slug):
        yield "project_slug", f"{slug!r} is a keyword of Python; choose another name, e.g. my_{slug}_site."


def slug_shadows_nothing(answers):
    slug = str(answers["project_slug"])
    for kind, names in (
        ("the standard library's", sys.stdlib_module_names),
        ("the project's own", {path.stem for path in PROJECT.iterdir()}),
        ("the dependency", dependencies()),
    ):
        if slug in names:
            yield "project_slug", f"{slug!r} shadows {kind} {slug}; choose another name, e.g. my_{slug}_site."


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
    if not re.fullmatch(r"[A-Za-z0-9.!#$%&'*+/=?^_`|~-]+", name) or "." not in domain or not is_host(domain):
        yield "author_email", f"{email!r} is not an e-mail address; write it like ada@example.com."


def domain_is_a_host(answers):
    domain = str(answers["domain_name"])
    if not is_host(domain) and not is_address(domain):
        yield (
            "domain_name",
            f"{domain!r} is neither a host name nor an IP address; write it bare and in ASCII, "
            "like live.example.com, localhost, 192.0.2.7 or [2001:db8::7].",
        )
    elif is_address(domain) and "kubernetes" in chosen(answers)["deployment"]:
        yield (
            "domain_name",
            f"{domain!r} is an IP address, which no Ingress of Kubernetes takes; "
            "write a host name, or leave kubernetes out of deployment.",
        )


def is_host(text):
    label = r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)"
    return len(text) < 254 and re.fullmatch(rf"({label}\.)*(?=[A-Za-z]){label}", text)


def is_address(text):
    """Say whether a text is an IP address as URLs have it, where one of version 6 stands in brackets."""
    try:
        version = ip_address(text.removeprefix("[").removesuffix("]")).version
    except ValueError:
        return False
    return re.fullmatch(r"\[[^%]+\]" if version == 6 else r"[0-9.]+", text)


def chosen(answers):
    """Return the choices that were made of each option, as lists."""
    return {
        option: str(answers.get(f"__{option}", answers[option])).split(", ") for option in answers["_options"]
    }


def needs_are_met(answers):
    choices = chosen(answers)

    def missing(answer):
        """Return the needs of an answer that are not met, as pairs of an option and its choices."""
        wanted = answers["_needs"].get(answer, {})
        return [
            (needed, tuple(wanted[needed])) for needed in wanted if set(choices[needed]) - {*wanted[needed]}
        ]

    for option, offered in answers["_options"].items():
        lacks = {choice: missing(f"{option}={choice}") for choice in offered}
        others = ", ".join(choice for choice in offered if not lacks[choice])
        for need in dict.fromkeys(need for choice in offered for need in lacks[choice]):
            needy = [choice for choice in choices[option] if need in lacks.get(choice, ())]
            if needy:
                verb = "needs" if len(needy) == 1 else "need"
                needed, names = need[0], " or ".join(need[1])
                yield (
                    option,
                    f"{', '.join(needy)} {verb} {needed} {names}; "
                    f"choose {needed}={need[1][0]}, or another {option}: {others}.",
                )


def preset_is_known(answers):
    preset, known = answers.get("_preset"), [path.stem for path in sorted(PRESETS.glob("*.yaml"))]
    if preset and preset not in known:
        yield "_preset", f"{preset!r} is not known; choose one of {', '.join(known)}, or leave it out."


CHECKS = (
    preset_is_known,
    texts_are_plain,
    choices_are_offered,
    lists_name_known_items,
    slug_is_a_package_name,
    slug_shadows_nothing,
    email_is_an_address,
    domain_is_a_host,
    needs_are_met,
)

Accept = simple_filter(accept)
Again = simple_filter(again)
