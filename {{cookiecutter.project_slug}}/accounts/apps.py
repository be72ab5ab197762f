from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
#% if cookiecutter.auth != "session"
    url_prefix = "api/"
#% endif
#%%
    def ready(self):
        from accounts import signals  # noqa: F401  (connects them)
