"""Tokens that end with the login which they came from, as a session does.

The first refresh token of a login gets a claim `sid`, which simplejwt copies into every token that is derived
from it. Logging out revokes the `sid`, and so the access tokens that are still about.
"""

from contextvars import ContextVar

from django.db import transaction
from rest_framework.serializers import CharField
from rest_framework_simplejwt import serializers, tokens
from rest_framework_simplejwt.exceptions import InvalidToken, TokenError
from rest_framework_simplejwt.settings import api_settings

from accounts.models import RevokedLogin, User
from accounts.signals import kick_after_commit

_together = ContextVar("_together", default=False)  # whether `verify_many` looks up the logins


class EndsWithLogin:
    """A token whose login has not been ended."""

    def verify(self):
        super().verify()
        if not _together.get() and self.get("sid") in ended_logins([self]):
            raise TokenError("The login has ended")

    @classmethod
    def verify_many(cls, given):
        """Return the tokens that hold, and None for each other, with one query for all logins."""
        reset = _together.set(True)
        try:
            found = [cls._if_valid(each) for each in given]
        finally:
            _together.reset(reset)
        ended = ended_logins([token for token in found if token])
        return [None if token and token.get("sid") in ended else token for token in found]

    @classmethod
    def _if_valid(cls, given):
        try:
            return cls(given.encode())
        except TokenError:
            return None


def ended_logins(tokens):
    """The `sid` of each login of these tokens that has ended."""
    sids = {token["sid"] for token in tokens if "sid" in token}
    return set(RevokedLogin.objects.filter(sid__in=sids).values_list("sid", flat=True))


class AccessToken(EndsWithLogin, tokens.AccessToken):
    pass


class RefreshToken(EndsWithLogin, tokens.RefreshToken):  # type: ignore[misc]
    access_token_class = AccessToken

    def __init__(self, token=None, verify=True):
        super().__init__(token, verify)
        if token is None:
            self["sid"] = self["jti"]


class LoginSerializer(serializers.TokenObtainPairSerializer):
    token_class = RefreshToken
    access = CharField(read_only=True)
    refresh = CharField(read_only=True)


class RefreshSerializer(serializers.TokenRefreshSerializer):
    token_class = RefreshToken
    refresh = CharField(write_only=not api_settings.ROTATE_REFRESH_TOKENS)

    def validate(self, attrs):
        try:
            return super().validate(attrs)
        except User.DoesNotExist:
            raise InvalidToken("The user was deleted") from None


class LogoutSerializer(serializers.TokenBlacklistSerializer):
    """Ends the login of a refresh token: all its tokens, and the user's open sockets."""

    token_class = RefreshToken

    @transaction.atomic
    def validate(self, attrs):
        refresh = self.token_class(attrs["refresh"])
        blacklisted, _ = refresh.blacklist()
        RevokedLogin.add(refresh.get("sid", refresh["jti"]), self.token_class.lifetime)
        kick_after_commit(blacklisted.token.user_id, "You have logged out")
        return {}
