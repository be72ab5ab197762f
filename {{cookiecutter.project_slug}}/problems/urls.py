from adrf.routers import SimpleRouter
from django.urls import include, path

from problems.views import AsyncProblemViewSet, ProblemViewSet, SubmissionViewSet
from problems.views_jobs import ExtractView, SolveView

router = SimpleRouter()
router.register("problems", ProblemViewSet)
router.register("async/problems", AsyncProblemViewSet, basename="async-problem")
router.register("submissions", SubmissionViewSet)

urlpatterns = [
    path("", include("problems.urls_pages")),
    path("api/problems/extract/", ExtractView.as_view(), name="problem-extract"),
    path("api/problems/<slug:slug>/solve/", SolveView.as_view(), name="problem-solve"),
    path("api/", include(router.urls)),
]
