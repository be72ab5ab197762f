from django.urls import path

from rooms import views

app_name = "rooms"
urlpatterns = [
    path("rooms/", views.index, name="index"),
    path("rooms/<slug:room_id>/", views.room, name="room"),
    path("rooms/<slug:room_id>/join/", views.join, name="join"),
    path("rooms/<slug:room_id>/host/", views.host, name="host"),
    path("rooms/<slug:room_id>/host/invite/", views.invite, name="invite"),
    path("rooms/<slug:room_id>/host/withdraw/", views.withdraw, name="withdraw"),
]
