from django.urls import path

from problems import views_pages

app_name = "problems"
urlpatterns = [
    path("problems/", views_pages.index, name="index"),
    path("problems/<slug:slug>/", views_pages.problem, name="problem"),
]
