from adrf.serializers import ModelSerializer as AsyncModelSerializer
from rest_framework.serializers import ModelSerializer

from problems.models import Problem


class ProblemSerializer(ModelSerializer):
    class Meta:
        model = Problem
        fields = ("id", "title", "statement", "difficulty", "created_at")


class AsyncProblemSerializer(AsyncModelSerializer):
    class Meta(ProblemSerializer.Meta):
        pass
