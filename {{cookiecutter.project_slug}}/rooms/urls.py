from django.urls import path

from rooms import views

app_name = "rooms"
urlpatterns = [
    path("", views.index, name="index"),
    path("<slug:room_id>/", views.room, name="room"),
    path("<slug:room_id>/join/", views.join, name="join"),
    path("<slug:room_id>/host/", views.host, name="host"),
    path("<slug:room_id>/host/invite/", views.invite, name="invite"),
    path("<slug:room_id>/host/withdraw/", views.withdraw, name="withdraw"),
]
