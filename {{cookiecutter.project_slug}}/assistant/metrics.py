"""What this process has asked of models, for `/metrics`."""

from collections import Counter
from typing import Any

from monitoring.figures import Figures, Metric, histogram, label, labelled
from realtime.stats import Histogram

SECONDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

METRICS = {
    "llm_requests_total": Metric("counter", "Answers that models were asked for, by how they ended."),
    "llm_first_token_seconds": Metric("histogram", "Until the first word of an answer came."),
    "llm_tokens_total": Metric("counter", "Tokens that models have read and written, as they say."),
}

_requests: Counter[tuple[str, str]] = Counter()
_tokens: Counter[tuple[str, str]] = Counter()
_first: dict[str, Histogram] = {}


def count(provider: str, outcome: dict[str, Any], first_ms: int | None) -> None:
    """Count an answer that has ended."""
    _requests[provider, outcome.get("error") or str(outcome["reason"])] += 1
    for direction in ("input", "output"):
        _tokens[provider, direction] += outcome.get(f"{direction}_tokens", 0)
    if first_ms is not None:
        _first.setdefault(provider, Histogram(SECONDS)).observe(first_ms / 1000)


def figures() -> Figures:
    first = [histogram(times, label("provider", name)) for name, times in _first.items()]
    return {
        "llm_requests_total": labelled(("provider", "outcome"), _requests),
        "llm_first_token_seconds": {key: value for each in first for key, value in each.items()},
        "llm_tokens_total": labelled(("provider", "direction"), _tokens),
    }
