from django.urls import path

from config import spa
from dashboard import urls_json

app_name = "dashboard"
urlpatterns = [path("dashboard/", spa.page, name="index"), *urls_json.urlpatterns]
