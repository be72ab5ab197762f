"""What the tests of deployments on hosts share."""

from services import HOST


def in_production(project):
    """Return the variables of a project in production, whose static files are collected."""
    values = project.dotenv() | {"DEBUG": "false", "HTTPS": "false", "ALLOWED_HOSTS": HOST}
    if not (project.folder / "staticfiles").exists():
        project.run(project.folder / ".venv/bin/python", "manage.py", "collectstatic", "--noinput", **values)
    return values
