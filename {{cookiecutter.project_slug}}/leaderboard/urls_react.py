from django.urls import path

from config import spa
from leaderboard import urls_json

app_name = "leaderboard"
urlpatterns = [path("leaderboard/", spa.page, name="index"), *urls_json.urlpatterns]
