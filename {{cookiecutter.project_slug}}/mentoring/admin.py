from django.contrib import admin

from mentoring.models import Mentorship


@admin.register(Mentorship)
class MentorshipAdmin(admin.ModelAdmin):
    list_display = ("mentor", "student", "created_at")
    list_select_related = ("mentor", "student")
    search_fields = ("mentor__username", "student__username")
    autocomplete_fields = ("mentor", "student")
