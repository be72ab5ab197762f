"""One resource twice: a sync view and an async view of the same data."""

from adrf.viewsets import ModelViewSet as AsyncModelViewSet
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import SAFE_METHODS, BasePermission, IsAuthenticated
from rest_framework.viewsets import ModelViewSet

from notes.models import Note
from notes.serializers import AsyncNoteSerializer, NoteSerializer


class ReadOnlyUnlessStaff(BasePermission):
    def has_permission(self, request, view):
        return request.method in SAFE_METHODS or request.user.is_staff


class NoteViewSet(ModelViewSet):
    queryset = Note.objects.all()
    serializer_class = NoteSerializer
    permission_classes = (IsAuthenticated, ReadOnlyUnlessStaff)


class AsyncNoteViewSet(AsyncModelViewSet):
    queryset = Note.objects.all()
    serializer_class = AsyncNoteSerializer
    permission_classes = (IsAuthenticated, ReadOnlyUnlessStaff)

    # The schema generator knows a list by the name of the sync action only.
    @extend_schema(operation_id="async_notes_list", responses=NoteSerializer(many=True))
    async def alist(self, *args, **kwargs):
        return await super().alist(*args, **kwargs)
