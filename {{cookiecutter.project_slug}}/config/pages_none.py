"""This site has no pages but the admin's and those about its API."""

from django.conf import settings
from django.urls import URLPattern, path
from django.views.generic import RedirectView

from accounts.views_json import site

urlpatterns = [
    path("", site, name="home"),
    path("favicon.ico", RedirectView.as_view(url=f"{settings.STATIC_URL}favicon.svg")),
]
otherwise: list[URLPattern] = []  # asked last
