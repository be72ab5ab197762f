from django.contrib import admin

from leaderboard.models import Score
from leaderboard.scores import update_leaderboard


@admin.register(Score)
class ScoreAdmin(admin.ModelAdmin):
    list_display = ("user", "points", "updated_at")
    search_fields = ("user__username",)
    raw_id_fields = ("user",)
    fields = ("user", "points")

    def get_readonly_fields(self, request, obj=None):
        return ("user",) if obj else ()

    def save_model(self, request, obj, form, change):
        update_leaderboard([(obj.user_id, obj.points)])
        obj.pk = Score.objects.get(user=obj.user_id).pk
