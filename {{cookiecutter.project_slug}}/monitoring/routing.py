from django.urls import path

from monitoring.consumers import ChannelsConsumer

websocket_urlpatterns = [
    path("ws/admin/channels/", ChannelsConsumer.as_asgi()),
]
