from django.conf import settings
from django.db import models, transaction


class RoomQuerySet(models.QuerySet):
    def for_user(self, user):
        """Add `admits_user`: read together with the room, which may be deleted at any moment."""
        membership = Room.members.through.objects.filter(room=models.OuterRef("pk"), user=user)
        return self.annotate(admits_user=models.Q(is_open=True) | models.Exists(membership))


class Room(models.Model):
    slug = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=100)
    is_open = models.BooleanField(default=True, help_text="Everyone may enter; otherwise only members.")
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="rooms")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = RoomQuerySet.as_manager()

    class Meta:
        ordering = ("name",)

    def __str__(self):
        return self.name

    @transaction.atomic
    def post(self, author, body: str) -> "Message":
        """Store a message; one at a time, so that ids become visible in order and catch-up has no gap."""
        Room.objects.select_for_update(no_key=True).get(pk=self.pk)
        return self.messages.create(author=author, body=body)


class Message(models.Model):
    room = models.ForeignKey(Room, models.CASCADE, related_name="messages")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    body = models.TextField()
    sent_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("pk",)

    def __str__(self):
        return f"{self.author}: {self.body:.40}"
