from django.urls import path

from problems import views_json

app_name = "problems"
urlpatterns = [
    path("api/my/problems/", views_json.index, name="json"),
    path("api/my/problems/<slug:slug>/", views_json.problem, name="json-problem"),
]
