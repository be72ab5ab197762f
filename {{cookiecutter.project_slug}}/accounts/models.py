from django.contrib.auth.models import AbstractUser
from django.db import models
#% if cookiecutter.auth != "session"
from django.utils import timezone
#% endif
#%%

class User(AbstractUser):
    class Role(models.TextChoices):
        STUDENT = "student"
        MENTOR = "mentor"
        ADMIN = "admin"

    role = models.CharField(max_length=10, choices=Role, default=Role.STUDENT)
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
