"""SQLite: where its file is, and how it is opened."""

from config.environment import BASE_DIR, database, read

DATABASES = {
    "default": read(
        database,
        "DATABASE_URL",
        "a URL such as sqlite:////var/lib/{{ cookiecutter.project_slug }}/db.sqlite3",
        engine="sqlite3",
        default=f"sqlite:///{BASE_DIR / 'db.sqlite3'}",
    )
}
DATABASES["default"]["OPTIONS"] = {
    # Readers and a writer at the same time; a second writer waits its turn instead of failing.
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
}
DATABASES["default"]["TEST"] = {"NAME": BASE_DIR / "test.sqlite3"}  # a file, since sockets query from threads
DATABASES["default"]["CONN_MAX_AGE"] = 60  # seconds, for which a thread keeps its connection
