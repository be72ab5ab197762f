"""Cloud Run takes the service and the job, and the image runs as they say."""

import json
import re
import socket
import subprocess
from functools import cache
from ipaddress import ip_address, ip_network
from itertools import product
from pathlib import Path

import googleapiclient
import httpx
import pytest
import yaml
from jsonschema import Draft202012Validator

from conversation import converse, drains
from offered import OPTIONS
from proxy import nginx, upstream
from services import HOST, free_port
from serving import each, started
from variants import DEPLOYED

API = Path(googleapiclient.__file__).with_name("discovery_cache") / "documents"
SHAPES = list(product(OPTIONS["server"], OPTIONS["channel_layer"]))
IMAGE = "europe-west1-docker.pkg.dev/my-project/site/web:1"


@cache
def validator(api, kind):
    """Return a validator for a resource of Google's that refuses what the API does not know."""
    schemas = json.loads((API / f"{api}.json").read_text(encoding="utf-8"))["schemas"]
    definitions = {name: strict(schema) for name, schema in schemas.items()}
    return Draft202012Validator({"$ref": f"#/$defs/{kind}", "$defs": definitions})


def strict(schema):
    """Turn a schema of Google's API descriptions into a JSON Schema without unknown properties."""
    if "$ref" in schema:
        return {"$ref": f"#/$defs/{schema['$ref']}"}
    result = {key: schema[key] for key in ("type", "enum") if key in schema}
    if schema.get("format") == "int64":
        result["type"] = ["integer", "string"]
    if "items" in schema:
        result["items"] = strict(schema["items"])
    if schema.get("type") == "object":
        result["properties"] = {key: strict(value) for key, value in schema.get("properties", {}).items()}
        result["additionalProperties"] = (
            strict(schema["additionalProperties"]) if "additionalProperties" in schema else False
        )
    return result


@cache
def annotations():
    """Return which annotations the API takes, as resource -> names; they stand in its description only."""
    schemas = json.loads((API / "run.v1.json").read_text(encoding="utf-8"))["schemas"]
    text = schemas["ObjectMeta"]["properties"]["annotations"]["description"]
    known = {}
    for name, resources in re.findall(r"\* `([^`]+)`: ([^*]+)", text):
        for resource in re.findall(r"\w+", resources):
            known.setdefault(resource, set()).add(name)
    return known


@pytest.fixture
def manifest(bake):
    """Return a function that gives a file of a variant as the command in its README pipes it to gcloud."""

    def manifest(variant, file):
        folder = bake(**variant)
        readme = (folder / "deploy/cloudrun/README.md").read_text(encoding="utf-8")
        (command,) = re.findall(rf"^(sed .*/{file}) \| gcloud", readme, re.MULTILINE)
        text = subprocess.run(
            ["sh", "-c", command],
            cwd=folder,
            env={"IMAGE": IMAGE},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout
        assert text.count(IMAGE) == 1
        return yaml.safe_load(text)

    return manifest


@pytest.mark.parametrize(("server", "layer"), SHAPES)
def test_files_are_what_google_takes(server, layer, manifest, bake):
    variant = {"server": server, "channel_layer": layer, "database": "postgresql", "deployment": "cloudrun"}
    service, job = manifest(variant, "service.yaml"), manifest(variant, "migrate.yaml")
    validator("run.v1", "Service").validate(service)
    assert not validator("run.v1", "Service").is_valid(service | {"replicas": 1})
    validator("run.v1", "Job").validate(job)
    build = yaml.safe_load((bake(**variant) / "deploy/cloudrun/build.yaml").read_text(encoding="utf-8"))
    validator("cloudbuild.v1", "Build").validate(build)
    for resource, part in (
        ("Service", service),
        ("Revision", service["spec"]["template"]),
        ("Execution", job["spec"]["template"]),
    ):
        assert set(part["metadata"]["annotations"]) <= annotations()[resource]
        assert all(isinstance(value, str) for value in part["metadata"]["annotations"].values())


@pytest.mark.parametrize("variant", each(DEPLOYED))
def test_limits_fit_sockets(variant, manifest):
    service = manifest(variant, "service.yaml")
    revision = service["spec"]["template"]
    assert revision["spec"]["timeoutSeconds"] == 3600
    scale = {name.split("/")[1]: value for name, value in revision["metadata"]["annotations"].items()}
    assert scale["cpu-throttling"] == "false"
    if variant["channel_layer"] == "memory":
        assert scale["maxScale"] == "1"
    else:
        assert int(scale["maxScale"]) > int(scale["minScale"])
        assert scale["sessionAffinity"] == "true"


@pytest.mark.parametrize("variant", each(DEPLOYED))
def test_variables_are_those_of_the_project(variant, manifest, bake):
    example = (bake(**variant) / ".env.example").read_text(encoding="utf-8")
    known = set(re.findall(r"^(?:# )?([A-Z_]+)=", example, re.MULTILINE))
    (web,) = manifest(variant, "service.yaml")["spec"]["template"]["spec"]["containers"]
    (job,) = manifest(variant, "migrate.yaml")["spec"]["template"]["spec"]["template"]["spec"]["containers"]
    for variable in web["env"] + job["env"]:
        assert variable["name"] in known - {"PORT"}  # which Cloud Run sets
    secrets, of_job = (
        {
            variable["name"]: variable["valueFrom"]["secretKeyRef"]["name"]
            for variable in container["env"]
            if "valueFrom" in variable
        }
        for container in (web, job)
    )
    assert of_job == secrets  # any command of manage.py may run in it
    assert set(secrets) == {"SECRET_KEY", "DATABASE_URL", "REDIS_URL"} & known
    readme = (bake(**variant) / "deploy/cloudrun/README.md").read_text(encoding="utf-8")
    created = re.findall(r"gcloud secrets create (\S+)", readme)
    (granted,) = re.findall(r"^for secret in (.+); do$", readme, re.MULTILINE)
    (prefix,) = re.findall(r"gcloud secrets add-iam-policy-binding (\S+)\$secret ", readme)
    assert set(created) == {prefix + secret for secret in granted.split()} == set(secrets.values())


# -- The image, as the files say ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """A folder with a certificate for example.com, which is its own authority."""
    folder = tmp_path_factory.mktemp("certificates")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=example.com"
    extensions = "subjectAltName=DNS:example.com", "keyUsage=digitalSignature,keyCertSign"
    subprocess.run(
        [
            *command.split(),
            *(part for extension in extensions for part in ("-addext", extension)),
            *("-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"),
        ],
        check=True,
        capture_output=True,
    )
    return folder


@pytest.fixture
def at_home(certificates, monkeypatch):
    """Let example.com be this machine, and its certificate be trusted."""
    look_up = socket.getaddrinfo

    def getaddrinfo(host, *arguments, **options):
        return look_up(HOST if host == "example.com" else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates / "fullchain.pem"))


def environment(container, secrets):
    """Return the variables of a container, with the values of its secrets."""
    return {
        variable["name"]: variable["value"] if "value" in variable else secrets[variable["name"]]
        for variable in container["env"]
    }


@pytest.mark.image
@pytest.mark.parametrize("variant", each(DEPLOYED))
async def test_the_image_runs_as_cloud_run_starts_it(
    variant,
    installed,
    image,
    manifest,
    certificates,
    at_home,
    tmp_path,
    note,
):
    project = installed(variant)
    built = image(project)
    (job,) = manifest(variant, "migrate.yaml")["spec"]["template"]["spec"]["template"]["spec"]["containers"]
    project.run(*built.command(*job["command"], *job["args"], **environment(job, project.dotenv())))

    (web,) = manifest(variant, "service.yaml")["spec"]["template"]["spec"]["containers"]
    variables = environment(web, project.dotenv())
    front_ends = ip_network(variables["FORWARDED_ALLOW_IPS"])
    assert {ip_address("169.254.1.1"), ip_address("169.254.169.126")} <= set(front_ends)
    port = free_port()
    variables |= {"PORT": str(port), "FORWARDED_ALLOW_IPS": HOST}  # here the front end is this machine
    with started(built.command(**variables), tmp_path, tmp_path / "log", port) as server:
        async with httpx.AsyncClient(base_url=server.url) as client:
            for probe in (web["startupProbe"], web["livenessProbe"]):
                assert probe["httpGet"]["port"] == web["ports"][0]["containerPort"] == 8080
                assert (await client.get(probe["httpGet"]["path"])).status_code == 200
            assert (await client.get("/", headers={"Host": "example.com"})).status_code == 301
        with nginx(project.folder, upstream([port]), certificates) as front_end:
            url = f"https://example.com:{front_end.tls_port}"
            conversed = await converse(url, variant)
            drained = await drains(server, variant, url=url)
    assert drained < 10  # then Cloud Run kills it
    note("cloudrun", variant, started=server.starting, conversed=conversed, drained=drained)
