from django.urls import path

from mentoring.consumers import MentorConsumer, StudentConsumer

websocket_urlpatterns = [
    path("ws/mentor/<int:id>/", MentorConsumer.as_asgi()),
    path("ws/student/<int:id>/", StudentConsumer.as_asgi()),
]
