"""Is the WebSocket side well? Asks the channel layer, then a running server over a real socket."""

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from realtime.codes import NOT_AUTHENTICATED, NOT_FOUND
from realtime.credentials import authenticator


class Command(BaseCommand):
    help = "Checks the channel layer and the running server's WebSockets, and says how to cure what is wrong."

    def add_arguments(self, parser):
        parser.add_argument("--url", default=f"ws://{settings.HOST}:{settings.PORT}")

    def handle(self, url, **options):
        async_to_sync(self.check_layer)()
        self.stdout.write("channel layer: ok")
        self.check_socket(url)
        self.stdout.write("WebSocket: ok")

    async def check_layer(self):
        layer = get_channel_layer()
        try:
            channel = await layer.new_channel()
            await layer.group_add("test.websocket", channel)
            await layer.group_send("test.websocket", {"type": "test.websocket"})
            await layer.receive(channel)
            await layer.group_discard("test.websocket", channel)
        except Exception as error:
            cure = "Does that which CHANNEL_LAYERS in the settings names run, and where it says?"
            raise CommandError(f"channel layer: {error!r}. {cure}") from error

    def check_socket(self, url):
        """Open a path that no consumer serves: the close code tells how far we came."""
        user = get_user_model().objects.filter(is_active=True).order_by("pk").first()
        if user is None:
            raise CommandError("WebSocket: there is no user to log in as; `manage.py createdemo` makes some.")
        *_, login = settings.REALTIME["AUTHENTICATION"]  # before it stands what rests on a login
        headers = authenticator(login).log_in(user)
        try:
            origin = url.replace("ws", "http", 1)
            with connect(f"{url}/ws/", proxy=None, origin=origin, additional_headers=headers) as socket:
                socket.recv(timeout=5)
        except OSError as error:
            raise CommandError(f"WebSocket: no server at {url}: {error}. Start one: `make run`.") from error
        except InvalidStatus as error:
            raise CommandError(
                f"WebSocket: refused with HTTP {error.response.status_code}. With 403, add the host to"
                " ALLOWED_HOSTS, or see that a proxy passes on Host and X-Forwarded-Proto, and is in"
                " FORWARDED_ALLOW_IPS; otherwise a proxy does not pass on the Upgrade header."
            ) from error
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd else None
            if code == NOT_AUTHENTICATED:
                raise CommandError(
                    "WebSocket: the server does not accept the login of this command."
                    " Do both read the same SECRET_KEY and DATABASE_URL?"
                ) from closed
            if code != NOT_FOUND:
                raise CommandError(f"WebSocket: {closed}. The server's log says why.") from closed
