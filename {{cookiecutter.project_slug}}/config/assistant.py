"""What a user may ask of the assistant."""

from marshmallow.validate import Range

from config.environment import env, read

__all__ = ["ASSISTANT"]

ASSISTANT = {
    "CONCURRENT": read(
        env.int,
        "ASSISTANT_CONCURRENT",
        "a number of answers that are written for a user at a time, for example ASSISTANT_CONCURRENT=3",
        default=3,
        validate=Range(1),
    ),
    "PROMPT_CHARS": read(
        env.int,
        "ASSISTANT_PROMPT_CHARS",
        "a number of characters that a prompt may have, for example ASSISTANT_PROMPT_CHARS=8000",
        default=8000,
        validate=Range(1),
    ),
    "HISTORY_CHARS": read(
        env.int,
        "ASSISTANT_HISTORY_CHARS",
        "how many characters a model is told of what was before, for example ASSISTANT_HISTORY_CHARS=32000",
        default=32_000,
        validate=Range(0),
    ),
    "MAX_TOKENS": read(
        env.int,
        "ASSISTANT_MAX_TOKENS",
        "a number of tokens that an answer may have, for example ASSISTANT_MAX_TOKENS=2048",
        default=2048,
        validate=Range(1),
    ),
    "SECONDS": read(
        env.int,
        "ASSISTANT_SECONDS",
        "a number of seconds that an answer may take, for example ASSISTANT_SECONDS=300",
        default=300,
        validate=Range(1),
    ),
    "HEARTBEAT_SECONDS": 5,  # between two signs of life of a process that writes answers
    "LOST_SECONDS": 15,  # without one, after which its answers are interrupted
}
