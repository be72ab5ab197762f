import re

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

MOST_TESTS = 100
NO_SLUGS = ("extract",)  # /api/problems/extract/ is something else
UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # characters that not every database takes


def is_free(slug):
    """Refuse what the API has another use for."""
    if slug in NO_SLUGS:
        raise ValidationError("This word is taken: it stands for something else in addresses.")


def has_tests(tests):
    """Refuse what is no list of {"input", "output"}, both texts."""
    if not isinstance(tests, list) or len(tests) > MOST_TESTS:
        raise ValidationError(f"Tests are a list, of at most {MOST_TESTS}.")
    for test in tests:
        if not isinstance(test, dict) or {*test} != {"input", "output"}:
            raise ValidationError('A test is {"input": "...", "output": "..."}.')
        if not all(isinstance(text, str) and not UNSTORABLE.search(text) for text in test.values()):
            raise ValidationError("The input and the output of a test are texts, without NUL.")


class Problem(models.Model):
    """What a program is to solve: it reads each test's input and has to write its output."""

    slug = models.SlugField(max_length=100, unique=True, validators=[is_free])
    title = models.CharField(max_length=200)
    url = models.URLField(max_length=500, blank=True)
    statement = models.TextField(blank=True, max_length=80_000)
    difficulty = models.PositiveSmallIntegerField(default=0, help_text="A rating; 0: nobody has rated it.")
    tests = models.JSONField(default=list, blank=True, validators=[has_tests])
    time_limit_ms = models.PositiveIntegerField(
        default=2000, validators=[MinValueValidator(100), MaxValueValidator(30_000)]
    )
    memory_mib = models.PositiveIntegerField(
        default=256, validators=[MinValueValidator(16), MaxValueValidator(2048)]
    )
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("pk",)

    def __str__(self):
        return self.title


class Submission(models.Model):
    """A user's program, and what the judge says of it."""

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        JUDGED = "judged"

    class Verdict(models.TextChoices):
        ACCEPTED = "accepted"
        WRONG_ANSWER = "wrong_answer"
        RUNTIME_ERROR = "runtime_error"
        TIME_LIMIT = "time_limit"
        MEMORY_LIMIT = "memory_limit"
        INTERNAL_ERROR = "internal_error"

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="submissions")
    problem = models.ForeignKey(Problem, models.CASCADE, related_name="submissions")
    code = models.TextField()
    state = models.CharField(max_length=7, choices=State, default=State.QUEUED)
    verdict = models.CharField(max_length=14, choices=Verdict, blank=True)
    passed = models.PositiveSmallIntegerField(default=0)  # tests, of `total`
    total = models.PositiveSmallIntegerField(default=0)
    detail = models.TextField(blank=True)
    attempt = models.PositiveSmallIntegerField(default=0)  # how often a worker has begun
    heartbeat_at = models.DateTimeField(null=True, blank=True)  # when that worker was alive
    created_at = models.DateTimeField(auto_now_add=True)
    judged_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("pk",)
        indexes = [
            models.Index(fields=("owner", "id"), name="submissions_of_owner"),
            models.Index(
                fields=("heartbeat_at",),
                condition=models.Q(state__in=("queued", "running")),
                name="submissions_to_judge",
            ),
        ]

    def __str__(self):
        return f"{self.problem} by {self.owner}: {self.verdict or self.state}"


class SubscriptionPlan(models.Model):
    """How much of the judge a user may have. Who has none of these has the defaults."""

    class Plan(models.TextChoices):
        FREE = "free"
        PRO = "pro"

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="subscription_plan")
    plan = models.CharField(max_length=4, choices=Plan, default=Plan.FREE)
    judged_per_day = models.PositiveIntegerField(default=50)

    def __str__(self):
        return f"{self.plan} for {self.user}"


class Job(models.Model):
    """What a chat model does for a user: it reads a problem from a page, or solves one."""

    class Kind(models.TextChoices):
        EXTRACT = "extract"
        SOLVE = "solve"

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="jobs")
    kind = models.CharField(max_length=7, choices=Kind)
    url = models.URLField(max_length=500, blank=True)
    difficulty = models.PositiveSmallIntegerField(default=0)
    problem = models.ForeignKey(Problem, models.CASCADE, null=True, blank=True, related_name="jobs")
    submission = models.ForeignKey(Submission, models.SET_NULL, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=7, choices=State, default=State.QUEUED)
    error = models.SlugField(max_length=50, blank=True, db_index=False)  # why there is nothing
    detail = models.TextField(blank=True)
    attempt = models.PositiveSmallIntegerField(default=0)  # how often a worker has begun
    heartbeat_at = models.DateTimeField(null=True, blank=True)  # when that worker was alive
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("pk",)
        indexes = [
            models.Index(fields=("owner", "id"), name="jobs_of_owner"),
            models.Index(
                fields=("heartbeat_at",),
                condition=models.Q(state__in=("queued", "running")),
                name="jobs_to_do",
            ),
        ]

    def __str__(self):
        return f"{self.kind} for {self.owner}: {self.error or self.state}"
