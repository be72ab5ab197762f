"""`/metrics` as Prometheus' own parser reads it."""

import httpx
from prometheus_client.parser import text_string_to_metric_families

TOKEN = "a-token-for-these-tests"
PROOF = {"Authorization": f"Bearer {TOKEN}"}


class Scrape:
    """What a server has answered, over a connection of its own: another worker may answer each time."""

    def __init__(self, server):
        answer = httpx.get(f"{server.url}/metrics", headers=PROOF, timeout=5)
        assert answer.status_code == 200, answer.text
        self.text = answer.text
        self.samples = [sample for family in families(self.text) for sample in family.samples]

    def sum(self, name, **labels):
        """Return the sum of the series of a name that have these labels, too."""
        found = [it for it in self.samples if it.name == name and labels.items() <= it.labels.items()]
        return sum(sample.value for sample in found)


def families(text):
    """Return the metrics in a text; each stands there once, with its samples below it."""
    found = list(text_string_to_metric_families(text))
    assert len({family.name for family in found}) == len(found) == text.count("# TYPE ")
    return found
