"""Ask the server in this container for its health; ends with 0 or 1, as container engines want it."""

import os
import sys
from urllib.error import HTTPError
from urllib.request import urlopen

try:
    urlopen(f"http://127.0.0.1:{os.environ.get('PORT', 8000)}/api/health/", timeout=5)
except HTTPError as answer:
    sys.exit(f"unhealthy: {answer.read().decode()}")
except OSError as error:
    sys.exit(f"no answer: {error}")
