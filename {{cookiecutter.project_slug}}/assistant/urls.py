from django.urls import path

from assistant import urls_stream, views

app_name = "assistant"
urlpatterns = [
    path("assistant/", views.index, name="index"),
    path("assistant/<int:session_id>/", views.session, name="session"),
    path("assistant/<int:session_id>/delete/", views.delete, name="delete"),
    *urls_stream.urlpatterns,
]
