from adrf.serializers import ModelSerializer as AsyncModelSerializer
from rest_framework.serializers import ModelSerializer

from notes.models import Note


class NoteSerializer(ModelSerializer):
    class Meta:
        model = Note
        fields = ("id", "title", "text", "created_at")


class AsyncNoteSerializer(AsyncModelSerializer):
    class Meta(NoteSerializer.Meta):
        pass
