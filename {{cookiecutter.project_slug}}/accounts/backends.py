"""Who logs in: by name or email address, in the pages, the admin and the API alike."""

from asgiref.sync import sync_to_async
from django.contrib.auth.backends import ModelBackend
from django.views.decorators.debug import sensitive_variables

from accounts import throttle
from accounts.models import User


class NameOrEmailBackend(ModelBackend):
    """Django's, which takes as long for a user who does not exist. Whoever failed too often is refused."""

    @sensitive_variables("password")
    def authenticate(self, request, username=None, password=None, **kwargs):
        if username is None or password is None:
            return None
        name = User.name_of(username)
        throttle.check_login(request, name)
        user = super().authenticate(request, name, password)
        # Others may have failed while this password was hashed; a wrong one must not be answered otherwise.
        throttle.check_login(request, name)
        if user is not None:
            throttle.remember(request, name)
        return user

    async def aauthenticate(self, request, **credentials):
        return await sync_to_async(self.authenticate)(request, **credentials)
