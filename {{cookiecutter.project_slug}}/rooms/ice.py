"""How the browsers in a call find a way to each other: the STUN and TURN servers of this site."""

import base64
import hashlib
import hmac
import time

from django.conf import settings

from rooms.frames import IceServer

LIFETIME = 3600  # seconds in which a call may begin; one that runs goes on


def ice_servers(user_id: int) -> list[IceServer]:
    """Return what `RTCPeerConnection` takes, for the TURN servers with a user's name and password.

    As coturn has it with `use-auth-secret`: the name says until when it holds, the password signs the name
    (https://datatracker.ietf.org/doc/html/draft-uberti-behave-turn-rest-00).
    """
    username = f"{int(time.time()) + LIFETIME}:{user_id}"
    signature = hmac.digest(settings.TURN_SECRET.encode(), username.encode(), hashlib.sha1)
    credential = base64.b64encode(signature).decode()
    return [
        {"urls": url, "username": username, "credential": credential}
        if url.startswith("turn")
        else {"urls": url}
        for url in settings.ICE_SERVERS
    ]
