"""How Google's Gemini API speaks."""

from integrations.llm.fake.events import error_answer, event, text_of

BASE = "/v1"
PATH = "/v1/models/{model}:streamGenerateContent"
MATCH = "/v1/models/"
ERRORS = {"unknown_model": "NOT_FOUND", "limited": "RESOURCE_EXHAUSTED", "unavailable": "UNAVAILABLE"}


def key(headers):
    return headers.get("x-goog-api-key", "")


def refuse(headers, body):
    """Return what is wrong with a request, if anything is."""
    if not key(headers):
        return "no key"
    return None if body.get("contents") else "contents"


def prompt(body):
    return text_of(body["contents"][-1]["parts"])


def problem(status, mode, key):
    error = {"code": status, "message": f"{mode}: {key}", "status": ERRORS.get(mode, "INTERNAL")}
    if mode == "refused_key":  # which is a bad request to it
        status, details = (
            400,
            {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"},
        )
        error |= {"code": 400, "status": "INVALID_ARGUMENT", "details": [details]}
    return error_answer(status, error)


def chunk(text, tokens, **more):
    usage = {"promptTokenCount": 7, "candidatesTokenCount": tokens, "totalTokenCount": 7 + tokens}
    candidate = {"content": {"role": "model", "parts": [{"text": text}]}, "index": 0} | more
    return event({"candidates": [candidate], "usageMetadata": usage, "modelVersion": "fake"})


def begin():
    return b""


def piece(number, text):
    return chunk(text, number + 1)


def end(reason, tokens):
    reasons = {"stop": "STOP", "length": "MAX_TOKENS", "refusal": "SAFETY"}
    return chunk("", tokens, finishReason=reasons[reason])


def error(mode, key):
    status = "RESOURCE_EXHAUSTED" if mode == "limited" else "UNAVAILABLE"
    return event({"error": {"code": 503, "message": f"{mode}: {key}", "status": status}})
