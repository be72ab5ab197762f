from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework_simplejwt.views import TokenObtainPairView

from accounts.throttle import wait_of


class TokenView(TokenObtainPairView):
    """Tokens for a name or email address and a password; 429 after too many failures."""

    def post(self, request, *args, **kwargs):
        try:
            return super().post(request, *args, **kwargs)
        except AuthenticationFailed:
            if seconds := wait_of(request):
                raise Throttled(seconds) from None
            raise
