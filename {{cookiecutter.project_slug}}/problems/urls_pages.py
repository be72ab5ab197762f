from django.urls import path

from problems import views_pages

app_name = "problems"
urlpatterns = [
    path("", views_pages.index, name="index"),
    path("<slug:slug>/", views_pages.problem, name="problem"),
]
