from django.urls import path

from config import spa
from problems import urls_json

app_name = "problems"
urlpatterns = [
    path("problems/", spa.page, name="index"),
    path("problems/<slug:slug>/", spa.page, name="problem"),
    *urls_json.urlpatterns,
]
