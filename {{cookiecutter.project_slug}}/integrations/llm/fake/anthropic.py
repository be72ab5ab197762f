"""How Anthropic's Messages API speaks."""

from integrations.llm.fake.events import error_answer, event, text_of

BASE = ""
PATH = MATCH = "/v1/messages"
ERRORS = {
    "refused_key": "authentication_error",
    "unknown_model": "not_found_error",
    "limited": "rate_limit_error",
    "overloaded": "overloaded_error",
}


def key(headers):
    return headers.get("x-api-key") or headers.get("Authorization", "").removeprefix("Bearer ")


def refuse(headers, body):
    """Return what is wrong with a request, if anything is."""
    if not key(headers):
        return "no key"
    if headers.get("anthropic-version") != "2026-10-21":
        return "anthropic-version"
    if not body.get("model") or not body.get("stream") or not body.get("max_tokens"):
        return "model, stream and max_tokens"
    return next((name for name in ("temperature", "top_p", "top_k") if name in body), None)


def prompt(body):
    return text_of(body["messages"][-1]["content"])


def problem(status, mode, key):
    return error_answer(status, {"type": ERRORS.get(mode, "api_error"), "message": f"{mode}: {key}"})


def begin():
    usage = {"input_tokens": 7, "output_tokens": 1}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "content": [], "model": "fake"}
    message |= {"stop_reason": None, "stop_sequence": None, "usage": usage}
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    return (
        event({"type": "message_start", "message": message}, "message_start")
        + event(block, "content_block_start")
        + event({"type": "ping"}, "ping")
    )


def piece(number, text):
    delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}
    return event(delta, "content_block_delta")


def end(reason, tokens):
    reasons = {"stop": "end_turn", "length": "max_tokens", "refusal": "refusal"}
    delta = {"delta": {"stop_reason": reasons[reason], "stop_sequence": None}}
    usage = {"usage": {"output_tokens": tokens}}
    return (
        event({"type": "content_block_stop", "index": 0}, "content_block_stop")
        + event({"type": "message_delta"} | delta | usage, "message_delta")
        + event({"type": "message_stop"}, "message_stop")
    )


def error(mode, key):
    kind = "rate_limit_error" if mode == "limited" else "overloaded_error"
    return event({"type": "error", "error": {"type": kind, "message": f"{mode}: {key}"}}, "error")
