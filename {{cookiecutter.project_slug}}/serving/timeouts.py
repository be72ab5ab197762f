"""How long the server waits for its clients, in seconds."""

REQUEST_TIMEOUT = 20  # for the head of a request; many clients come at once after a restart
CLOSE_TIMEOUT = 5  # until a socket that is closed is cut, if its client neither reads nor answers
GRACE = 3  # that running requests have to end, once the sockets are closed
