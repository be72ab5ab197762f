"""All that serves the project; what it is, and its settings, are in `config/`."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
