"""Close codes: registered ones (RFC 6455, section 11.7), and 4000 + the HTTP status of the same meaning."""

#% if cookiecutter.server == "daphne"
# autobahn, on which daphne rests, sends only 1000 and 3000 to 4999: the 1000s stand as 4000s here.
SERVICE_RESTART = 4012
TRY_AGAIN_LATER = 4013
TOO_BIG = 4009  # of a frame within the server's own limit, which answers 1009
#% else
TOO_BIG = 1009
SERVICE_RESTART = 1012
TRY_AGAIN_LATER = 1013
#% endif
NOT_AUTHENTICATED = 4401
NOT_ALLOWED = 4403
NOT_FOUND = 4404
TOO_MANY = 4429
