"""Load tests: whether this site agrees to one, and which users it has for that.

`make loadtest` signs its question with LOADTEST_TOKEN, and this site its answer. Neither sends the token, and
a site that has none, or another one, is never put under load. Both sign the host that is asked, so no other
host can pass the question on to a site that does agree.
"""

from django.conf import settings
from django.core import signing
from django.http import Http404, HttpResponse, JsonResponse
from django.utils.crypto import salted_hmac
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from accounts.models import User

GROUP = "load test"  # of the users that `manage.py loadtest_users` has made
HOLDS = 60  # seconds, from when a question is signed


def sign(what: dict, kind: str, token: str) -> str:
    return signing.dumps(what, key=token, salt=f"loadtest {kind}")


def read(signed: str, kind: str, token: str) -> dict:
    """Return what was signed; raise BadSignature if not with this token, SignatureExpired if long ago."""
    return signing.loads(signed, key=token, salt=f"loadtest {kind}", max_age=HOLDS, fallback_keys=[])


def name_of(number: int) -> str:
    return f"loadtest-{number}"


def password_of(name: str, token: str) -> str:
    """Return the password of a user, which whoever knows the token can work out."""
    return salted_hmac("loadtest password", name, secret=token, algorithm="sha256").hexdigest()


@csrf_exempt
@never_cache
def challenge(request):
    """Answer a load test with the proof that it is wanted here, and with what it has to know of this site."""
    token = settings.LOADTEST_TOKEN
    if not token or request.method != "POST":
        raise Http404
    try:
        asked = read(request.body.decode(errors="replace"), "question", token)
    except signing.SignatureExpired:
        return refuse(f"its clock and yours differ by more than {HOLDS} s")
    except signing.BadSignature:
        return refuse("it has another LOADTEST_TOKEN")
    if asked["host"] != request.get_host():
        return refuse(f"a proxy asks it for {request.get_host()}, and has to pass on the Host header")
    return HttpResponse(sign(asked | facts(), "answer", token), content_type="text/plain")


def refuse(detail: str) -> JsonResponse:
    return JsonResponse({"detail": detail}, status=403)


def facts() -> dict:
    limits = settings.REALTIME
    return {
        "users": User.objects.filter(groups__name=GROUP, is_active=True).count(),
        "sockets_per_user": limits["MAX_SOCKETS_PER_USER"],
        "rate": limits["RATE"],
        "user_rate": limits["USER_RATE"],
        "heartbeat": limits["HEARTBEAT"],
    }
