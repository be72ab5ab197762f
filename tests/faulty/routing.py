from django.urls import path

from faulty.consumers import FaultyConsumer

websocket_urlpatterns = [path("ws/faulty/<int:number>/", FaultyConsumer.as_asgi())]
