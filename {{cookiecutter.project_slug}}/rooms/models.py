from itertools import count

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.text import slugify


class RoomQuerySet(models.QuerySet):
    def for_user(self, user):
        """Add `admits_user` and `must_wait`: read together with the room, which may be deleted at any moment.

        A room without a host keeps nobody waiting.
        """
        membership = Room.members.through.objects.filter(room=models.OuterRef("pk"), user=user)
        admission = Admission.objects.filter(room=models.OuterRef("pk"), user=user)
        return self.annotate(
            admits_user=models.Q(is_open=True) | models.Q(host=user) | models.Exists(membership),
            must_wait=models.Q(waits=True, host__isnull=False)
            & ~models.Q(host=user)
            & ~models.Exists(admission),
        )

    def create_named(self, room, host):
        """Save a new room whose slug comes from its name, with a number if another room has that slug."""
        slug = slugify(room.name)[:40] or "room"
        taken = set(self.filter(slug__startswith=slug).values_list("slug", flat=True))
        free = (tried for n in count(1) if (tried := slug if n == 1 else f"{slug}-{n}") not in taken)
        room.slug, room.host = next(free), host
        try:
            with transaction.atomic():
                room.save()
        except IntegrityError:
            if not self.filter(slug=room.slug).exists():
                raise
            return self.create_named(room, host)  # somebody else was first
        return room


class Room(models.Model):
    must_wait: bool  # `for_user` says

    slug = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=100)
    is_open = models.BooleanField(default=True, help_text="Everyone may enter; otherwise only members.")
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="rooms")
    host = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="hosted_rooms"
    )
    waits = models.BooleanField(
        "waiting room", default=False, help_text="Who comes in waits until the host admits them."
    )
    starts_at = models.DateTimeField("beginning", null=True, blank=True)
    ends_at = models.DateTimeField("end", null=True, blank=True)
    invitation = models.PositiveIntegerField(default=0, editable=False)  # whose links hold
    created_at = models.DateTimeField(auto_now_add=True)

    objects = RoomQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")),
                name="room_ends_after_it_starts",
                violation_error_message="The end has to come after the beginning.",
            )
        ]

    def __str__(self):
        return self.name

    @property
    def group(self) -> str:
        """Where what is said here is published."""
        return f"room.{self.pk}"

    @property
    def ended(self) -> bool:
        return self.ends_at is not None and self.ends_at <= timezone.now()

    @property
    def closed_because(self) -> str:
        """Why nobody may be here now; nothing if that is not so."""
        if self.starts_at is not None and timezone.now() < self.starts_at:
            return f"This room opens on {shown(self.starts_at)}"
        if self.ends_at is not None and self.ended:
            return f"This room closed on {shown(self.ends_at)}"
        return ""

    def admit(self, user_id: int) -> bool:
        """Let a user in without waiting, from now on; False if the user or the room was deleted."""
        try:
            with transaction.atomic():
                Admission.objects.get_or_create(room=self, user_id=user_id)
        except IntegrityError:
            return False
        return True

    @transaction.atomic
    def accept(self, user) -> bool:
        """Make a member of who comes by a link; False if all links were withdrawn since the room was read."""
        invites = Room.objects.select_for_update(no_key=True).filter(pk=self.pk, invitation=self.invitation)
        if invites.first() is None:
            return False
        self.members.add(user)
        return True

    @transaction.atomic
    def withdraw(self, user=None) -> None:
        """Take back all links that invite, and the invitation of a user, who could otherwise come by one."""
        Room.objects.filter(pk=self.pk).update(invitation=models.F("invitation") + 1)
        if user is not None:
            self.members.remove(user)
            self.admissions.filter(user=user).delete()

    @transaction.atomic
    def post(self, author, body: str, idempotency_key: str | None = None) -> "Message":
        """Store a message, or find the one that was stored with this key; `after` is the id before its own.

        One at a time in a room, so that ids become visible in order. Raises `Room.DoesNotExist` if the room
        was deleted.
        """
        Room.objects.select_for_update(no_key=True).get(pk=self.pk)
        message = None
        body = body.replace("\0", "\N{REPLACEMENT CHARACTER}")  # not every database takes it
        if idempotency_key is not None:
            idempotency_key = idempotency_key.replace("\0", "\N{REPLACEMENT CHARACTER}")
            posted = self.messages.filter(author=author, idempotency_key=idempotency_key)
            message = posted.select_related("author").first()
        if message is None:
            message = self.messages.create(author=author, body=body, idempotency_key=idempotency_key)
        before = self.messages.filter(pk__lt=message.pk).order_by("-pk").values_list("pk", flat=True)
        message.after = before.first() or 0
        return message


def shown(moment) -> str:
    return f"{timezone.localtime(moment):%-d %B %Y at %H:%M %Z}"


class Admission(models.Model):
    """Who need not wait any more in a room that has its guests wait."""

    room = models.ForeignKey(Room, models.CASCADE, related_name="admissions")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    admitted_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("room", "user"), name="admitted_once")]

    def __str__(self):
        return f"{self.user} in {self.room}"


class Message(models.Model):
    after: int  # the id of the one before it in the room; `Room.post` says

    room = models.ForeignKey(Room, models.CASCADE, related_name="messages")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    body = models.TextField()
    sent_at = models.DateTimeField(auto_now_add=True)
    idempotency_key = models.CharField(max_length=64, null=True, editable=False)  # noqa: DJ001 (null is not unique)

    class Meta:
        ordering = ("pk",)
        indexes = [models.Index(fields=("room", "id"), name="room_messages")]
        constraints = [
            models.UniqueConstraint(fields=("room", "author", "idempotency_key"), name="posted_once"),
        ]

    def __str__(self):
        return f"{self.author}: {self.body:.40}"
