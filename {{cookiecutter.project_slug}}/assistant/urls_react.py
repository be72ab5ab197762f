from django.urls import path

from assistant import urls_json
from config import spa

app_name = "assistant"
urlpatterns = [
    path("assistant/", spa.page, name="index"),
    path("assistant/<int:session_id>/", spa.page, name="session"),
    *urls_json.urlpatterns,
]
