"""What tests share. Nothing here skips: a tool that is missing is an error."""

import os
import re
from collections import Counter, defaultdict
from contextlib import contextmanager

import pytest
from jinja2 import Environment

from browser import chromium, complaints, log_in, site, visit  # noqa: F401  (fixtures)
from images import image  # noqa: F401
from offered import CONFIG, QUESTIONS
from repository import template  # noqa: F401
from services import postgresql, valkey  # noqa: F401
from serving import installed  # noqa: F401
from systems import story, system  # noqa: F401

# -- Baking ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session", autouse=True)
def own_settings(tmp_path_factory):
    """Keep cookiecutter away from the settings and replay files of whoever runs the tests."""
    home = tmp_path_factory.mktemp("cookiecutter")
    config = home / "config.yaml"
    config.write_text(f"cookiecutters_dir: {home}/templates\nreplay_dir: {home}/replay\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COOKIECUTTER_CONFIG", str(config))
        yield


@pytest.fixture(scope="session", autouse=True)
def templates_compiled_once():
    """Compile each template once for hundreds of bakes, which doubles their speed."""
    compile_template, compiled = Environment.compile, {}

    def compile_once(environment, source, *args, **options):
        key = (source, environment.line_statement_prefix, *args)
        if key not in compiled:
            compiled[key] = compile_template(environment, source, *args, **options)
        return compiled[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Environment, "compile", compile_once)
        yield


@pytest.fixture(scope="session")
def bake(cookies_session):
    """Return a function that generates a project, once for the same answers, and returns its folder.

    Whoever writes into a project works on a copy of it.
    """
    projects = {}

    def bake(**answers):
        known = {*QUESTIONS, *CONFIG["_options"]}  # among these what only presets answer
        assert answers.keys() <= known, f"no such question: {answers.keys() - known}"
        key = frozenset(answers.items())
        if key not in projects:
            with quiet_stdout():
                result = cookies_session.bake(extra_context=answers)
            assert result.exit_code == 0, result.exception
            assert answers.items() <= result.context.items()
            projects[key] = result.project_path
        return projects[key]

    return bake


@contextmanager
def quiet_stdout():
    """Send to nowhere what this process and its children print; errors still show."""
    stdout = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(stdout, 1)
        os.close(stdout)
        os.close(nowhere)


# -- The run as a whole ------------------------------------------------------------------------------------


@pytest.fixture
def note(record_property):
    """Return a function that keeps what was measured where a project ran, for a table at the end."""

    def note(target, variant, **figures):
        record_property("measured", [target, variant["server"], figures])

    return note


def pytest_addoption(parser):
    parser.addoption(
        "--minutes", type=float, default=0, help="go on with chaos for so long; see docs/soak.md"
    )
    parser.addoption("--seed", type=int, help="of what chaos does at random")


def pytest_terminal_summary(terminalreporter):
    show_minutes(terminalreporter)
    rows = defaultdict(dict)
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, value in report.user_properties:
            if name == "table" and report.when == "call":
                title, text = value
                terminalreporter.section(title)
                terminalreporter.write_line(text)
            if name == "measured" and report.when == "call":
                target, server, figures = value
                rows[target, server] |= figures
    if rows:
        terminalreporter.section("where projects ran (seconds; MiB on top of the base image)")
    for (target, server), figures in sorted(rows.items()):
        told = ", ".join(f"{name} {value:.1f}" for name, value in figures.items())
        terminalreporter.write_line(f"{target:<12}{server:<11}{told}")


def show_minutes(terminalreporter):
    """Say which group of tests took how long, in minutes of one worker, if all took more than a few."""
    minutes, tests = Counter(), Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                group = re.match(r"tests/(?:test_)?(\w+)", report.nodeid)[1]
                minutes[group] += report.duration / 60
                tests[group] += report.when == "call"
    if minutes.total() > 5:
        terminalreporter.section(f"{minutes.total():.0f} minutes of one worker")
        for group, spent in minutes.most_common():
            terminalreporter.write_line(f"{spent:6.1f}  {group}, {tests[group]} tests")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    """Count a skipped test as a failure: it proves nothing."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
