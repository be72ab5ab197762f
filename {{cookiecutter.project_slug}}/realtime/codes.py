"""Close codes: registered ones (RFC 6455, section 11.7), and 4000 + the HTTP status of the same meaning.

Some servers send only 1000 and 3000 to 4999: with `PRIVATE_CLOSE_CODES` the 1000s stand as 4000s here.
"""

from django.conf import settings

SHIFT = 3000 if settings.REALTIME["PRIVATE_CLOSE_CODES"] else 0

TOO_BIG = 1009 + SHIFT  # of a frame within the server's own limit, which answers 1009
SERVICE_RESTART = 1012 + SHIFT
TRY_AGAIN_LATER = 1013 + SHIFT
NOT_AUTHENTICATED = 4401
NOT_ALLOWED = 4403
NOT_FOUND = 4404
TOO_MANY = 4429
