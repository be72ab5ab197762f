"""The pages on which people browse the REST API."""

from django.conf import settings
from rest_framework import renderers

POLICY = settings.SECURE_CSP | {"style-src": ["'self'", "'unsafe-inline'"]}


class BrowsableAPIRenderer(renderers.BrowsableAPIRenderer):
    """Lets these pages alone have the inline styles that they are written with."""

    def render(self, data, accepted_media_type=None, renderer_context=None):
        page = super().render(data, accepted_media_type, renderer_context)
        policy = "; ".join(f"{directive} {' '.join(sources)}" for directive, sources in POLICY.items())
        renderer_context["response"].headers["Content-Security-Policy"] = policy
        return page
