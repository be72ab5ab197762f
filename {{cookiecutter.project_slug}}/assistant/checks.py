from django.conf import settings
from django.core.checks import Tags, Warning, register

BYTES = 4  # that a character may take
BESIDE = 500  # bytes of a frame beside the prompt in it


@register(Tags.compatibility)
def prompts_fit_into_frames(app_configs, **kwargs):
    """For every command that checks, as `migrate` does: a socket is closed over a frame that is too big."""
    chars, most = settings.ASSISTANT["PROMPT_CHARS"], settings.REALTIME["MAX_MESSAGE_BYTES"]
    needed = chars * BYTES + BESIDE
    if needed <= most:
        return []
    return [
        Warning(
            f"A prompt may have {chars} characters, and not each one fits into a frame of {most} bytes.",
            hint=f"Set WS_MAX_MESSAGE_BYTES to {needed}, or ASSISTANT_PROMPT_CHARS to less.",
            id="assistant.W001",
        )
    ]
