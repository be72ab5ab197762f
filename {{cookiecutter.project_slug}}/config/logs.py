"""How log records look."""

import logging


class WithoutTraceback(logging.Filter):
    """Makes one line of a record that brings a traceback."""

    def filter(self, record):
        if record.exc_info:
            record.msg, record.args = f"{record.getMessage()}: {record.exc_info[1]!r}", ()
            record.exc_info = None
        return True
