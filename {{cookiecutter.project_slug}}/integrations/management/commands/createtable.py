import asyncio

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from integrations.dynamodb import TableError, table


class Command(BaseCommand):
    help = "Makes the table in DynamoDB (DYNAMODB_TABLE), if it is not there."

    def handle(self, **options):
        try:
            made = asyncio.run(create())
        except TableError as error:
            raise CommandError(str(error)) from None
        said = "was made" if made else "is there already"
        self.stdout.write(f"The table {settings.DYNAMODB_TABLE} {said}.")


async def create() -> bool:
    async with table() as items:
        return await items.create()
