from django.urls import path

from assistant.consumers import ChatSessionConsumer

websocket_urlpatterns = [path("ws/chat/session/<int:session_id>/", ChatSessionConsumer.as_asgi())]
