from django.contrib import admin

from dashboard.models import Event


@admin.register(Event)
class EventAdmin(admin.ModelAdmin):
    list_display = ("kind", "created_at")
    list_filter = ("kind",)

    def has_add_permission(self, request):
        return False  # `notify_dashboard` also sends them

    def has_change_permission(self, request, obj=None):
        return False
