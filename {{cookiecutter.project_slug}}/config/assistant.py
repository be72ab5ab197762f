"""What a user may ask of the assistant."""

from marshmallow.validate import Range

from config.environment import env, read

__all__ = ["ASSISTANT"]


def number(name, default, what):
    example = f"a number of {what}, 1 or more, for example {name}={default}"
    return read(env.int, name, example, default=default, validate=Range(1))


ASSISTANT = {
    "CONCURRENT": number("ASSISTANT_CONCURRENT", 3, "answers that are written for a user at a time"),
    "PROMPT_CHARS": number("ASSISTANT_PROMPT_CHARS", 8000, "characters that a prompt may have"),
    "HISTORY_CHARS": number("ASSISTANT_HISTORY_CHARS", 32_000, "characters of what was said before it"),
    "MAX_TOKENS": number("ASSISTANT_MAX_TOKENS", 2048, "tokens that an answer may have"),
    "SECONDS": number("ASSISTANT_SECONDS", 300, "seconds that an answer may take"),
    "HEARTBEAT_SECONDS": 5,  # between two signs of life of a process that writes answers
    "LOST_SECONDS": 15,  # without one, after which its answers are interrupted
}
