"""The layer over lists in Redis."""

from realtime.tests.test_site import problems


def test_several_hosts_hurt(settings):
    settings.CHANNEL_LAYERS = {"default": {"CONFIG": {"hosts": ["one", "two"]}}}
    assert problems() == ["realtime.E004"]
