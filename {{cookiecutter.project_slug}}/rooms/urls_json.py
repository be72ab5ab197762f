from django.urls import path

from rooms import views_json

app_name = "rooms"
urlpatterns = [
    path("api/rooms/", views_json.index, name="json"),
    path("api/rooms/<slug:room_id>/", views_json.room, name="json-room"),
    path("api/rooms/<slug:room_id>/join/", views_json.join, name="json-join"),
    path("api/rooms/<slug:room_id>/host/", views_json.host, name="json-host"),
    path("api/rooms/<slug:room_id>/host/invite/", views_json.invite, name="json-invite"),
    path("api/rooms/<slug:room_id>/host/withdraw/", views_json.withdraw, name="json-withdraw"),
]
