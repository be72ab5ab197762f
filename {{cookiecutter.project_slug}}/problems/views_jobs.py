"""What chat models do for users, over HTTP. /ws/problems/ tells what becomes of it."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAdminUser
from rest_framework.response import Response
from rest_framework.views import APIView

from problems import jobs
from problems.assistants import NoAssistant

STATUS = {"not_found": 404, "too_many": 429, "plan_exhausted": 429}  # of what is refused; else it is 400


class ExtractSerializer(serializers.Serializer):
    url = serializers.CharField(max_length=jobs.MOST_URL)
    difficulty_rating = serializers.IntegerField(min_value=0, max_value=jobs.MOST_DIFFICULTY, default=0)


class JobSerializer(serializers.Serializer):
    job_id = serializers.IntegerField()


class ExtractView(APIView):
    """Read a problem from a page; for staff."""

    permission_classes = (IsAdminUser,)

    @extend_schema(request=ExtractSerializer, responses={202: JobSerializer})
    def post(self, request):
        form = ExtractSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        fields = form.validated_data
        return begin(jobs.extract, request.user.pk, fields["url"], fields["difficulty_rating"])


class SolveView(APIView):
    """Have a problem solved; the program is judged as a submission of whoever asks."""

    @extend_schema(request=None, responses={202: JobSerializer})
    def post(self, request, slug):
        return begin(jobs.solve, request.user.pk, slug)


def begin(what, *arguments) -> Response:
    try:
        return Response({"job_id": what(*arguments).pk}, status=202)
    except NoAssistant as error:
        return Response({"code": error.code, "detail": error.detail}, status=503)
    except jobs.SHOWN as error:
        return Response({"code": error.code, "detail": error.detail}, status=STATUS.get(error.code, 400))
