"""Pipelines, those of projects and the template's own: held to their schemas, audited, and run."""

import re
import shlex
import shutil
import subprocess
import sys
from itertools import product
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import uv
import yaml

from offered import OPTIONS, TEMPLATE
from serving import ENVIRONMENT, lift_upper_bounds
from variants import BOOTED, name

TOOLS = Path(sys.executable).parent
PIPELINES = {"github": ".github/workflows/ci.yml", "gitlab": ".gitlab-ci.yml"}
OWN = {
    "github": [*TEMPLATE.glob(".github/workflows/*.yml")],
    "gitlab": [TEMPLATE / ".gitlab-ci.yml"],
}
SCHEMAS = {
    "github": ["--builtin-schema", "vendor.github-workflows"],
    "gitlab": ["--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"],
}
STRICT = ["--offline", "--no-progress", "--strict-collection", "--persona", "auditor"]

# Services live as long as one run: they follow the fixes of their major version.
EXCEPT = "rules: {unpinned-images: {disable: true}}"

PINNED = re.compile(r"uses: [\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def run(*command, fails=False, **options):
    """Run a command that must succeed, or fail; return what it prints."""
    done = subprocess.run(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options
    )
    assert bool(done.returncode) == fails, f"{shlex.join(done.args)}\n{done.stdout[-8000:]}"
    return done.stdout


class Pipeline:
    """What a pipeline declares: the test job's variables and services, and the commands of all jobs."""

    def __init__(self, kind, folder):
        self.folder, self.file = folder, folder / PIPELINES[kind]
        declared = yaml.safe_load(self.file.read_text(encoding="utf-8"))
        if kind == "github":
            job = declared["jobs"]["test"]
            self.variables = job["env"]
            services = job.get("services", {}).values()
            self.services = {f"127.0.0.1:{port.split(':')[0]}" for each in services for port in each["ports"]}
            self.commands = [step["run"] for step in job["steps"] if "run" in step]
        else:
            self.variables = declared["variables"]
            self.services = {image.split(":")[0] for image in declared["test"].get("services", [])}
            self.commands = declared["test"]["script"]
            if "build" in declared:
                self.commands.append("\n".join(declared["build"]["script"]))

    def hosts(self):
        """Return the hosts that the variables lead to, written as the services are."""
        urls = [urlsplit(value) for value in self.variables.values() if "://" in value]
        return {
            url.hostname if url.hostname in self.services else f"{url.hostname}:{url.port}" for url in urls
        }


# -- As text -----------------------------------------------------------------------------------------------


@pytest.fixture(
    scope="module", params=[pytest.param(kind, marks=pytest.mark.xdist_group(kind)) for kind in PIPELINES]
)
def pipelines(request, bake):
    """Return the kind of the pipelines of projects of all sorts, and [(answers, `Pipeline`)]."""
    variants = [
        {"channel_layer": layer, "database": database, "deployment": deployment, "ci": request.param}
        for layer, database in product(OPTIONS["channel_layer"], OPTIONS["database"])
        for deployment in ("docker", "none")
    ]
    return request.param, [(variant, Pipeline(request.param, bake(**variant))) for variant in variants]


def test_pipelines_fit_their_schema_and_pass_an_audit(pipelines, tmp_path):
    kind, projects = pipelines
    files = [pipeline.file for _, pipeline in projects] + OWN[kind]
    run(TOOLS / "check-jsonschema", *SCHEMAS[kind], *files)
    if kind == "github":
        config = tmp_path / "zizmor.yml"
        config.write_text(EXCEPT)
        output = run(TOOLS / "zizmor", *STRICT, "--config", config, *files)
        assert output.count("completed") == len(files), output
        text = "".join(file.read_text(encoding="utf-8") for file in files)
        uses = {line.strip(" -") for line in text.splitlines() if "uses:" in line}
        assert all(map(PINNED.fullmatch, uses)), uses
        assert len({use.partition("@")[0] for use in uses}) == len(uses), "one action has several versions"


def test_pipelines_have_what_the_project_needs_and_build_its_image(pipelines):
    _, projects = pipelines
    for variant, pipeline in projects:
        assert pipeline.hosts() == pipeline.services
        assert ("DATABASE_URL" in pipeline.variables) == (variant["database"] == "postgresql")
        assert ("REDIS_URL" in pipeline.variables) == (variant["channel_layer"] != "memory")
        text = "\n".join(pipeline.commands)
        built = "docker build --tag live_site ." in text
        assert built == (pipeline.folder / "Dockerfile").exists() == (variant["deployment"] == "docker")
        starts = "\n".join(re.findall(r"docker run .+ live_site$", text, re.MULTILINE))
        given = set(re.findall(r"--env (\w+)", starts))
        own = {"SECRET_KEY", "DATABASE_URL", "REDIS_URL"} & pipeline.variables.keys()
        assert given == (own if built else set())
        assert ("health.probe" in text) == built


def test_jobs_of_the_template_run_each_test_once():
    github, gitlab = (yaml.safe_load((TEMPLATE / file).read_text()) for file in PIPELINES.values())
    servers = OPTIONS["server"]
    parts = [*servers, f"not ({' or '.join(servers)})"]
    assert github["jobs"]["test"]["strategy"]["matrix"] == {"part": parts}
    assert gitlab["test"]["parallel"]["matrix"] == [{"PART": parts}]


def test_a_job_of_the_template_tries_other_versions_each_week():
    github = yaml.safe_load((TEMPLATE / ".github/workflows/versions.yml").read_text())
    gitlab = yaml.safe_load((TEMPLATE / ".gitlab-ci.yml").read_text())["versions"]
    assert github[True]["schedule"]  # YAML's "on"
    assert [rule["if"] for rule in gitlab["rules"]] == ['$CI_PIPELINE_SOURCE == "schedule"']
    matrix = github["jobs"]["test"]["strategy"]["matrix"]
    assert gitlab["parallel"]["matrix"] == [{"RESOLUTION": matrix["resolution"]}]
    assert matrix["resolution"] == ["newest", "lowest-direct"]
    *_, step = github["jobs"]["test"]["steps"]
    assert gitlab["script"] == [step["run"]] == [".ci/run versions"]


@pytest.mark.parametrize("resolution", ["newest", "lowest-direct"])
def test_versions_are_tried_with_each_server_and_all_dependencies(resolution):
    """`make versions` names variants that exist, and whatever a project may depend on is in one of them."""
    command = run("make", "--dry-run", "versions", f"RESOLUTION={resolution}", cwd=TEMPLATE)
    assert f"RESOLUTION={resolution} " in command
    few = set(re.search(r'-k "(.+)"', command)[1].split(" or "))
    chosen = [variant for variant in BOOTED if name(variant) in few]
    assert len(chosen) == len(few)
    for option in ("server", "django_version", "database"):
        assert {variant[option] for variant in chosen} == set(OPTIONS[option])
    assert "drf" in {variant["rest_api"] for variant in chosen}
    assert {"redis", "redis_queue"} <= {variant["channel_layer"] for variant in chosen}
    assert "celery" in {variant["tasks"] for variant in chosen}


def test_newest_means_above_all_upper_bounds(tmp_path):
    pyproject = tmp_path / "pyproject.toml"
    pyproject.write_text('"django~=6.1.0", "uvicorn>=0.52.1,<0.55", "granian[reload,uvloop]>=2.8,<3"')
    lift_upper_bounds(pyproject)
    assert pyproject.read_text() == '"django~=6.1.0", "uvicorn>=0.52.1", "granian[reload,uvloop]>=2.8"'


# -- Run ---------------------------------------------------------------------------------------------------

NEEDY = {"database": "postgresql", "deployment": "docker", "consumers": "none", "rest_api": "none"}
RUN = [
    {**NEEDY, "ci": "github", "server": "uvicorn", "channel_layer": "redis"},
    {**NEEDY, "ci": "gitlab", "server": "granian", "channel_layer": "redis_queue"},
]


@pytest.mark.parametrize("variant", [pytest.param(each, id=f"{each['ci']}-{each['server']}") for each in RUN])
def test_commands_of_a_pipeline_succeed(variant, bake, valkey, postgresql, tmp_path):
    """In what git has of the project, with the declared variables but our services; of its tests, a few."""
    project = tmp_path / "project"
    shutil.copytree(bake(**variant), project)
    pipeline = Pipeline(variant["ci"], project)
    environment = ENVIRONMENT | pipeline.variables | {"ARGS": "health", "REDIS_URL": valkey.url}
    environment["DATABASE_URL"] = postgresql.add_database(f"ci_{variant['ci']}", environment["DATABASE_URL"])

    def shell(command, folder, fails=False):
        return run("bash", "-e", "-c", command, cwd=folder, env=environment, fails=fails)

    locked, lint, test, *_ = pipeline.commands  # the rest needs Docker
    run("git", "init", "--quiet", cwd=project)
    assert "make lock" in shell(locked, checkout(project, tmp_path / "without-lock"), fails=True)
    run("make", "lock", f"UV={uv.find_uv_bin()}", cwd=project, env=ENVIRONMENT)
    folder = checkout(project, tmp_path / "with-lock")
    shell(locked, folder)
    shell(lint, folder)
    assert re.search(r"\d+ passed", shell(test, folder))
    assert not (folder / ".env").exists()  # which is for machines that set nothing


def checkout(project, folder):
    """Return a folder with what a commit of the project holds."""
    run("git", "add", "--all", cwd=project)
    run("git", "checkout-index", "--all", f"--prefix={folder}/", cwd=project)
    return folder
