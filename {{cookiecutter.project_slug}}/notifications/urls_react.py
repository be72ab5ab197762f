from django.urls import path

from config import spa
from notifications import urls_json

app_name = "notifications"
urlpatterns = [path("notifications/", spa.page, name="index"), *urls_json.urlpatterns]
