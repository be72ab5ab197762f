from django.urls import path

from problems.consumers import ProblemsConsumer

websocket_urlpatterns = [path("ws/problems/", ProblemsConsumer.as_asgi())]
