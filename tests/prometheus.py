"""A Prometheus, from the PATH, that scrapes servers as a project's own configuration says."""

import json
import re
import subprocess
from contextlib import contextmanager
from functools import partial
from itertools import chain

import httpx
import yaml

from polling import until_served
from services import HOST, free_port

STARTS_WITHIN = 20


def check(*command, cwd, **options):
    """Run promtool, which must find nothing to complain about."""
    done = subprocess.run(["promtool", *command], cwd=cwd, capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stderr, done.stderr


class Prometheus:
    def __init__(self, client):
        self.client = client

    def get(self, path, **query):
        answer = self.client.get(f"/api/v1/{path}", params=query).json()
        assert answer["status"] == "success", f"{query}: {answer}"
        return answer["data"]

    def errors(self):
        """Return what was wrong with the last scrape of each target; "" for nothing."""
        targets = self.get("targets")["activeTargets"]
        return [target["lastError"] for target in targets if target["health"] != "unknown"]

    def names(self):
        """Return the names of all metrics."""
        return set(self.get("label/__name__/values"))

    def has(self, expression):
        return bool(self.get("query", query=expression)["result"])


@contextmanager
def watching(server, monitoring, token, folder):
    """Run it with the configuration in a project's deploy/monitoring, but for target, token and patience."""
    config = yaml.safe_load((monitoring / "prometheus.yml").read_text(encoding="utf-8"))
    config["global"] = {"evaluation_interval": "1s"}
    config["rule_files"] = [str(monitoring / name) for name in config["rule_files"]]
    (job,) = config["scrape_configs"]
    job |= {"scrape_interval": "1s", "static_configs": [{"targets": [f"{HOST}:{server.port}"]}]}
    (folder / job["authorization"]["credentials_file"]).write_text(token, encoding="ascii")
    (folder / "prometheus.yml").write_text(json.dumps(config), encoding="utf-8")
    check("check", "config", "prometheus.yml", cwd=folder)
    address, log = f"{HOST}:{free_port()}", folder / "log"
    options = {"config.file": "prometheus.yml", "web.listen-address": address, "storage.tsdb.path": "data"}
    command = ["prometheus", *(f"--{name}={value}" for name, value in options.items())]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output)
    try:
        with httpx.Client(base_url=f"http://{address}", timeout=10) as client:
            ready = partial(client.get, "/-/ready")
            until_served(lambda: ready().status_code == 200, STARTS_WITHIN, process, log.read_text)
            yield Prometheus(client)
    finally:
        process.kill()
        process.wait()


def expressions(dashboard):
    """Return what a dashboard asks, as Prometheus is asked it by Grafana."""
    targets = chain.from_iterable(panel.get("targets", ()) for panel in dashboard["panels"])
    return [target["expr"].replace("$instance", ".*").replace("$__rate_interval", "1m") for target in targets]


def metrics_in(text):
    """Return the names of metrics in expressions."""
    return set(re.findall(r"\b(?:realtime|event_loop|http|process)_[a-z_]+\b", text))
