from django.apps import AppConfig


class RoomsConfig(AppConfig):
    name = "rooms"
    url_prefix = ""
    nav = [("rooms:index", "Rooms", "Chat, see who is here and who is typing.")]

    def ready(self):
        from rooms import signals  # noqa: F401  (connects them)
