from django.conf import settings
from django.core.checks import Error, Tags, Warning, register

from problems import sandbox


@register(Tags.security)
def programs_can_be_judged(app_configs, **kwargs):
    """For every command that checks, as `migrate` does: whether programs can be judged, and safely."""
    if not (problem := sandbox.why_not()):
        return []
    if settings.JUDGE_SANDBOX == "none":
        return [Error(problem, hint="Set JUDGE_SANDBOX=bwrap.", id="problems.E001")]
    hint = "It is no matter where no submissions are judged."
    return [Warning(problem, hint=hint, id="problems.W001")]
