"""The pages: those of the site, then the urls.py of each app, where its apps.py says (`url_prefix`)."""

from django.conf import settings
from django.contrib import admin
from django.contrib.auth import views as auth
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
    path("accounts/login/", auth.LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("accounts/logout/", auth.LogoutView.as_view(), name="logout"),
    path("accounts/password_change/", auth.PasswordChangeView.as_view(), name="password_change"),
    path(
        "accounts/password_change/done/", auth.PasswordChangeDoneView.as_view(), name="password_change_done"
    ),
#% if cookiecutter.rest_api == "drf"
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(), name="docs"),
#% endif
    *collect.urls(),
]
if settings.DEBUG_TOOLBAR:
    from debug_toolbar.toolbar import debug_toolbar_urls

    urlpatterns += debug_toolbar_urls()
