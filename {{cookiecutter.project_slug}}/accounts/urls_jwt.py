from django.urls import path
from rest_framework_simplejwt.views import TokenBlacklistView, TokenRefreshView

from accounts.views_jwt import TokenView

urlpatterns = [
    path("api/token/", TokenView.as_view(), name="token"),
    path("api/token/refresh/", TokenRefreshView.as_view(), name="token-refresh"),
    path("api/token/logout/", TokenBlacklistView.as_view(), name="token-logout"),
]
