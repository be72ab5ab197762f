from adrf.routers import SimpleRouter

from notes.views import AsyncNoteViewSet, NoteViewSet

router = SimpleRouter()
router.register("notes", NoteViewSet, basename="note")
router.register("async/notes", AsyncNoteViewSet, basename="async-note")

urlpatterns = router.urls
