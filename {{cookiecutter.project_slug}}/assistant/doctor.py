"""What `manage.py test_websocket` asks of the assistant: whether an answer streams, by the echo."""

import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from assistant.models import ChatSession
from realtime.doctor import Doctor, log_in
from realtime.doctor_client import SECONDS, Problem, Site


def site_checks(doctor: Doctor, **options: Any) -> dict[str, Callable[[], str]]:
    return {"assistant": partial(answer, doctor)}


def answer(doctor: Doctor) -> str:
    """Have the echo answer in a session that is removed afterwards."""
    site, session = doctor.site, ChatSession.objects.create(owner=doctor.user, title="Doctor")
    try:
        guest = Site(site.url)
        guest.open(f"/ws/chat/session/{session.pk}/", site.origin(site.secure), log_in(doctor.user))
        with guest.socket:
            start = time.monotonic()
            prompt = {"type": "chat_message", "message": "Does an answer stream?", "providers": ["echo"]}
            guest.socket.send(json.dumps(prompt))
            try:
                guest.receive("message_delta")
                first = time.monotonic()
                reason = guest.receive("message_finished")["reason"]
            except TimeoutError:
                cure = "`event from here` above says whether events travel at all, the server's log more."
                raise Problem(f"no answer came within {SECONDS} s. {cure}") from None
    finally:
        session.delete()
    if reason != "stop":
        raise Problem(f"the answer ended with {reason}. The server's log says why.")
    return f"ok, the first word came after {(first - start) * 1000:.0f} ms"
