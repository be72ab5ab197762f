from django.urls import path

from rooms import views

app_name = "rooms"
urlpatterns = [
    path("", views.index, name="index"),
    path("<slug:room_id>/", views.room, name="room"),
]
