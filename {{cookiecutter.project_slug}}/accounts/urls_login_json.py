from django.urls import path

from accounts import views_json

urlpatterns = [
    path("api/site/", views_json.site, name="site"),
    path("api/login/", views_json.log_in, name="login"),
    path("api/logout/", views_json.log_out, name="logout"),
    path("api/sign-up/", views_json.sign_up, name="sign_up"),
    path("api/password/", views_json.change_password, name="password_change"),
    path("api/password-reset/", views_json.reset_password, name="password_reset"),
    path("api/password-reset/confirm/", views_json.choose_password, name="password_reset_confirm"),
]
