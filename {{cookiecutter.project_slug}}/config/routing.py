#% if cookiecutter.__consumers
from django.urls import path, re_path
#% else
from django.urls import re_path
#% endif
#%%
#% if "notifications" in cookiecutter.__consumers
from notifications.consumers import NotificationConsumer
#% endif
from realtime.consumer import NoSuchSocket
#% if "rooms" in cookiecutter.__consumers
from rooms.consumers import RoomConsumer
#% endif
#%%
websocket_urlpatterns = [
#% if "rooms" in cookiecutter.__consumers
    path("ws/rooms/<slug:room_id>/", RoomConsumer.as_asgi()),
#% endif
#% if "notifications" in cookiecutter.__consumers
    path("ws/notifications/", NotificationConsumer.as_asgi()),
#% endif
    re_path("", NoSuchSocket.as_asgi()),
]
