from django.conf import settings
from django.core.checks import Tags, Warning, register

NO_SERVER = Warning(
    "EMAIL_URL is not set: mail, with links to a new password in it, goes to the server's output.",
    hint="Set it, for example EMAIL_URL=submission://user:password@mail.example.com:587.",
    id="accounts.W001",
)
NO_SENDER = Warning(
    "Mail comes from an address at example.com, which mail servers refuse.",
    hint="Set DEFAULT_FROM_EMAIL to an address of yours.",
    id="accounts.W002",
)

LOADTEST = Warning(
    "LOADTEST_TOKEN is set: whoever knows it can log in as one of the users for load tests.",
    hint="When the test is over, run `manage.py loadtest_users 0` and unset LOADTEST_TOKEN.",
    id="accounts.W003",
)


@register(Tags.security)
def mail_goes_nowhere(app_configs, **kwargs):
    """For every command that checks, as `migrate` does: in production, mail needs a server and a sender."""
    if settings.DEBUG:
        return []
    if not settings.MAIL["EMAIL_HOST"]:
        return [NO_SERVER]
    return [NO_SENDER] if settings.DEFAULT_FROM_EMAIL.endswith("@example.com") else []


@register(Tags.security, deploy=True)
def load_is_welcome(app_configs, **kwargs):
    return [LOADTEST] if settings.LOADTEST_TOKEN else []
