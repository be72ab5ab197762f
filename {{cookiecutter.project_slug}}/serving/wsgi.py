"""Serve the HTTP half of the project by WSGI, in threads, with Gunicorn: `python -m serving.wsgi`.

The sockets are those of the server that speaks ASGI, which runs beside it.
"""

from django.conf import settings
from django.utils.log import configure_logging
from gunicorn.app.base import BaseApplication

from serving.gunicorn_log import Logger
from serving.preflight import check_address, look_for_services
from serving.workers import shared_figures


class Gunicorn(BaseApplication):
    def load_config(self):
        options = {
            "bind": f"{settings.HOST}:{settings.WSGI_PORT}",
            "workers": settings.WSGI_WORKERS,
            "worker_class": "gthread",
            "threads": settings.WSGI_THREADS,
            "forwarded_allow_ips": "",  # serving/forwarded.py reads the headers of proxies
            "graceful_timeout": 10,
            "logger_class": Logger,
            "control_socket_disable": True,  # nobody uses gunicornc here
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self):
        from config.wsgi import application

        return application


def main():
    configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)
    check_address(settings.WSGI_PORT, "WSGI_PORT")
    look_for_services()
    with shared_figures(settings.WSGI_WORKERS):
        Gunicorn().run()


if __name__ == "__main__":
    main()
