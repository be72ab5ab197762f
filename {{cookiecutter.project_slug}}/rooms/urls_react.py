from django.urls import path

from config import spa
from rooms import urls_json

app_name = "rooms"
urlpatterns = [
    path("rooms/", spa.page, name="index"),
    path("rooms/<slug:room_id>/", spa.page, name="room"),
    path("rooms/<slug:room_id>/join/", spa.page, name="join"),
    path("rooms/<slug:room_id>/host/", spa.page, name="host"),
    *urls_json.urlpatterns,
]
