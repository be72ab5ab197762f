"""How the browsers in a call find a way to each other."""

import re

from config.environment import env, read


def ice_servers(name, **options):
    """Read addresses such as stun:stun.example.com:3478, of STUN and TURN servers (RFC 7064, RFC 7065)."""
    found = env.list(name, **options)
    address = r"(stuns?:[\w.:\[\]-]+|turns?:[\w.:\[\]-]+(\?transport=(udp|tcp))?)"
    if not all(re.fullmatch(address, server, re.ASCII) for server in found):
        raise ValueError(name)
    return found


def turn_secret(name, **options):
    """Read the secret that goes with TURN servers; there may be none without these."""
    found = env.str(name, **options)
    if len(found) < 32 and (found or any(server.startswith("turn") for server in ICE_SERVERS)):
        raise ValueError(name)
    return found


ICE_SERVERS = read(
    ice_servers,
    "ICE_SERVERS",
    "addresses of STUN and TURN servers, for example ICE_SERVERS=stun:turn.example.com,turn:turn.example.com",
    default=[],
)
# coturn's static-auth-secret: users get names and passwords that it signs, for an hour each.
TURN_SECRET = read(
    turn_secret,
    "TURN_SECRET",
    "the secret of the TURN servers, 32 or more random characters, for example from `openssl rand -hex 32`",
    default="",
)
