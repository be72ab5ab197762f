"""How submissions are judged, and who looks for problems and solves them."""

import re

from marshmallow.validate import Length, OneOf, Range

from config.environment import env, read

__all__ = [
    "JUDGE_QUEUED",
    "JUDGE_SANDBOX",
    "PROBLEMS_ALLOWED_HOSTS",
    "PROBLEMS_EXTRACTOR",
    "PROBLEMS_SOLVER",
]


def hosts(name, **options):
    """Read names such as example.com, of hosts; an address in the own network has its port, 10.0.0.7:8000."""
    found = env.list(name, **options)
    if not all(re.fullmatch(r"[a-z0-9.-]+(:[0-9]{1,5})?", host) for host in found):
        raise ValueError(name)
    return found


JUDGE_SANDBOX = read(
    env.str,
    "JUDGE_SANDBOX",
    "bwrap, or, with DEBUG, none; for example JUDGE_SANDBOX=bwrap",
    default="bwrap",
    validate=OneOf(["bwrap", "none"]),
)
JUDGE_QUEUED = read(
    env.int,
    "JUDGE_QUEUED",
    "how many submissions of a user may wait to be judged, for example JUDGE_QUEUED=5",
    default=5,
    validate=Range(1),
)
PROBLEMS_ALLOWED_HOSTS = read(
    hosts,
    "PROBLEMS_ALLOWED_HOSTS",
    "hosts whose pages have problems, for example PROBLEMS_ALLOWED_HOSTS=problems.example.com",
    default=[],
)
# Names of chat models that fill in forms, of those in CHAT_MODELS.
PROBLEMS_EXTRACTOR = read(
    env.str,
    "PROBLEMS_EXTRACTOR",
    "the name of a chat model, for example PROBLEMS_EXTRACTOR=gemini",
    default="gemini",
    validate=Length(1),
)
PROBLEMS_SOLVER = read(
    env.str,
    "PROBLEMS_SOLVER",
    "the name of a chat model, for example PROBLEMS_SOLVER=openai",
    default="openai",
    validate=Length(1),
)
