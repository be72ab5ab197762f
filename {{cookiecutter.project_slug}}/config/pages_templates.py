"""The pages of the site itself; those of an app are in its urls.py."""

from django.conf import settings
from django.urls import URLPattern, path
from django.views.generic import RedirectView, TemplateView

urlpatterns = [
    path("", TemplateView.as_view(template_name="home.html"), name="home"),
    path("favicon.ico", RedirectView.as_view(url=f"{settings.STATIC_URL}favicon.svg")),
]
otherwise: list[URLPattern] = []  # asked last
