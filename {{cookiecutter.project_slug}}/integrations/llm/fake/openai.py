"""How OpenAI's Responses API speaks."""

from integrations.llm.fake.events import error_answer, event, text_of

BASE = "/v1"
PATH = MATCH = "/v1/responses"
ERRORS = {
    "refused_key": "invalid_api_key",
    "unknown_model": "model_not_found",
    "limited": "rate_limit_exceeded",
}
USAGE = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}


def key(headers):
    return headers.get("Authorization", "").removeprefix("Bearer ")


def refuse(headers, body):
    """Return what is wrong with a request, if anything is."""
    if not key(headers):
        return "no key"
    if not body.get("model") or not body.get("stream") or body.get("max_output_tokens", 16) < 16:
        return "model, stream and max_output_tokens"
    form = body.get("text", {}).get("format", {})
    return "schema" if form.get("type") == "json_schema" and not is_strict(form["schema"]) else None


def is_strict(schema):
    fields = schema.get("properties", {})
    return schema.get("additionalProperties") is False and schema.get("required") == list(fields)


def prompt(body):
    asked = body["input"]
    return asked if isinstance(asked, str) else text_of(asked[-1]["content"])


def problem(status, mode, key):
    code = ERRORS.get(mode, "server_error")
    return error_answer(status, {"message": f"{mode}: {key}", "type": "error", "param": None, "code": code})


def response(status, **more):
    fixed = {"id": "resp_1", "object": "response", "created_at": 1, "model": "fake", "output": []}
    return fixed | {"status": status, "parallel_tool_calls": True, "tool_choice": "auto", "tools": []} | more


def begin():
    created = {"type": "response.created", "sequence_number": 0, "response": response("in_progress")}
    return event(created, "response.created")


def piece(number, text):
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0, "sequence_number": number + 1}
    kind = "response.output_text.delta"
    return event({"type": kind, "delta": text, "logprobs": []} | place, kind)


def end(reason, tokens):
    usage = {"input_tokens": 7, "output_tokens": tokens, "total_tokens": 7 + tokens} | USAGE
    kind, more = "response.completed", {"status": "completed"}
    if reason != "stop":
        details = {"reason": {"length": "max_output_tokens", "refusal": "content_filter"}[reason]}
        kind, more = "response.incomplete", {"status": "incomplete", "incomplete_details": details}
    data = {"type": kind, "sequence_number": tokens + 1, "response": response(usage=usage, **more)}
    return event(data, kind)


def error(mode, key):
    code = "rate_limit_exceeded" if mode == "limited" else "server_error"
    failed = response("failed", error={"code": code, "message": f"{mode}: {key}"})
    return event({"type": "response.failed", "sequence_number": 9, "response": failed}, "response.failed")
