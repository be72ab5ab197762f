"""Tokens that end with the login which they came from, as a session does.

The first refresh token of a login gets a claim `sid`, which simplejwt copies into every token that is derived
from it. Logging out revokes the `sid`, and so the access tokens that are still about.
"""

from django.db import transaction
from rest_framework.serializers import CharField
from rest_framework_simplejwt import serializers, tokens
from rest_framework_simplejwt.exceptions import InvalidToken, TokenError
from rest_framework_simplejwt.settings import api_settings

from accounts.models import RevokedLogin, User
from accounts.signals import kick_after_commit


class EndsWithLogin:
    """A token whose login has not been ended."""

    def verify(self):
        super().verify()
        if "sid" in self and RevokedLogin.objects.filter(sid=self["sid"]).exists():
            raise TokenError("The login has ended")


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
