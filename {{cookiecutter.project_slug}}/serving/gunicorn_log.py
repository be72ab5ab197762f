"""Gunicorn's log, which is the project's."""

import logging

import gunicorn.glogging


class Logger(gunicorn.glogging.Logger):
    """Leaves the log to settings.LOGGING."""

    def setup(self, cfg):
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.setLevel(logging.NOTSET)
        self.error_log.propagate = True
