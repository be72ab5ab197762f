"""A colleague clones a project, without its `.env`, and works with it at once."""

import shutil

import pytest

from conversation import converse
from generation import GIT, run
from offered import DEFAULT
from serving import PASSWORD, Project, each, running
from variants import first

WITH_SERVICES = first(channel_layer="redis", database="postgresql")


@pytest.fixture(scope="module", params=each([DEFAULT, WITH_SERVICES]))
def clone(request, bake, tmp_path_factory):
    """Return a clone of a project as its maker committed it, as a `Project`; nothing in it was run yet."""
    folder = tmp_path_factory.mktemp("second_developer")
    origin = folder / "origin"
    shutil.copytree(bake(**request.param), origin)
    for command in (
        ("init", "--quiet"),
        ("add", "--all"),
        ("commit", "--quiet", "--message", "As generated"),
    ):
        run(*GIT, *command, cwd=origin)
    run("git", "clone", "--quiet", origin, folder / "clone")
    return Project(folder / "clone", request.param)


@pytest.fixture(scope="module")
def services(clone, request):
    """Return the variables that lead to the services of these tests."""
    if clone.variant["database"] == "sqlite":
        return {}
    valkey, postgresql = map(request.getfixturevalue, ("valkey", "postgresql"))
    url = postgresql.add_database("second_developer", "postgresql://me:a-password@localhost/")
    return {"DATABASE_URL": url, "REDIS_URL": valkey.database(999)}


async def test_a_clone_is_run_and_tested_at_once(clone, services, bake):
    env = clone.folder / ".env"
    assert not env.exists()
    assert " passed" in clone.make("test", "ARGS=health config", **services)
    assert env.stat().st_mode & 0o777 == 0o600
    maker = Project(bake(**clone.variant), clone.variant).dotenv()
    assert clone.dotenv().keys() == maker.keys()
    assert clone.dotenv()["SECRET_KEY"] != maker["SECRET_KEY"]

    clone.make("demo-users", DEMO_PASSWORD=PASSWORD, **services)
    written = env.read_text()
    with running(clone, "run", **services) as server:
        await converse(server.url, clone.variant)
    assert env.read_text() == written


def test_without_env_the_line_says_what_makes_one(clone):
    clone.make(".venv/installed")
    env = clone.folder / ".env"
    env.unlink(missing_ok=True)
    cure = "Set it in the environment or in .env; for development `make .env` does."
    for command in (["check"], ["migrate"]):
        (line,) = clone.manage(*command, fails=True).splitlines()
        assert " is missing. It must be " in line
        assert line.endswith(cure)
    assert clone.make(".env").startswith("Wrote DEBUG, SECRET_KEY")
    clone.manage("check")
    assert clone.make(".env") == ""


def test_an_environment_with_the_settings_needs_no_env(clone, services):
    clone.make(".venv/installed")
    (clone.folder / ".env").unlink(missing_ok=True)
    secret = {"SECRET_KEY": "only-for-tests-0123456789-0123456789-0123456789-0123456789"}
    assert " passed" in clone.make("test", "ARGS=health", **services, **secret)
    assert not (clone.folder / ".env").exists()


@pytest.mark.parametrize("kind", ["folder", "not UTF-8"])
def test_an_env_that_cannot_be_used_is_named_in_a_line(clone, kind):
    clone.make(".venv/installed")
    env = clone.folder / ".env"
    env.unlink(missing_ok=True)
    if kind == "folder":
        env.mkdir()
    else:
        env.write_bytes(b"SECRET_KEY=\xff\xfe")
    try:
        line, *_ = clone.make(".env", fails=True).splitlines()
        assert line.startswith(f"{env} is no text file that you may read and write: ")
        if kind != "folder":  # which is taken for none
            (line,) = clone.manage("check", fails=True).splitlines()
            assert line.startswith(".env is no text file that may be read: ")
    finally:
        shutil.rmtree(env) if kind == "folder" else env.unlink()
