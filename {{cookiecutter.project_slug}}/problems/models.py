from django.db import models


class Problem(models.Model):
    class Difficulty(models.TextChoices):
        EASY = "easy"
        MEDIUM = "medium"
        HARD = "hard"

    title = models.CharField(max_length=200)
    statement = models.TextField(blank=True)
    difficulty = models.CharField(max_length=10, choices=Difficulty, default=Difficulty.EASY)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("pk",)

    def __str__(self):
        return self.title
