from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


def lost_since():
    """The moment, by the clock of the database, since which a process that writes answers was to be heard."""
    return Now() - timedelta(seconds=settings.ASSISTANT["LOST_SECONDS"])


class ChatSession(models.Model):
    """A conversation of one user, in which one or several models answer each prompt."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="chat_sessions")
    title = models.CharField(max_length=100, blank=True, help_text="By default how the first prompt begins.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-pk",)

    def __str__(self):
        return self.title or f"Session {self.pk}"

    @property
    def group(self) -> str:
        """Where what is said here is published."""
        return f"chat.session.{self.pk}"


class ChatMessageQuerySet(models.QuerySet["ChatMessage"]):
    def streaming(self):
        return self.filter(state=ChatMessage.State.STREAMING)

    def live(self):
        """Those that a process writes on."""
        return self.streaming().filter(heartbeat_at__gte=lost_since())

    def lost(self):
        """Those that a process wrote on which was killed."""
        return self.streaming().filter(heartbeat_at__lt=lost_since())


class ChatMessage(models.Model):
    """A prompt of the user, or the answer of a model to one."""

    class Role(models.TextChoices):
        USER = "user"
        ASSISTANT = "assistant"

    class State(models.TextChoices):
        STREAMING = "streaming"
        FINISHED = "finished"

    class Reason(models.TextChoices):
        STOP = "stop"  # the model has said all
        LENGTH = "length"  # or as much as it may
        REFUSED = "refused"  # or nothing that it may say
        STOPPED = "stopped"  # by the user
        INTERRUPTED = "interrupted"  # the process ended that wrote it
        ERROR = "error"

    after: int  # of a prompt the id of the one before it in the session; `store_prompt` says

    session = models.ForeignKey(ChatSession, models.CASCADE, related_name="messages")
    role = models.CharField(max_length=9, choices=Role)
    prompt = models.ForeignKey(
        "self", models.CASCADE, null=True, blank=True, related_name="answers", help_text="What this answers."
    )
    provider = models.CharField(max_length=50, blank=True)
    model = models.CharField(max_length=100, blank=True)
    text = models.TextField(blank=True)
    state = models.CharField(max_length=9, choices=State, default=State.FINISHED)
    reason = models.CharField(max_length=11, choices=Reason, blank=True)
    error = models.CharField(max_length=50, blank=True, help_text="A code, such as rate_limited.")
    detail = models.CharField(max_length=300, blank=True)
    input_tokens = models.PositiveIntegerField(null=True, blank=True)
    output_tokens = models.PositiveIntegerField(null=True, blank=True)
    first_ms = models.PositiveIntegerField("ms to the first word", null=True, blank=True)
    total_ms = models.PositiveIntegerField("ms in all", null=True, blank=True)
    vote = models.BooleanField(default=False, help_text="The best of the answers to its prompt.")
    heartbeat_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ChatMessageQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)
        indexes = [
            models.Index(fields=("session", "id"), name="chat_messages"),
            models.Index(
                fields=("heartbeat_at",), condition=models.Q(state="streaming"), name="chat_streaming"
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=("prompt",), condition=models.Q(vote=True), name="chat_one_vote")
        ]

    def __str__(self):
        return f"{self.provider or self.role}: {self.text[:50]}"
