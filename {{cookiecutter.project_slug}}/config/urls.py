"""The pages: those of the site, then the urls.py of each app, where its apps.py says (`url_prefix`)."""

from django.contrib import admin
from django.urls import path
from django.views.generic import TemplateView
#% if cookiecutter.rest_api == "drf"
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
#% endif
#%%
from config import collect

urlpatterns = [
    path("", TemplateView.as_view(template_name="home.html"), name="home"),
    path("admin/", admin.site.urls),
#% if cookiecutter.rest_api == "drf"
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(), name="docs"),
#% endif
    *collect.urls(),
]
