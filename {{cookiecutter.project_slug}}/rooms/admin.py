from django.contrib import admin

from rooms.models import Room


@admin.register(Room)
class RoomAdmin(admin.ModelAdmin):
    list_display = ("name", "slug", "is_open", "host", "starts_at", "ends_at", "created_at")
    prepopulated_fields = {"slug": ("name",)}
    filter_horizontal = ("members",)
