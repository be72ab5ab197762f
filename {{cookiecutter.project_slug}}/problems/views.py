"""One resource twice: a sync view and an async view of the same data."""

from adrf.viewsets import ModelViewSet as AsyncModelViewSet
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import SAFE_METHODS, BasePermission, IsAuthenticated
from rest_framework.viewsets import ModelViewSet

from problems.models import Problem
from problems.serializers import AsyncProblemSerializer, ProblemSerializer


class ReadOnlyUnlessStaff(BasePermission):
    def has_permission(self, request, view):
        return request.method in SAFE_METHODS or request.user.is_staff


class ProblemViewSet(ModelViewSet):
    queryset = Problem.objects.all()
    serializer_class = ProblemSerializer
    permission_classes = (IsAuthenticated, ReadOnlyUnlessStaff)


class AsyncProblemViewSet(AsyncModelViewSet):
    queryset = Problem.objects.all()
    serializer_class = AsyncProblemSerializer
    permission_classes = (IsAuthenticated, ReadOnlyUnlessStaff)

    # The schema generator knows a list by the name of the sync action only.
    @extend_schema(operation_id="async_problems_list", responses=ProblemSerializer(many=True))
    async def alist(self, *args, **kwargs):
        return await super().alist(*args, **kwargs)
