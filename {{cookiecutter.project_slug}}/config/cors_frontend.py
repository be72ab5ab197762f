"""The front end, which is served elsewhere: its pages may use the API and open sockets, with cookies, too.

A browser sends those along from another origin of the same site (https://app.example.com and
https://api.example.com, or two ports of localhost), and keeps them back from another site.
"""

from config.environment import DEBUG, env, origins, read

FRONTEND_ORIGINS = read(
    env.list,
    "FRONTEND_ORIGINS",
    "where the front end is, without *, first what mails link to, for example FRONTEND_ORIGINS=https://app.example.com",
    default=["http://localhost:5173"] if DEBUG else ["https://{{ cookiecutter.domain_name }}"],
    validate=lambda sites: origins(sites, host="[^/*]+", least=1),
)
CSRF_TRUSTED_ORIGINS = CORS_ALLOWED_ORIGINS = FRONTEND_ORIGINS
LOGIN_URL = "admin:login"  # for pages about the API, which staff see; others log in at the front end
CORS_ALLOW_CREDENTIALS = True
CORS_URLS_REGEX = "^/api/"
