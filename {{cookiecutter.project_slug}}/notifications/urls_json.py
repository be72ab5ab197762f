from django.urls import path

from notifications import views_json

app_name = "notifications"
urlpatterns = [
    path("api/notifications/", views_json.index, name="json"),
    path("api/notifications/test/", views_json.test, name="json-test"),
]
