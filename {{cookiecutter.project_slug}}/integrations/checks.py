from django.conf import settings
from django.core.checks import Tags, Warning, register


@register(Tags.compatibility)
def keys_are_missing(app_configs, **kwargs):
    """For every command that checks, as `migrate` does: who was chosen and cannot answer."""
    models = getattr(settings, "CHAT_MODELS", {})
    return [
        Warning(
            f"{name.upper()}_API_KEY is not set, so nobody is offered {name}.",
            hint="Set it in the environment or in .env.",
            id="integrations.W001",
        )
        for name, options in models.items()
        if options.get("key") == ""
    ]
