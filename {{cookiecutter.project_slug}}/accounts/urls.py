from django.urls import path

from accounts.challenge import challenge
#% if cookiecutter.auth != "session"
from accounts.urls_jwt import urlpatterns as tokens
#% endif
from accounts.urls_login import urlpatterns as login
#%%
urlpatterns = [
    *login,
    path("api/loadtest/", challenge, name="loadtest"),
#% if cookiecutter.auth != "session"
    *tokens,
#% endif
]
