from adrf.routers import SimpleRouter

from problems.views import AsyncProblemViewSet, ProblemViewSet

router = SimpleRouter()
router.register("problems", ProblemViewSet, basename="problem")
router.register("async/problems", AsyncProblemViewSet, basename="async-problem")

urlpatterns = router.urls
