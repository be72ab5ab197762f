"""Where a user logs in: by a form, after which a page follows."""

BEFORE = LOGIN = "/accounts/login/"  # whence a token against forgery comes, and what takes the login
FORMAT = "data"
DONE, REFUSED = 302, 200
