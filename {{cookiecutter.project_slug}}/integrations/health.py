"""What health says of the table in DynamoDB."""

import asyncio
import logging
import time

from health.checkup import Unhealthy
from integrations.dynamodb import TableError, table

logger = logging.getLogger("integrations")

TIMEOUT = 2  # seconds for an answer
PAUSE = 5  # seconds for which the table is not asked again, if something was wrong

_problem, _until = "", 0.0


async def check_table():
    global _problem, _until
    if time.monotonic() < _until:
        raise Unhealthy(_problem)
    try:
        async with asyncio.timeout(TIMEOUT), table() as items:
            await items.get("HEALTH", "CHECK")  # which need not be there
    except (TableError, TimeoutError) as error:
        logger.warning("%s", str(error) or f"the table does not answer within {TIMEOUT} s")
        _problem, _until = f"the table {cure(error)}", time.monotonic() + PAUSE
        raise Unhealthy(_problem) from None


def cure(error):
    """Say what is wrong without names, which are not for strangers."""
    if getattr(error, "code", "") == "ResourceNotFoundException":
        return "is not there; run `manage.py createtable`"
    return "does not answer; the log says why"


checks = {"dynamodb": check_table}
