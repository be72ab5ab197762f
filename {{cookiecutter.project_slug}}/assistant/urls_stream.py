from django.urls import path

from assistant import views_stream

urlpatterns = [
    path("api/messages/stream/", views_stream.ask, name="stream"),
    path("api/messages/stream/<int:message_id>/", views_stream.resume, name="resume"),
    path("api/messages/<int:message_id>/stop/", views_stream.stop, name="stop"),
]
