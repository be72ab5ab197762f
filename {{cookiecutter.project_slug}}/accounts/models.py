from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    class Role(models.TextChoices):
        STUDENT = "student"
        MENTOR = "mentor"
        ADMIN = "admin"

    role = models.CharField(max_length=10, choices=Role, default=Role.STUDENT)
