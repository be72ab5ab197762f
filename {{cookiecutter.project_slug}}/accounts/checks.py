from django.conf import settings
from django.core.checks import Tags, Warning, register


@register(Tags.security)
def mail_goes_nowhere(app_configs, **kwargs):
    """For every command that checks, as `migrate` does: in production, mail needs a server."""
    if settings.DEBUG or settings.MAIL["EMAIL_HOST"]:
        return []
    return [
        Warning(
            "EMAIL_URL is not set: mail, with links to a new password in it, goes to the server's output.",
            hint="Set it, for example EMAIL_URL=submission://user:password@mail.example.com:587.",
            id="accounts.W001",
        )
    ]
