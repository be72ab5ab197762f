"""Where a user logs in: as a front end elsewhere does."""

BEFORE, LOGIN = "/api/site/", "/api/login/"  # whence a token against forgery comes, and what takes the login
FORMAT = "json"
DONE, REFUSED = 200, 400
