import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Score",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("points", models.FloatField(default=0)),
                ("version", models.BigIntegerField(default=0, editable=False)),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="score",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["-points", "user"], name="leaderboard_order"),
                    models.Index(fields=["updated_at"], name="leaderboard_changes"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("points__gte", -(2**53)), ("points__lte", 2**53)),
                        name="points_are_exact",
                        violation_error_message="Points are a number between -2**53 and 2**53.",
                    )
                ],
            },
        ),
    ]
