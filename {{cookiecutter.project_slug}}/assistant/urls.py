from django.urls import path

from assistant import views, views_stream

app_name = "assistant"
urlpatterns = [
    path("assistant/", views.index, name="index"),
    path("assistant/<int:session_id>/", views.session, name="session"),
    path("assistant/<int:session_id>/delete/", views.delete, name="delete"),
    path("api/messages/stream/", views_stream.ask, name="stream"),
    path("api/messages/stream/<int:message_id>/", views_stream.resume, name="resume"),
    path("api/messages/<int:message_id>/stop/", views_stream.stop, name="stop"),
]
