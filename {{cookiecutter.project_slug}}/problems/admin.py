from django.contrib import admin

from problems.models import Job, Problem, Submission, SubscriptionPlan


@admin.register(Problem)
class ProblemAdmin(admin.ModelAdmin):
    list_display = ("title", "slug", "difficulty", "created_at")
    search_fields = ("title", "slug")
    prepopulated_fields = {"slug": ("title",)}


@admin.register(Submission)
class SubmissionAdmin(admin.ModelAdmin):
    list_display = ("problem", "owner", "state", "verdict", "passed", "total", "created_at")
    list_filter = ("state", "verdict")
    search_fields = ("owner__username", "problem__title")
    raw_id_fields = ("owner", "problem")
    readonly_fields = ("attempt", "heartbeat_at", "created_at", "judged_at")

    def has_add_permission(self, request):
        return False  # who submits does so on the site, where it is counted and sent to be judged


@admin.register(SubscriptionPlan)
class SubscriptionPlanAdmin(admin.ModelAdmin):
    list_display = ("user", "plan", "judged_per_day")
    list_filter = ("plan",)
    search_fields = ("user__username",)
    raw_id_fields = ("user",)


@admin.register(Job)
class JobAdmin(admin.ModelAdmin):
    list_display = ("kind", "owner", "problem", "state", "error", "created_at")
    list_filter = ("kind", "state", "error")
    search_fields = ("owner__username", "url")
    raw_id_fields = ("owner", "problem", "submission")
    readonly_fields = ("attempt", "heartbeat_at", "created_at")
