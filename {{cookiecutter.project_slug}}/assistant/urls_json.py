from django.urls import path

from assistant import urls_stream, views_json

app_name = "assistant"
urlpatterns = [
    path("api/chats/", views_json.index, name="json"),
    path("api/chats/<int:session_id>/", views_json.session, name="json-session"),
    path("api/chats/<int:session_id>/delete/", views_json.delete, name="json-delete"),
    *urls_stream.urlpatterns,
]
