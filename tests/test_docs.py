"""What the documentation says is what the code does."""

import json
import os
import re
import subprocess
import sys

import pytest

from offered import CONFIG, QUESTIONS, RULES, TEMPLATE
from serving import each
from variants import BOOTED, PARTIAL, first

README = (TEMPLATE / "README.md").read_text(encoding="utf-8")
PAGES = [TEMPLATE / "README.md", TEMPLATE / "CHANGELOG.md", *sorted(TEMPLATE.glob("docs/*.md"))]
AWS_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")  # which its package reads
TOKENS_AND_REDIS = first(auth="jwt", channel_layer="redis")

ON_DAPHNE = first(server="daphne", rest_api="drf")

# Prints the codes of errors and of closing, with what they mean.
CODES = """
import json
from realtime.codes import CLOSE_CODES, ERRORS
print(json.dumps([list(ERRORS.items()), [[str(code), *texts] for code, texts in CLOSE_CODES.items()]]))
"""

# Prints {address of a socket: {"receive": types of frames, "send": types of frames}}.
FRAMES = """
import json
from realtime.asyncapi import document
page = document("")
named = {key: message["name"] for key, message in page["components"]["messages"].items()}
sockets = {channel["address"]: {"receive": [], "send": []} for channel in page["channels"].values()}
for operation in page["operations"].values():
    address = page["channels"][operation["channel"]["$ref"].split("/")[-1]]["address"]
    types = [named[message["$ref"].split("/")[-1]] for message in operation["messages"]]
    sockets[address][operation["action"]] += types
print(json.dumps(sockets))
"""


def section(text, heading):
    """Return what stands below a heading, up to the next one."""
    _, found, rest = text.partition(f"# {heading}\n")
    assert found, f"there is no heading {heading!r}"
    return rest.partition("\n#")[0]


def rows(text):
    """Return the rows of the tables in a text, without their heads, as lists of cells."""
    lines = re.findall(r"^\| ?(.+) \|$", text, re.MULTILINE)
    return [[cell.strip() for cell in line.split("|")] for line in lines][1:]


def code(text):
    """Return the words that are set as code."""
    return re.findall(r"`([\w.]+)`", text)


# -- README ------------------------------------------------------------------------------------------------


def test_readme_s_table_has_every_prompt_and_every_choice():
    table, needs, prompts = {}, [], []
    for names, choices, advice in rows(section(README, "The questions")):
        prompts = code(names) or prompts
        needs += [(f"{prompts[0]}={choices}", need) for need in code(advice.partition("needs ")[2])]
        for prompt in prompts:
            table.setdefault(prompt, []).extend(choices.split(", "))
    assert table == {key: list(CONFIG["_options"].get(key, ["text"])) for key in QUESTIONS}
    assert needs == [(answer, choice) for answer, _, choices in RULES for choice in choices]


def test_readme_shows_the_questions_as_they_are_asked(tmp_path):
    """Give the answers of the transcript; what is printed is the transcript without them."""
    command, transcript = re.search(r"```\n\$ (.+)\n([^`]+)```", README).groups()
    path = tmp_path / command.split()[1]
    path.symlink_to(TEMPLATE)
    asked = re.compile(r"^( .+\):)(.*)$", re.MULTILINE)
    answers = "".join(f"{answer.strip()}\n" for _, answer in asked.findall(transcript))
    done = subprocess.run(
        [sys.executable, "-m", *command.split()],
        cwd=tmp_path,
        env=os.environ | {"PWD": str(tmp_path), "COLUMNS": "200"},
        input=answers,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    printed = done.stdout.replace(str(TEMPLATE.resolve()), "/home/you/cookiecutter-django-asgi")
    assert printed.split() == asked.sub(r"\1", transcript).split()


def test_every_make_target_that_is_named_exists(bake):
    """The template's pages speak of projects, too."""
    project = bake(channel_layer="redis", tasks="celery", frontend="react")
    of_project = targets(project)
    for pages, known in ((PAGES, of_project | targets(TEMPLATE)), ([project / "README.md"], of_project)):
        for page in pages:
            text = page.read_text(encoding="utf-8")
            named = set(re.findall(r"(?:^|`|&& )(?:[A-Z]+=\S+ )?make ([a-z-]+)", text, re.MULTILINE))
            assert named <= known, page


def targets(folder):
    files = [folder / "Makefile", *folder.glob("*/*.mk")]
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    return set(re.findall(r"^([a-z-]+):", text, re.MULTILINE))


# -- Links -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    check_links(page, page.read_text(encoding="utf-8"))


def check_links(page, text):
    for link in re.findall(r"\]\((?!https?:)(.+?)\)", text):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.is_file(), f"{link} in {page}"
        assert not anchor or anchor in anchors(target), f"{link} in {page}"


def anchors(page):
    """Return the names by which GitHub links to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


# -- The docs/ of projects ---------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", each([TOKENS_AND_REDIS]))
def test_protocol_lists_the_frames_of_each_socket(variant, installed):
    project = installed(variant)
    protocol = protocol_of(project.folder)
    output = project.manage("shell", "--command", FRAMES)
    every = frames(protocol, "On every socket")
    sockets = json.loads(output.splitlines()[-1])
    sockets.pop("/ws/probe/", None)  # which other tests add
    for address, socket in sockets.items():
        own = frames(protocol, f"`{address.replace('{', '<').replace('}', '>')}`")
        taken = {(type, "client") for type in socket["receive"]}
        sent = {(type, "server") for type in [*socket["send"], "reply"]}
        assert every | own == taken | sent, address


def protocol_of(project):
    return (project / "docs/protocol.md").read_text(encoding="utf-8")


def frames(protocol, heading):
    """Return the documented frames as pairs of a type and who sends it, "client" or "server"."""
    pairs = set()
    for types, senders, *_ in rows(section(protocol, heading)):
        types, senders = code(types), senders.replace("both", "client, server").split(", ")
        pairs |= set(zip(types * (len(senders) // len(types)), senders, strict=True))
    return pairs


@pytest.mark.parametrize("variant", each([TOKENS_AND_REDIS, ON_DAPHNE]))
def test_protocol_says_the_same_of_codes_as_the_document_for_programs(variant, installed):
    project = installed(variant)
    protocol = protocol_of(project.folder)
    errors, close_codes = json.loads(project.manage("shell", "--command", CODES).splitlines()[-1])
    assert [[code.strip("`"), meaning] for code, meaning in rows(section(protocol, "Errors"))] == errors
    assert rows(section(protocol, "Close codes")) == close_codes


def test_docs_name_files_that_are_there(bake):
    """For each answer: what one project lacks, its documents do not tell of."""
    for variant in BOOTED + PARTIAL:
        project = bake(**variant)
        names = {path.name for path in project.rglob("*.*")}
        for page in (*project.glob("docs/*.md"), project / "realtime/README.md", project / "README.md"):
            text = page.read_text(encoding="utf-8")
            for name in re.findall(r"`([\w/.]+\.(?:py|js|md|toml|html))`", text):
                there = (project / name).is_file() if "/" in name else name in names
                own = (
                    "polls/",
                    "submissions/",
                    "demo.py",
                    "health.py",
                    "loadtest.py",
                    "config/sentry.py",
                    "config/tracing.py",
                )
                assert there or name.startswith(own), f"{name} in {page}"
            check_links(page, text)


# -- .env.example ------------------------------------------------------------------------------------------


def test_env_example_has_the_variables_that_settings_read(bake):
    for variant in BOOTED[: len(BOOTED) // len(CONFIG["server"])]:  # the server makes no difference
        project = bake(**variant)
        settings = "".join(path.read_text(encoding="utf-8") for path in project.glob("config/*.py"))
        example = (project / ".env.example").read_text(encoding="utf-8")
        read = re.findall(r'\b(?:read\(\s*[\w.]+,|number\()\s*"(\w+)"', settings)
        documented = re.findall(r"^(?:# )?([A-Z_]+)=", example, re.MULTILINE)
        documented = [name for name in documented if name not in AWS_KEYS]
        assert sorted(read) == sorted(documented), project
