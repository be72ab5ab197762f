"""Ask the server in this container for its health; ends with 0 or 1, as container engines want it."""

import os
import sys
from http.client import HTTPConnection, HTTPException

try:
    server = HTTPConnection("127.0.0.1", int(os.environ.get("PORT", 8000)), timeout=5)  # without a proxy
    server.request("GET", "/api/health/")
    answer = server.getresponse()
    text = answer.read().decode()
except (OSError, HTTPException) as error:
    sys.exit(f"no answer: {error}")
if answer.status != 200:
    sys.exit(f"unhealthy: {text}")
