from django.db import migrations, models
from django.db.models.functions import Upper


class Migration(migrations.Migration):
    """For projects that began with a role, too. Fails where two users have the same email address."""

    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.RemoveField(model_name="user", name="role"),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(
                Upper("email"),
                condition=models.Q(("email", ""), _negated=True),
                name="accounts_user_email",
                violation_error_message="A user with that email address already exists.",
            ),
        ),
    ]
