"""How often strangers may try: logins that fail, and forms that send mail or make accounts.

Counted in the cache, in windows of a fixed length that no further attempt makes longer (`THROTTLE` in the
settings). An address may fail a few times at one account, more often at several; an account stands more than
any one address may do to it, and is never closed to an address that its owner has logged in from. When the
cache is away nothing is counted, and logins work.
"""

import logging
import time
from functools import wraps
from hashlib import sha256

from django.conf import settings
from django.contrib.auth.signals import user_login_failed
from django.core.exceptions import PermissionDenied
from django.dispatch import receiver
from django.template.response import TemplateResponse

from accounts.models import User
from realtime.cache import cache
from realtime.limits import network_of

logger = logging.getLogger("accounts")

KNOWN_SECONDS = 90 * 86_400  # for which an address is known to be a user's
PREFIX = "throttle"
AWAY_SECONDS = 10  # for which the cache is not asked again when it has failed

away_until = 0.0  # time.monotonic()


def limited(view):
    """Make a view answer 429 where a limit was reached."""

    @wraps(view)
    def answer(request, *args, **kwargs):
        try:
            response = view(request, *args, **kwargs)
        except PermissionDenied:
            if not wait_of(request):
                raise
        if seconds := wait_of(request):
            context = {"minutes": -(-seconds // 60)}
            headers = {"Retry-After": seconds}
            return TemplateResponse(request, "429.html", context, status=429, headers=headers)
        return response

    return answer


def wait_of(request) -> int:
    """Return for how many seconds a request was refused, 0 if it was not."""
    return getattr(request, "throttled_for", 0)


def take(request, kind: str, value: str | None = None) -> None:
    """Count one more of this kind, by address or another value; PermissionDenied if it is one too many."""
    if count(kind, value or address(request)) > settings.THROTTLE[kind][0]:
        refuse_if(request, left(kind))


def check_login(request, account: str) -> None:
    """Raise PermissionDenied if this client or all clients have failed too often."""
    if request is not None:
        for kind, value in failures(request, account).items():
            seconds = wait(kind, value)
            if kind != "failed_at_account" or (seconds and not read(known(request, account))):
                refuse_if(request, seconds)


def remember(request, account: str) -> None:
    """Let a user in from this address from now on, however often others fail elsewhere."""
    if request is not None and address(request):
        in_cache(cache.set, known(request, account), 1, KNOWN_SECONDS)


def forgive(request, account: str) -> None:
    """Forget how often this address has failed at an account, whose owner has proved to be there."""
    kind = "failed_by_address_at_account"
    if value := failures(request, account)[kind]:
        in_cache(cache.delete, window(kind, value))


@receiver(user_login_failed)
def count_failure(sender, credentials, request=None, **kwargs):
    if request is not None and not wait_of(request):
        for kind, value in failures(request, User.name_of(credentials.get("username") or "")).items():
            count(kind, value)


def failures(request, account: str) -> dict[str, str | None]:
    """Return what a failed login counts as: kinds, each with its value."""
    client, account = address(request), account.casefold()  # addresses are found so, too
    return {
        "failed_by_address": client,
        "failed_by_address_at_account": client and f"{client} {account}",
        "failed_at_account": account,
    }


def refuse_if(request, seconds: int) -> None:
    if seconds:
        request.throttled_for = seconds
        raise PermissionDenied


def address(request) -> str | None:
    """Return the client's address, of IPv6 its network; None if it has none, as with a Unix socket."""
    return network_of(request.META.get("REMOTE_ADDR", ""))


def wait(kind: str, value: str | None) -> int:
    """Return how many seconds it takes until there may be more of this kind, 0 if there may be now."""
    return left(kind) if value and read(window(kind, value)) >= settings.THROTTLE[kind][0] else 0


def left(kind: str) -> int:
    """Return how many seconds of the present window of a limit are left."""
    seconds = settings.THROTTLE[kind][1]
    return seconds - int(time.time()) % seconds


def count(kind: str, value: str | None) -> int:
    """Count one more of this kind; return how many there were in this window, 0 if nobody knows."""
    if not value:
        return 0
    name = window(kind, value)
    in_cache(cache.add, name, 0, settings.THROTTLE[kind][1])
    return in_cache(cache.incr, name) or 0


def read(name: str) -> int:
    return in_cache(cache.get, name) or 0


def known(request, account: str) -> str:
    return key("known", address(request), account.casefold())


def window(kind: str, value: str) -> str:
    """Name the present window of a limit."""
    return key(kind, value, int(time.time()) // settings.THROTTLE[kind][1])


def key(*parts) -> str:
    """Name an entry of the cache, in which no one reads whose it is."""
    return f"{PREFIX}:{sha256(repr(parts).encode()).hexdigest()}"


def in_cache(ask, *arguments):
    """Ask the cache; None when it is away."""
    global away_until
    if time.monotonic() < away_until:
        return None
    try:
        return ask(*arguments)
    except ValueError:  # it has just forgotten what was to be counted
        return None
    except Exception as error:  # each cache has its own
        away_until = time.monotonic() + AWAY_SECONDS
        logger.warning("attempts to log in are not counted now: %r", error)
