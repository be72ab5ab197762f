"""Chat models: a project's clients against fakes of two makers, and the providers' own packages against ours.

What each of them makes of a provider's bad days stands in docs/providers.md.
"""

import json
import re
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import uv

from offered import TEMPLATE
from polling import until_served
from services import HOST, free_port
from serving import ENVIRONMENT, each
from variants import BOOTED

PROVIDERS = ["openai", "anthropic", "gemini"]
PACKAGES = ["openai==3.57.0", "anthropic==2.14.0", "google-genai==3.6.1"]
(VARIANT,) = each(
    [next(variant for variant in BOOTED if all(name in variant["integrations"] for name in PROVIDERS))]
)
pytestmark = list(VARIANT.marks)  # they share a worker with what else is asked of that project
SAID = "It is a fake that says this, word by word."
DAYS = {
    "hello": "an answer",
    "fake:length": "an answer that is cut at its limit",
    "fake:refusal": "an answer that is refused",
    "fake:limited_once": "429 and `Retry-After: 1`, then an answer",
    "fake:limited": "429 and `Retry-After: 1`, always",
    "fake:limited_long": "429 and `Retry-After: 3600`",
    "fake:unavailable": "503",
    "fake:overloaded": "529",
    "fake:refused_key": "the key is not accepted",
    "fake:unknown_model": "404",
    "fake:moved": "307, to another place",
    "fake:page": "200 with a page of HTML",
    "fake:hang": "nothing",
    "fake:cut_early": "the connection breaks before the first word",
    "fake:error_early": "an error instead of the first word",
    "fake:stall": "three words, then nothing",
    "fake:cut": "three words, then the connection breaks",
    "fake:truncated": "three words, then a proper end of the response",
    "fake:error": "three words, then an error",
    "fake:rubbish": "three words, then no JSON",
}


@pytest.fixture(scope="module")
def project(installed):
    return installed(VARIANT.values[0])


@pytest.fixture(scope="module")
def packages(project, tmp_path_factory):
    """Return a folder with the providers' own packages, for the project's Python."""
    folder = tmp_path_factory.mktemp("packages")
    install = [uv.find_uv_bin(), "pip", "install", "--quiet", "--python", project.folder / ".venv"]
    subprocess.run([*install, "--target", folder, *PACKAGES], check=True)
    return folder


@contextmanager
def serving(command, folder, port, path="/"):
    """Run a server until it answers, and then until the block ends."""
    log = folder / f"{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            list(map(str, command)), cwd=folder, env=ENVIRONMENT, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        address = f"http://{HOST}:{port}"
        until_served(lambda: httpx.get(address + path), 30, process, lambda: log.read_text(encoding="utf-8"))
        yield address
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def fake(project):
    """Return the address of a project's own fake."""
    port = free_port()
    command = [project.folder / ".venv/bin/python", "-m", "integrations.llm.fake", str(port)]
    with serving(command, project.folder, port, "/stats") as address:
        yield address


def addresses(address, gemini="v1"):
    return [f"openai={address}/v1", f"anthropic={address}", f"gemini={address}/{gemini}"]


def ask(project, *arguments, packages="", by="provider_clients.py"):
    """Ask by the project's own clients, or what stands in their place."""
    command = [project.folder / ".venv/bin/python", "-P", Path(__file__).with_name(by), *arguments]
    paths = {"PYTHONPATH": f"{project.folder}:{packages}", "DJANGO_SETTINGS_MODULE": "config.settings"}
    output = project.run(*command, **paths)
    assert "sk-secret" not in output
    return json.loads(output.splitlines()[-1])


@pytest.fixture(scope="module")
def by_clients(project, fake):
    return ask(project, *addresses(fake), *DAYS)


@pytest.fixture(scope="module")
def by_packages(project, packages, fake):
    return ask(project, *addresses(fake), *DAYS, packages=packages, by="provider_packages.py")


def test_the_packages_of_the_providers_understand_the_fake(by_packages):
    for provider, marks in {
        "openai": ("completed", "incomplete", "incomplete"),
        "anthropic": ("end_turn", "max_tokens", "refusal"),
        "gemini": ("STOP", "MAX_TOKENS", "SAFETY"),
    }.items():
        answers = by_packages[provider]
        assert tuple(answers[prompt]["end"] for prompt in list(DAYS)[:3]) == marks
        assert answers["hello"] == {"text": SAID, "end": marks[0], "tokens": [7, 10]}


def test_docs_say_what_becomes_of_bad_days(by_clients, by_packages):
    page = (TEMPLATE / "docs/providers.md").read_text(encoding="utf-8")
    for answers in (by_clients, by_packages):
        table = rows(answers)
        print(f"\n{table}")
        assert table in page, f"docs/providers.md lacks what is so now:\n{table}"


def rows(answers):
    lines = [f"| {' | '.join(['the provider sends', *PROVIDERS])} |", "|---|---|---|---|"]
    for prompt, day in DAYS.items():
        cells = [cell(answers[provider][prompt]) for provider in PROVIDERS]
        lines.append(f"| {' | '.join([day, *cells])} |")
    return "\n".join(lines)


def cell(answer):
    """Return how an answer ended; an answer that is not whole and does not say so is told apart."""
    if answer["end"] is None:
        return "**no error**"
    return "**waits on**" if answer["end"] == "waits" else f"`{answer['end']}`"


# -- An independent fake -----------------------------------------------------------------------------------

LONG = {"content": "A long answer that will not come to its end."}
FIXTURES = {
    "hello": {
        "response": {
            "content": "Somebody else says this.",
            "usage": {"input_tokens": 5, "prompt_tokens": 5, "output_tokens": 4, "completion_tokens": 4},
        },
        "chunkSize": 7,
    },
    "form": {"response": {"content": '{"title": "One", "tags": ["a"]}'}},
    "truncate": {"response": LONG, "chunkSize": 5, "latency": 20, "truncateAfterChunks": 4},
    "limited": {"response": {"error": {"message": "sk-secret-of-the-site"}, "status": 429, "retryAfter": 1}},
    "away": {"response": {"error": {"message": "sk-secret-of-the-site"}, "status": 503}},
    "key": {"response": {"error": {"message": "sk-secret-of-the-site"}, "status": 401}},
}
OUTCOMES = {
    "hello": {"text": "Somebody else says this.", "end": "stop", "tokens": [5, 4]},
    "form": {"text": "Form(title='One', tags=['a'])", "end": "stop"},
    "limited": {"text": "", "end": "rate_limited"},
    "away": {"text": "", "end": "provider_error"},
    "key": {"text": "", "end": "bad_key"},
}


@pytest.fixture(scope="module")
def aimock(tmp_path_factory):
    folder, port = tmp_path_factory.mktemp("aimock"), free_port()
    npm = [shutil.which("npm") or "npm", "install", "--no-audit", "--no-fund", "--silent"]
    subprocess.run([*npm, "@copilotkit/aimock@1.43.0"], cwd=folder, check=True)
    fixtures = [{"match": {"userMessage": prompt}} | fixture for prompt, fixture in FIXTURES.items()]
    (folder / "fixtures.json").write_text(json.dumps({"fixtures": fixtures}), encoding="utf-8")
    command = [folder / "node_modules/.bin/llmock", "-p", port, "-f", folder / "fixtures.json"]
    with serving(command, folder, port) as address:
        yield address


def test_clients_speak_with_a_fake_of_somebody_else(project, aimock):
    answers = ask(project, *addresses(aimock, gemini="v1beta"), *FIXTURES)
    for provider in PROVIDERS:
        cut = answers[provider].pop("truncate")
        assert cut["end"] == "provider_broke_off"
        assert LONG["content"].startswith(cut["text"])
        assert answers[provider] == OUTCOMES, provider


# -- OpenAI's own package, as the guide in projects shows it -----------------------------------------------


def test_the_guide_s_provider_by_openai_s_package_does_the_same(project, packages, fake, by_clients):
    guide = (project.folder / "integrations/llm/openai.md").read_text(encoding="utf-8")
    name, code = re.search(r"```python\n# (\S+)\n(.+?)```", guide, re.DOTALL).groups()
    path = project.folder / name
    settings = project.folder / "config/openai.py"
    before = settings.read_text(encoding="utf-8")
    kind = re.search(r'"class": "(\S+)"', guide)[1]
    try:
        path.write_text(code, encoding="utf-8")
        settings.write_text(before.replace("integrations.llm.openai.OpenAI", kind), encoding="utf-8")
        prompts = ["hello", "fake:length", "fake:limited", "fake:refused_key", "fake:unavailable"]
        prompts += ["fake:truncated", "fake:error"]
        answers = ask(project, addresses(fake)[0], *prompts, packages=packages)["openai"]
    finally:
        settings.write_text(before, encoding="utf-8")
        path.unlink()
    assert answers == {prompt: by_clients["openai"][prompt] for prompt in prompts}
