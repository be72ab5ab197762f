from django.conf import settings
from django.core.checks import Error, Tags, Warning, register

from problems import sandbox

HINT = "It does not matter where no submissions are judged."


@register(Tags.security)
def programs_can_be_judged(app_configs, **kwargs):
    """For every command that checks, as `migrate` does: whether programs can be judged, and safely."""
    if not (problem := sandbox.why_not()):
        return []
    if settings.JUDGE_SANDBOX == "none":
        return [Error(problem, hint="Set JUDGE_SANDBOX=bwrap.", id="problems.E001")]
    return [Warning(problem, hint=HINT, id="problems.W001")]


@register(Tags.security, deploy=True)
def a_program_runs(app_configs, **kwargs):
    """For `manage.py check --deploy`, where programs are judged: whether a sandbox can be made."""
    if sandbox.why_not():
        return []  # which is said above
    try:
        sandbox.check()
    except sandbox.Unavailable as error:
        return [Warning(str(error), hint=HINT, id="problems.W002")]
    return []
