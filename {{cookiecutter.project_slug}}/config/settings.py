"""Settings, read from the environment and .env; .env.example explains each variable.

What the database, the channel layer, the way to log in and other parts need stands in files of their own,
beside this one (parts.py).
"""

from ipaddress import ip_network

from marshmallow.validate import Length, OneOf, Predicate, Range

from config import authentication
from config.environment import BASE_DIR, DEBUG, bare_names, env, mail, rates, read, token
from config.logs import log_the_rest
from config.parts import *

PROJECT_NAME = {{cookiecutter.__project_name}}
DESCRIPTION = {{cookiecutter.__description}}

# The process

DEBUG_TOOLBAR = DEBUG and read(
    env.bool, "DEBUG_TOOLBAR", "true or false, for example DEBUG_TOOLBAR=true", default=False
)
INTERNAL_IPS = ["127.0.0.1", "::1"]  # who sees the toolbar
SECRET_KEY = read(
    env.str,
    "SECRET_KEY",
    "50 or more random characters, for example from `openssl rand -hex 32`",
    validate=Length(50),
)
HOST = read(env.str, "HOST", "an address to listen on, for example HOST=127.0.0.1", default="127.0.0.1")
PORT = read(
    env.int,
    "PORT",
    "a whole number from 1 to 65535, for example PORT=8000",
    default=8000,
    validate=Range(1, 65535),
)
#% if cookiecutter.__one_process
WEB_CONCURRENCY = read(
    env.int,
    "WEB_CONCURRENCY",
    "1: {{ cookiecutter.__one_process }}",
    default=1,
    validate=Range(1, 1),
)
#% else
WEB_CONCURRENCY = read(
    env.int,
    "WEB_CONCURRENCY",
    "a number of processes, for example WEB_CONCURRENCY=4",
    default=1,
    validate=Range(1),
)
#% endif
MAX_CONCURRENT_REQUESTS = read(
    env.int,
    "MAX_CONCURRENT_REQUESTS",
    "how many requests a process may work on at a time, 0 for any, for example MAX_CONCURRENT_REQUESTS=200",
    default=0,
    validate=Range(0),
)
MAX_REQUESTS = read(
    env.int,
    "MAX_REQUESTS",
    "{{ cookiecutter.__max_requests }}",
    default=0,
    validate=Range(0, {{ cookiecutter.__most_requests }}),
)
UNIX_SOCKET = read(
    env.path,
    "UNIX_SOCKET",
    "an absolute path, for example UNIX_SOCKET=/run/{{ cookiecutter.project_slug }}/asgi.sock",
    default=None,
    validate=Predicate("is_absolute"),
)
FORWARDED_ALLOW_IPS = read(
    env.list,
    "FORWARDED_ALLOW_IPS",
    "addresses of your proxies, for example FORWARDED_ALLOW_IPS=10.0.0.1,10.1.0.0/16",
    default=[],
    validate=lambda proxies: [ip_network(proxy) for proxy in proxies if proxy != "*"],
)
METRICS_TOKEN = read(
    token,
    "METRICS_TOKEN",
    "20 or more letters and digits, for example from `openssl rand -hex 32`",
    default="",
)
METRICS_FOLDER = read(
    env.path,
    "METRICS_FOLDER",
    "an absolute path, for example METRICS_FOLDER=/run/{{ cookiecutter.project_slug }}/metrics",
    default=None,
    validate=Predicate("is_absolute"),
)
LOG_LEVEL = read(
    env.log_level, "LOG_LEVEL", "DEBUG, INFO, WARNING or ERROR, for example LOG_LEVEL=INFO", default="INFO"
)
LOG_FORMAT = read(
    env.str,
    "LOG_FORMAT",
    "text or json, for example LOG_FORMAT=json",
    default="text",
    validate=OneOf(["text", "json"]),
)
LOG_SOCKETS = read(env.bool, "LOG_SOCKETS", "true or false, for example LOG_SOCKETS=false", default=True)
LOG_DEBUG = read(env.list, "LOG_DEBUG", "names of loggers, for example LOG_DEBUG=channels", default=[])

# Who may come in

ALLOWED_HOSTS = read(
    env.list,
    "ALLOWED_HOSTS",
    "host names, for example ALLOWED_HOSTS=example.com,www.example.com",
    default=["localhost", "127.0.0.1", "[::1]"] if DEBUG else ["{{ cookiecutter.domain_name }}"],
    validate=bare_names,
)
HTTPS = read(env.bool, "HTTPS", "true or false, for example HTTPS=true", default=not DEBUG)

SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = read(
    env.int,
    "HSTS_SECONDS",
    "a number of seconds, 0 for none, for example HSTS_SECONDS=31536000",
    default=3600 if HTTPS else 0,
    validate=Range(0),
)
SECURE_HSTS_INCLUDE_SUBDOMAINS = read(
    env.bool,
    "HSTS_INCLUDE_SUBDOMAINS",
    "true or false, for example HSTS_INCLUDE_SUBDOMAINS=true",
    default=False,
)
SECURE_HSTS_PRELOAD = read(
    env.bool, "HSTS_PRELOAD", "true or false, for example HSTS_PRELOAD=true", default=False
)
# `check --deploy` asks for both, which bind other host names, for years: their owner has to choose that.
SILENCED_SYSTEM_CHECKS = [
    check
    for check, chosen in (
        ("security.W005", SECURE_HSTS_INCLUDE_SUBDOMAINS),
        ("security.W021", SECURE_HSTS_PRELOAD),
    )
    if not chosen
]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "config.errors.csrf_failure"
SECURE_CSP = {
    "default-src": ["'self'"],
    "img-src": ["'self'", "data:"],
    "frame-ancestors": ["'none'"],
    "form-action": ["'self'"],
    "base-uri": ["'none'"],
}
#% if cookiecutter.django_version == "5.2"
CONTENT_SECURITY_POLICY = {"DIRECTIVES": SECURE_CSP}  # built into Django 6, as SECURE_CSP
#% endif
#%%
AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
AUTHENTICATION_BACKENDS = ["accounts.backends.NameOrEmailBackend"]
LOGIN_REDIRECT_URL = "home"
PASSWORD_RESET_TIMEOUT = 3600  # seconds, since the link to a new password may end up in logs
SIGN_UP = read(
    env.bool, "SIGN_UP", "true or false: may strangers make accounts; for example SIGN_UP=true", default=DEBUG
)
# With which `make loadtest` and this site prove to each other that they agree on a load test.
LOADTEST_TOKEN = read(
    env.str,
    "LOADTEST_TOKEN",
    "32 or more random characters, for example from `openssl rand -hex 32`, or nothing",
    default="",
    validate=lambda token: token == "" or Length(32)(token),
)
# How many, in how many seconds: logins that fail, tries to sign up, mails that are asked for.
THROTTLE = {
    "failed_by_address": (20, 300),
    "failed_by_address_at_account": (10, 900),  # fewer than is needed to reach the next
    "failed_at_account": (50, 3600),  # from all addresses but those that its owner has logged in from
    "sign_up_by_address": (60, 3600),
    "reset_by_address": (20, 3600),
    "reset_to_address": (5, 3600),
#% if "rooms" in cookiecutter.__consumers.split(", ")
    "invited_by_user": (60, 3600),  # which tells who has an account
#% endif
}

# Mail

MAIL = read(
    mail,
    "EMAIL_URL",
    "a URL such as submission://user:password@mail.example.com:587 (smtp:// without TLS)",
    default="console://",
)
#% if cookiecutter.django_version == "5.2"
globals().update(MAIL)  # EMAIL_BACKEND, EMAIL_HOST and so on
#% else
MAILERS = {
    "default": {
        "BACKEND": MAIL["EMAIL_BACKEND"],
        "OPTIONS": {
            "host": MAIL["EMAIL_HOST"],
            "port": MAIL["EMAIL_PORT"],
            "username": MAIL["EMAIL_HOST_USER"],
            "password": MAIL["EMAIL_HOST_PASSWORD"],
            "use_tls": MAIL["EMAIL_USE_TLS"],
            "use_ssl": MAIL["EMAIL_USE_SSL"],
            "timeout": MAIL["EMAIL_TIMEOUT"],
        }
        if MAIL["EMAIL_HOST"]
        else {},
    }
}
#% endif
DEFAULT_FROM_EMAIL = SERVER_EMAIL = read(
    env.str,
    "DEFAULT_FROM_EMAIL",
    "an address that mail comes from, for example DEFAULT_FROM_EMAIL=noreply@{{ cookiecutter.domain_name }}",
    default="noreply@{{ cookiecutter.domain_name }}",
)

# Its parts

INSTALLED_APPS = [
#% if cookiecutter.server == "daphne"
    "daphne",  # makes runserver speak ASGI
#% endif
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "servestatic",
    "django.contrib.staticfiles",
    "realtime",
    "accounts",
    "health",
    "monitoring",
#% for app in cookiecutter.__installed.split(", ") if app
    "{{ app }}",
#% endfor
    *authentication.APPS,
    *(["debug_toolbar"] if DEBUG_TOOLBAR else []),
]
MIDDLEWARE = [  # under ASGI see also config/middleware.py
    "monitoring.middleware.count_requests",
    "health.middleware.answer_load_balancers",
    "config.logs.log_requests",
    "serving.limits.limit_requests",
#% for middleware in cookiecutter.__middleware.split(", ") if middleware
    "{{ middleware }}",
#% endfor
    "config.headers.security_headers",
    "django.middleware.security.SecurityMiddleware",
    "{{ cookiecutter.__csp_middleware }}",
    "servestatic.middleware.ServeStaticMiddleware",
    *(["debug_toolbar.middleware.DebugToolbarMiddleware"] if DEBUG_TOOLBAR else []),
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.context.site",
            ]
        },
    }
]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"  # no query after a response

REALTIME = {
    **authentication.SOCKETS,
    "MAX_MESSAGE_BYTES": read(
        env.int,
        "WS_MAX_MESSAGE_BYTES",
        "a number of bytes that a frame may have, 1024 or more, for example WS_MAX_MESSAGE_BYTES=65536",
        default=65_536,
        validate=Range(1024),
    ),
    "RATE": read(
        rates,
        "WS_RATE",
        "the frames that a socket may send, for example WS_RATE=50/second;1000/minute",
        default="50/second;1000/minute",
    ),
    "BYTE_RATE": read(
        rates,
        "WS_BYTE_RATE",
        "the bytes that a socket may send, for example WS_BYTE_RATE=262144/second",
        default="262144/second",
    ),
    "USER_RATE": read(
        rates,
        "WS_USER_RATE",
        "the frames that all sockets of a user may send, for example WS_USER_RATE=3000/minute",
        default="3000/minute",
    ),
    "MAX_SOCKETS": read(
        env.int,
        "WS_MAX_SOCKETS",
        "a number of sockets that a process may have open, for example WS_MAX_SOCKETS=10000",
        default=10_000,
        validate=Range(1),
    ),
    "MAX_SOCKETS_PER_USER": read(
        env.int,
        "WS_MAX_SOCKETS_PER_USER",
        "a number of sockets that a user may have open in a process, for example WS_MAX_SOCKETS_PER_USER=100",
        default=100,
        validate=Range(1),
    ),
    "MAX_SOCKETS_PER_ADDRESS": read(
        env.int,
        "WS_MAX_SOCKETS_PER_ADDRESS",
        "how many sockets of guests may come from an address, for example WS_MAX_SOCKETS_PER_ADDRESS=1000",
        default=1000,
        validate=Range(1),
    ),
    "MAX_TOPICS": read(
        env.int,
        "WS_MAX_TOPICS",
        "a number of topics that a socket at /ws/ may have, for example WS_MAX_TOPICS=50",
        default=50,
        validate=Range(1),
    ),
    "SHARE": read(
        env.str,
        "WS_SHARE",
        "no, page or browser, for example WS_SHARE=page",
        default="no",
        validate=OneOf(["no", "page", "browser"]),
    ),
    "PRIVATE_CLOSE_CODES": {{ cookiecutter.server == "daphne" }},  # 4009 for 1009, and so on
    "HEARTBEAT": 25,  # seconds between a client's pings
    "BACKLOG_FRAMES": 1000,  # that wait for a client which does not read, before it is closed
    "BACKLOG_SIZE": 1_048_576,  # in characters
    "DATABASE_THREADS": 10,
    "DRAIN_SECONDS": 5,
    # A change of one ends the user's sockets.
    "LOGIN_FIELDS": ("is_active", "password", "is_staff", "is_superuser"),
}
#% if cookiecutter.rest_api == "drf"
#%%
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": authentication.API,
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": [
        "rest_framework.renderers.JSONRenderer",
        "config.browsable.BrowsableAPIRenderer",
    ],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
    "PAGE_SIZE": 50,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": PROJECT_NAME,
    "DESCRIPTION": DESCRIPTION,
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
}
#% endif
#%%
# The rest

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "servestatic.storage.CompressedManifestStaticFilesStorage"
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {"()": "config.logs.TextFormatter"},
        "json": {"()": "config.logs.JsonFormatter"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "django": {},  # else Django's own handlers say everything a second time
        "realtime.sockets": {} if LOG_SOCKETS else {"level": "WARNING"},
        **{name: {"level": "DEBUG"} for name in LOG_DEBUG},
    },
}
if LOG_FORMAT == "json":
    log_the_rest()
