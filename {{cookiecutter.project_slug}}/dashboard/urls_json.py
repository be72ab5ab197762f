from django.urls import path

from dashboard import views_json

app_name = "dashboard"
urlpatterns = [path("api/dashboard/test/", views_json.test, name="json-test")]
