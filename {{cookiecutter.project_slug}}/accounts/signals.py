"""Whoever may no longer come in is put out: the user's open sockets are closed, in all processes."""

from functools import partial

from django.contrib.auth.signals import user_logged_out
from django.db import transaction
from django.db.models.signals import post_delete, post_save, pre_save
from django.dispatch import receiver
#% if cookiecutter.auth != "session"
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken
#% endif
#%%
from accounts.models import User
from realtime.publish import kick


def kick_after_commit(user_id: int, reason: str) -> None:
    transaction.on_commit(partial(kick, user_id, reason))


@receiver(pre_save, sender=User)
def remember(sender, instance, update_fields, **kwargs):
    """Look at the row as it was, unless neither the password nor the right to log in can change."""
    instance._before = None
    if instance.pk and (update_fields is None or {"password", "is_active"} & set(update_fields)):
        instance._before = User.objects.filter(pk=instance.pk).values("password", "is_active").first()


@receiver(post_save, sender=User)
def changed(sender, instance, **kwargs):
    before = instance._before
    if before is None:
        return
    if before["is_active"] and not instance.is_active:
        kick_after_commit(instance.pk, "Your account is no longer active")
    elif before["password"] != instance.password:
        kick_after_commit(instance.pk, "Your password was changed")


@receiver(post_delete, sender=User)
def deleted(sender, instance, **kwargs):
    kick_after_commit(instance.pk, "Your account was deleted")


@receiver(user_logged_out)
def logged_out(sender, request, user, **kwargs):
    if user is not None:
        request.session.flush()  # Django does so after this signal: too late for who reconnects at once
        kick_after_commit(user.pk, "You have logged out")
#% if cookiecutter.auth != "session"
#%%

@receiver(post_save, sender=BlacklistedToken)
def token_revoked(sender, instance, created, **kwargs):
    if created:
        kick_after_commit(instance.token.user_id, "You have logged out")
#% endif
