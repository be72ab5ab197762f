from django.urls import path

from rooms.consumers import RoomConsumer

websocket_urlpatterns = [
    path("ws/rooms/<slug:room_id>/", RoomConsumer.as_asgi()),
#% if cookiecutter._preset == "interview-platform"
    path("ws/interview/<slug:room_id>/", RoomConsumer.as_asgi()),  # the same, by the name of older clients
#% endif
]
