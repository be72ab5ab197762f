"""PostgreSQL: where it is, and how its connections are held."""

from marshmallow.validate import Range

from config.environment import database, env, read

DATABASES = {
    "default": read(
        database,
        "DATABASE_URL",
        "a URL such as postgresql://user:password@localhost:5432/{{ cookiecutter.project_slug }}",
        engine="postgresql",
    )
}
# A server has few connections, and threads would keep one each: they borrow one from a pool instead.
DATABASES["default"]["OPTIONS"] = {
    # When its host vanishes without a word, TCP by itself would wait for a quarter of an hour.
    "connect_timeout": 5,  # seconds
    "tcp_user_timeout": 10_000,  # milliseconds
    "keepalives_idle": 10,  # seconds
    **DATABASES["default"].get("OPTIONS", {}),
    "pool": {
        "min_size": 2,
        "max_size": read(
            env.int,
            "DATABASE_POOL_SIZE",
            "a number of connections for each process, 2 or more, for example DATABASE_POOL_SIZE=20",
            default=20,
            validate=Range(2),
        ),
        "timeout": 10,
    },
}
DATABASES["default"]["CONN_MAX_AGE"] = 0
