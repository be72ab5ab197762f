from adrf.routers import SimpleRouter
from django.urls import include, path

from problems.views import AsyncProblemViewSet, ProblemViewSet, SubmissionViewSet

router = SimpleRouter()
router.register("problems", ProblemViewSet)
router.register("async/problems", AsyncProblemViewSet, basename="async-problem")
router.register("submissions", SubmissionViewSet)

urlpatterns = [path("api/", include(router.urls))]
