"""Mentoring at two processes: what is told arrives in both, and what ends closes what it opened in both."""

import re
from contextlib import AsyncExitStack, closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from playwright.sync_api import expect

from browser import OVERFLOW, expect_state, go_live
from client import Person
from offered import TEMPLATE
from serving import each, running
from variants import first

TWO = first(server="granian", channel_layer="redis", auth="session_jwt")
PAGES = first(server="uvicorn", channel_layer="memory", auth="session_jwt", rest_api="drf")
PICTURE = TEMPLATE / "docs/images/mentoring.png"

SHELL = """
import json
from django.contrib.auth.models import Group
from accounts.models import User
from mentoring.models import Mentorship
from mentoring.notify import notify_mentor, notify_student
user = User.objects.get
mentors = Group.objects.get(name="Mentors")
{}
"""


def shell(project, code):
    """Run code as a command, in a process of its own."""
    return project.manage("shell", "-v", "0", "-c", SHELL.format(code))
