from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    url_prefix = ""

    def ready(self):
        from accounts import checks, signals, throttle  # noqa: F401  (connect and register what is in them)
