"""Close codes: registered ones (RFC 6455, section 11.7), and 4000 + the HTTP status of the same meaning.

Some servers send only 1000 and 3000 to 4999: with `PRIVATE_CLOSE_CODES` the 1000s stand as 4000s here.
"""

from django.conf import settings

SHIFT = 3000 if settings.REALTIME["PRIVATE_CLOSE_CODES"] else 0

TOO_BIG = 1009 + SHIFT  # of a frame within the server's own limit, which answers 1009
SERVICE_RESTART = 1012 + SHIFT
TRY_AGAIN_LATER = 1013 + SHIFT
NOT_AUTHENTICATED = 4401
NOT_ALLOWED = 4403
NOT_FOUND = 4404
ENDED_BY_STAFF = 4410
NOT_SHARED = 4421
TOO_MANY = 4429

# What they mean, and what a client should do; for the AsyncAPI document.
CLOSE_CODES = {
    TOO_BIG: ("frame too big", "not send it again"),
    SERVICE_RESTART: (
        "the server restarts, or events may have been lost on their way",
        "come back, after the `reconnect` frame's delay",
    ),
    TRY_AGAIN_LATER: (
        "the server cannot serve this socket now, or the client did not read what was sent",
        "come back after 5 s or more",
    ),
    NOT_AUTHENTICATED: ("not, or no longer, authenticated", "log in, then come back"),
    NOT_ALLOWED: ("not allowed here", "stay away"),
    NOT_FOUND: ("no such thing", "stay away"),
    ENDED_BY_STAFF: ("the staff has ended this connection", "stay away until a person asks for it"),
    NOT_SHARED: (
        "what sends and takes such frames cannot be a topic of `/ws/`",
        "open a socket of its own",
    ),
    TOO_MANY: (
        "went on sending after `rate_limited`, or has too many sockets open",
        "come back after 5 s or more, and do less",
    ),
}

# The codes of `error` frames, after which the socket stays open. Consumers may have more of their own.
ERRORS = {
    "invalid_json": "the text is not JSON",
    "invalid_message": "a field is missing or of the wrong type; `detail` says which",
    "unknown_type": "this socket does not take such frames; `detail` names those it takes",
    "unsupported_data": "the message was binary",
    "rate_limited": "too many frames or bytes; this one was not carried out",
    "not_allowed": "the frame was understood and refused",
    "not_found": "what the frame is about does not exist",
    "already_subscribed": "`/ws/` has this topic",
    "not_subscribed": "`/ws/` has no such topic",
    "too_many_topics": "`/ws/` has as many topics as it may",
    "internal_error": "the server failed; its log says how",
}
