from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Upper
#% if cookiecutter.auth != "session"
from django.utils import timezone
#% endif
#%%

class User(AbstractUser):
    class Meta(AbstractUser.Meta):
        constraints = [  # by UPPER, as the lookup iexact compares
            models.UniqueConstraint(
                Upper("email"),
                name="accounts_user_email",
                condition=~models.Q(email=""),
                violation_error_message="A user with that email address already exists.",
            )
        ]

    @classmethod
    def name_of(cls, login):
        """Return the username for a name or an email address; what belongs to nobody stays as it is."""
        if "@" not in login:
            return login
        found = cls.objects.filter(models.Q(username=login) | models.Q(email__iexact=login))
        names = list(found.values_list("username", flat=True))
        return names[0] if names and login not in names else login
#% if cookiecutter.auth != "session"
#%%

class RevokedLogin(models.Model):
    """A login that was ended before its tokens expire, by the `sid` in them."""

    sid = models.CharField(primary_key=True, max_length=32)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self):
        return self.sid

    @classmethod
    def add(cls, sid, lifetime):
        """Keep a login's `sid` for as long as a token of it may last; forget those that are over."""
        now = timezone.now()
        cls.objects.filter(expires_at__lt=now).delete()
        cls.objects.get_or_create(sid=sid, defaults={"expires_at": now + lifetime})
#% endif
