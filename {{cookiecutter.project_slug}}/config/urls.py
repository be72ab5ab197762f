"""The pages: those of the site, then the urls.py of each app, where its apps.py says (`url_prefix`)."""

from django.conf import settings
from django.contrib import admin
from django.urls import path
#% if cookiecutter.rest_api == "drf"
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
#% endif
#%%
from config import collect, errors, pages
#% if cookiecutter.rest_api == "drf"
from realtime.views import data_for_staff, page_for_staff
#% endif
#%%
admin.site.site_header = admin.site.site_title = settings.PROJECT_NAME
handler400, handler403 = errors.bad_request, errors.permission_denied
handler404, handler500 = errors.page_not_found, errors.server_error

urlpatterns = [
    *pages.urlpatterns,
#% if cookiecutter.rest_api == "drf"
    path("api/schema/", data_for_staff(SpectacularAPIView.as_view()), name="schema"),
    path("api/docs/", page_for_staff(SpectacularSwaggerSplitView.as_view()), name="docs"),
#% endif
    *collect.urls(),
    path("admin/", admin.site.urls),  # after those of an app, since it takes all that is below it
]
if settings.DEBUG_TOOLBAR:
    from debug_toolbar.toolbar import debug_toolbar_urls

    urlpatterns += debug_toolbar_urls()
urlpatterns += pages.otherwise
