from django.urls import path

from leaderboard import views_json

app_name = "leaderboard"
urlpatterns = [path("api/leaderboard/", views_json.index, name="json")]
