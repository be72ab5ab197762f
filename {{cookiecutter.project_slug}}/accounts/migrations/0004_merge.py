from django.db import migrations


class Migration(migrations.Migration):
    """Both follow 0001, so that a project may get tokens later."""

    dependencies = [
        ("accounts", "0002_revokedlogin"),
        ("accounts", "0003_unique_email_no_role"),
    ]

    operations = []
