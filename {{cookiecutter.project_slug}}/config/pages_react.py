"""The pages of the site itself, which React makes; those of an app are in its urls.py."""

from django.conf import settings
from django.urls import path, re_path
from django.views.generic import RedirectView

from config import spa

urlpatterns = [
    path("", spa.page, name="home"),
    path("favicon.ico", RedirectView.as_view(url=f"{settings.STATIC_URL}favicon.svg")),
    path("api/site/", spa.site, name="site"),
]
# Asked last: what no view here knows may be a page that only frontend/ knows.
otherwise = [re_path(r"^(?!(?:api|accounts|admin|metrics|static|ws)/)(?:.*/)?[^./]*/$", spa.page)]
