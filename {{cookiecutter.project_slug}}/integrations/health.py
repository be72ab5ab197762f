"""What health says of the table in DynamoDB."""

import logging

from health.checkup import Unhealthy
from integrations.dynamodb import TableError, table

logger = logging.getLogger("integrations")


async def check_table():
    try:
        async with table() as items:
            await items.get("HEALTH", "CHECK")  # which need not be there
    except TableError as error:
        logger.warning("%s", error)  # with names, which are not for strangers
        missing = error.code == "ResourceNotFoundException"
        cure = "is not there; run `manage.py createtable`" if missing else "cannot be used; the log says why"
        raise Unhealthy(f"the table {cure}") from None


checks = {"dynamodb": check_table}
