"""Presets as their owners meet them: made by the one command, on a PostgreSQL and a Redis of their own."""

import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
import yaml

from generation import run
from offered import DEFAULT, TEMPLATE
from polling import until_served
from services import free_port
from serving import ENVIRONMENT, PASSWORD, Project, build_pages

PRESETS = {path.stem: path for path in sorted(TEMPLATE.glob("presets/*.yaml"))}


def answers(preset):
    """Return what a preset answers, by question."""
    return yaml.safe_load(PRESETS[preset].read_text(encoding="utf-8"))["default_context"]


@pytest.fixture(scope="session")
def system(valkey, postgresql, tmp_path_factory):
    """Return a function that makes a preset's project, with other answers if some are given, and installs it.

    The project knows how many seconds that took.
    """
    systems = {}

    def make(preset, **more):
        start, folder = time.monotonic(), tmp_path_factory.mktemp("systems")
        command = [sys.executable, "-m", "cookiecutter", TEMPLATE, "--directory", f"presets/{preset}"]
        given = [f"{question}={answer}" for question, answer in more.items()]
        run(*command, "--no-input", "--default-config", *given, "--output-dir", folder, env=ENVIRONMENT)
        (made,) = folder.iterdir()
        project = Project(made, DEFAULT | answers(preset) | more)
        values = project.dotenv()
        name = f"system_{len(systems)}_{preset.replace('-', '_')}"
        project.set(DATABASE_URL=postgresql.add_database(name, values["DATABASE_URL"]))
        if "REDIS_URL" in values:
            project.set(REDIS_URL=valkey.database(900 + len(systems)))
        project.make(".venv/installed")
        build_pages(project)
        project.make("demo-users", DEMO_PASSWORD=PASSWORD)
        project.making = time.monotonic() - start
        return project

    def system(preset, **more):
        own = DEFAULT | answers(preset)
        more = {question: answer for question, answer in more.items() if answer != own.get(question)}
        key = (preset, *sorted(more.items()))
        if key not in systems:
            systems[key] = make(preset, **more)
        return systems[key]

    return system


@pytest.fixture
def story(record_property):
    """Return a context manager for a step of a story: what it takes is shown in a table at the end."""
    table = ["the story of a system, as it was driven", ""]
    record_property("table", table)  # before the test ends, since what is recorded later is not reported

    @contextmanager
    def step(text):
        start = time.monotonic()
        yield
        table[1] += f"{time.monotonic() - start:6.1f} s  {text}\n"

    return step


@contextmanager
def playing(project):
    """Play the chat models of a project, by its own fake; yields the variables that lead there."""
    log = project.folder.with_suffix(".models.log")
    with log.open("wb") as output:
        command = [project.folder / ".venv/bin/python", "-m", "integrations.llm.fake", str(free_port())]
        process = subprocess.Popen(command, cwd=project.folder, env=ENVIRONMENT, stdout=output, stderr=output)
    chosen = set(project.variant["integrations"].split(", ")) & {"openai", "anthropic", "gemini"}
    try:
        until_served(lambda: log.read_text().count("_KEY=") == len(chosen), 30, process, log.read_text)
        yield dict(word.split("=", 1) for word in log.read_text().split())
    finally:
        process.terminate()
        process.wait(10)
