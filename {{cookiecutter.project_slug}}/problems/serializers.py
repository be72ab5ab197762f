from adrf.serializers import ModelSerializer as AsyncModelSerializer
from rest_framework.serializers import CharField, ModelSerializer, SlugField

from problems.models import Problem, Submission
from problems.submitting import CODE_CHARS


class ProblemSerializer(ModelSerializer):
    """A problem as all see it: the tests are for the judge."""

    class Meta:
        model = Problem
        fields = (
            "slug",
            "title",
            "url",
            "statement",
            "difficulty",
            "tests",
            "time_limit_ms",
            "memory_mib",
            "created_at",
        )
        extra_kwargs = {"tests": {"write_only": True}}


class AsyncProblemSerializer(AsyncModelSerializer):
    class Meta(ProblemSerializer.Meta):
        pass


class SubmissionSerializer(ModelSerializer):
    problem = SlugField(source="problem.slug")
    code = CharField(max_length=CODE_CHARS, trim_whitespace=False)

    class Meta:
        model = Submission
        fields: tuple[str, ...] = (
            "id",
            "problem",
            "code",
            "state",
            "verdict",
            "passed",
            "total",
            "detail",
            "created_at",
            "judged_at",
        )
        read_only_fields = [name for name in fields if name not in ("problem", "code")]


class SubmissionInListSerializer(SubmissionSerializer):
    class Meta(SubmissionSerializer.Meta):
        fields = tuple(name for name in SubmissionSerializer.Meta.fields if name != "code")
