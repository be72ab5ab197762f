"""A front end by React, as its owners work on it, by their own Makefile."""

import pytest

from serving import each, running
from variants import first

VARIANT = first(server="uvicorn", channel_layer="memory", auth="session") | {"frontend": "react"}


@pytest.fixture(scope="module", params=each([VARIANT]))
def project(request, installed):
    return installed(request.param)


def test_the_pages_of_a_built_front_end_are_served(project):
    with running(project) as server, server.client() as client:
        page = client.get("/")
        assert page.status_code == 200
        assert '<div id="root">' in page.text
