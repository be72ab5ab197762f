from django.contrib import admin

from assistant.models import ChatMessage, ChatSession


@admin.register(ChatSession)
class ChatSessionAdmin(admin.ModelAdmin):
    list_display = ("__str__", "owner", "created_at")
    list_select_related = ("owner",)
    search_fields = ("title", "owner__username")
    autocomplete_fields = ("owner",)


@admin.register(ChatMessage)
class ChatMessageAdmin(admin.ModelAdmin):
    """To read; what is written here would reach nobody."""

    list_display = ("__str__", "session", "provider", "state", "reason", "error", "total_ms", "created_at")
    list_select_related = ("session",)
    list_filter = ("provider", "state", "reason", "error")

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False
