"""Problems twice, by a sync view and an async view of the same data; and the submissions of whoever asks."""

from adrf.viewsets import ModelViewSet as AsyncModelViewSet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.mixins import CreateModelMixin, ListModelMixin, RetrieveModelMixin
from rest_framework.permissions import SAFE_METHODS, BasePermission, IsAuthenticated
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet, ModelViewSet

from problems import catalog, listing
from problems.models import Problem, Submission
from problems.serializers import (
    AsyncProblemSerializer,
    ProblemSerializer,
    SubmissionInListSerializer,
    SubmissionSerializer,
)
from problems.submitting import NotTaken, submit
from problems.views_jobs import STATUS

SLUG = "[-a-zA-Z0-9_]+"


class PublicUnlessChanged(BasePermission):
    """Everybody reads; staff write."""

    def has_permission(self, request, view):
        return request.method in SAFE_METHODS or request.user.is_staff


class ProblemViewSet(ModelViewSet):
    """Straight from the database."""

    queryset = Problem.objects.all()
    serializer_class = ProblemSerializer
    permission_classes = (PublicUnlessChanged,)
    pagination_class = listing.ProblemPages
    lookup_field, lookup_value_regex = "slug", SLUG


class AsyncProblemViewSet(AsyncModelViewSet):
    """The same; a list comes from the cache, and a problem from where `problems.catalog` finds it."""

    queryset = Problem.objects.all()
    serializer_class = AsyncProblemSerializer
    permission_classes = (PublicUnlessChanged,)
    pagination_class = listing.ProblemPages
    lookup_field, lookup_value_regex = "slug", SLUG

    # The schema generator knows a list by the name of the sync action only.
    @extend_schema(operation_id="async_problems_list", responses=ProblemSerializer(many=True))
    async def alist(self, request, *args, **kwargs):
        page = await listing.page(request.query_params.get("page") or "1")
        return self.get_paginated_response(self.paginate_queryset(page))

    async def aretrieve(self, request, slug, *args, **kwargs):
        problem = await catalog.find(slug)
        if problem is None:
            raise Http404
        return Response(problem)


class SubmissionViewSet(CreateModelMixin, RetrieveModelMixin, ListModelMixin, GenericViewSet):
    """Programs that users hand in; each sees their own, the newest first."""

    permission_classes = (IsAuthenticated,)
    queryset = Submission.objects.none()  # from which the schema generator knows what it is about

    def get_queryset(self):
        own = self.request.user.submissions.select_related("problem").order_by("-pk")
        return own.defer("problem__statement", "problem__tests")

    def get_serializer_class(self):
        return SubmissionInListSerializer if self.action == "list" else SubmissionSerializer

    def create(self, request, *args, **kwargs):
        form = self.get_serializer(data=request.data)
        form.is_valid(raise_exception=True)
        fields = form.validated_data
        try:
            submission = submit(request.user.pk, fields["problem"]["slug"], fields["code"])
        except NotTaken as error:
            return Response({"code": error.code, "detail": error.detail}, status=STATUS.get(error.code, 400))
        return Response(self.get_serializer(submission).data, status=201)
