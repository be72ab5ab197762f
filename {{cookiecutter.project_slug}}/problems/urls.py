from django.urls import include, path

from problems.views_jobs import ExtractView, SolveView

urlpatterns = [
    path("problems/", include("problems.urls_pages")),
    path("api/problems/extract/", ExtractView.as_view(), name="problem-extract"),
    path("api/problems/<slug:slug>/solve/", SolveView.as_view(), name="problem-solve"),
]
