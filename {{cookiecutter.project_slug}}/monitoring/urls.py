from django.contrib import admin
from django.urls import path

from monitoring import channels

app_name = "monitoring"
urlpatterns = [
    path("admin/channels/", admin.site.admin_view(channels.page), name="channels"),
]
