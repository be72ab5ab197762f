"""Users who log out, or may no longer log in, are disconnected: their sockets close, in all processes."""

from functools import partial

from django.conf import settings
from django.contrib.auth.signals import user_logged_out
from django.db import transaction
from django.db.models.signals import post_delete, post_save, pre_save
from django.dispatch import receiver

from accounts.models import User
from realtime.publish import kick

LOGIN_FIELDS = settings.REALTIME["LOGIN_FIELDS"]


def kick_after_commit(user_id: int, reason: str) -> None:
    transaction.on_commit(partial(kick, user_id, reason))


@receiver(pre_save, sender=User)
def remember(sender, instance, update_fields, **kwargs):
    """Look at the row as it was, if what a login rests on can change."""
    fields = [field for field in LOGIN_FIELDS if update_fields is None or field in update_fields]
    instance._before = None
    if fields and not instance._state.adding:
        instance._before = User.objects.filter(pk=instance.pk).values(*fields).first()


@receiver(post_save, sender=User)
def changed(sender, instance, **kwargs):
    before = instance._before or {}
    changed = [field for field, value in before.items() if getattr(instance, field) != value]
    if "is_active" in changed:
        if not instance.is_active:
            kick_after_commit(instance.pk, "Your account is no longer active")
    elif changed:
        kick_after_commit(instance.pk, f"Your {User._meta.get_field(changed[0]).verbose_name} was changed")


@receiver(post_delete, sender=User)
def deleted(sender, instance, **kwargs):
    kick_after_commit(instance.pk, "Your account was deleted")


@receiver(user_logged_out)
def logged_out(sender, request, user, **kwargs):
    if user is not None:
        request.session.flush()  # Django does so after this signal: too late for who reconnects at once
        kick_after_commit(user.pk, "You have logged out")
