"""What the tests need of PostgreSQL."""

import psycopg
import pytest
from django.db import connection


@pytest.fixture(scope="session")
def django_db_modify_db_settings():
    """Ask for PostgreSQL before pytest-django makes the test database in it."""
    try:
        psycopg.connect(**{**connection.get_connection_params(), "dbname": "postgres"}).close()
    except psycopg.OperationalError as error:
        pytest.exit(f"The tests need PostgreSQL at DATABASE_URL ({error}). `make services` starts it.", 1)
