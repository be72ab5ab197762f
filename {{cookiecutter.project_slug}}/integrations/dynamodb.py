"""The table in DynamoDB: items by their keys `PK` and `SK`, over one client of the loop that serves.

    async with table() as items:
        item = await items.get("PROBLEM#two-sums", "METADATA")

A client takes longer to make than to use: one for each request would be fifteen times as slow.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from botocore.loaders import create_loader
from django.conf import settings

from realtime.hub import serving_hub
from realtime.loops import per_loop

CONFIG = AioConfig(
    connect_timeout=10,
    read_timeout=30,
    max_pool_connections=50,
    retries={"max_attempts": 3, "mode": "standard"},
)
logging.getLogger("aiobotocore.credentials").setLevel("WARNING")  # else each client says where keys are from

KEYS = ("PK", "SK")
LOADER = create_loader()


class TableError(Exception):
    """Why the table does not answer, and the cure, in a line; `code` is DynamoDB's own word, if any."""

    def __init__(self, text: str, code: str = ""):
        super().__init__(text)
        self.code = code


class _Client:
    """That of the running event loop, made when it is first asked for."""

    def __init__(self):
        self.stack = AsyncExitStack()
        self.lock = asyncio.Lock()
        self.client: Any = None

    async def get(self) -> Any:
        async with self.lock:
            if self.client is None:
                self.client = await self.stack.enter_async_context(new_client())
        return self.client

    async def aclose(self) -> None:
        await self.stack.aclose()


_client = per_loop(_Client)


@asynccontextmanager
async def new_client() -> AsyncIterator[Any]:
    await asyncio.to_thread(_load)
    session = AioSession()
    session.register_component("data_loader", LOADER)
    options = {"endpoint_url": settings.DYNAMODB_ENDPOINT_URL or None, "region_name": settings.AWS_REGION}
    async with session.create_client("dynamodb", config=CONFIG, **options) as client:
        yield client


def _load() -> None:
    """Read once what clients are made from, a tenth of a second's work, not to hold up the event loop."""
    for kind in ("service-2", "endpoint-rule-set-1"):
        LOADER.load_service_model("dynamodb", kind)
    for name in ("endpoints", "partitions", "sdk-default-configuration", "_retry"):
        LOADER.load_data(name)


@asynccontextmanager
async def table() -> AsyncIterator["Table"]:
    """Yield the table. What goes wrong in the block, as far as DynamoDB is to blame, is a `TableError`.

    Where loops come and go, as under WSGI and in commands, the client is made for this block.
    """
    hub = serving_hub()
    try:
        if hub and hub.loop is asyncio.get_running_loop():
            yield Table(await _client().get())
        else:
            async with new_client() as client:
                yield Table(client)
    except (BotoCoreError, ClientError) as error:
        raise described(error) from error


def described(error: Exception) -> TableError:
    name, where = settings.DYNAMODB_TABLE, settings.DYNAMODB_ENDPOINT_URL or settings.AWS_REGION
    code = error.response.get("Error", {}).get("Code", "") if isinstance(error, ClientError) else ""
    if code == "ResourceNotFoundException":
        return TableError(f"there is no table {name} at {where}; run `manage.py createtable`", code)
    if isinstance(error, NoCredentialsError):
        return TableError("there are no keys for AWS; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
    if code in ("UnrecognizedClientException", "InvalidSignatureException", "AccessDeniedException"):
        return TableError(f"the keys for AWS do not open the table {name} at {where} ({code})", code)
    if code == "ValidationException" and "key element" in str(error):
        return TableError(f"the table {name} at {where} needs the keys PK and SK, both texts", code)
    return TableError(f"the table {name} at {where} does not answer: {code or type(error).__name__}", code)


class Table:
    """Its items are dicts of texts, whole and decimal numbers, booleans, bytes, None, lists and dicts."""

    def __init__(self, client: Any):
        self.client, self.name = client, settings.DYNAMODB_TABLE

    async def get(self, pk: str, sk: str) -> dict[str, Any] | None:
        """Return an item, as it is after all writes that have ended."""
        answer = await self.client.get_item(
            TableName=self.name, Key=encode({"PK": pk, "SK": sk}), ConsistentRead=True
        )
        return decode(answer["Item"]) if "Item" in answer else None

    async def query(self, pk: str, begins_with: str = "", page: int = 100) -> AsyncIterator[dict[str, Any]]:
        """Yield the items of a partition in the order of their `SK`; so many are asked for at a time."""
        condition, values = "PK = :pk", {":pk": pk}
        if begins_with:
            condition, values[":sk"] = f"{condition} AND begins_with(SK, :sk)", begins_with
        pages = self.client.get_paginator("query").paginate(
            TableName=self.name,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=encode(values),
            PaginationConfig={"PageSize": page},
        )
        async for answer in pages:
            for item in answer["Items"]:
                yield decode(item)

    async def put(self, item: dict[str, Any]) -> None:
        """Store an item, in place of the one with its keys."""
        await self.client.put_item(TableName=self.name, Item=encode(item))

    async def put_if_absent(self, item: dict[str, Any]) -> bool:
        """Store an item if there is none with its keys; say whether it was stored."""
        return await self._put_if("attribute_not_exists(PK)", item)

    async def put_if_newer(self, item: dict[str, Any]) -> bool:
        """Store an item unless one with its keys has a higher `version`; say whether it was stored."""
        return await self._put_if(
            "attribute_not_exists(PK) OR #version <= :version",
            item,
            ExpressionAttributeNames={"#version": "version"},
            ExpressionAttributeValues=encode({":version": item["version"]}),
        )

    async def update(self, pk: str, sk: str, **values: Any) -> dict[str, Any] | None:
        """Set some attributes of an item and return it; None if there is no such item."""
        parts = ", ".join(f"#{name} = :{name}" for name in values)
        answer = await self._if(
            self.client.update_item(
                TableName=self.name,
                Key=encode({"PK": pk, "SK": sk}),
                UpdateExpression=f"SET {parts}",
                ConditionExpression="attribute_exists(PK)",
                ExpressionAttributeNames={f"#{name}": name for name in values},
                ExpressionAttributeValues=encode({f":{name}": value for name, value in values.items()}),
                ReturnValues="ALL_NEW",
            )
        )
        return answer and decode(answer["Attributes"])

    async def delete(self, pk: str, sk: str) -> None:
        await self.client.delete_item(TableName=self.name, Key=encode({"PK": pk, "SK": sk}))

    async def create(self) -> bool:
        """Make the table and wait until it is there; False if it was there before."""
        try:
            await self.client.create_table(
                TableName=self.name,
                KeySchema=[
                    {"AttributeName": name, "KeyType": kind}
                    for name, kind in zip(KEYS, ("HASH", "RANGE"), strict=True)
                ],
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in KEYS],
                BillingMode="PAY_PER_REQUEST",
            )
        except self.client.exceptions.ResourceInUseException:
            return False
        await self.client.get_waiter("table_exists").wait(
            TableName=self.name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
        return True

    async def _put_if(self, condition: str, item: dict[str, Any], **options: Any) -> bool:
        putting = self.client.put_item(
            TableName=self.name, Item=encode(item), ConditionExpression=condition, **options
        )
        return await self._if(putting) is not None

    async def _if(self, answer: Any) -> Any:
        """Await what has a condition; None if that does not hold."""
        try:
            return await answer
        except self.client.exceptions.ConditionalCheckFailedException:
            return None


def encode(item: dict[str, Any]) -> dict[str, Any]:
    return {name: to_attribute(value) for name, value in item.items()}


def decode(item: dict[str, Any]) -> dict[str, Any]:
    return {name: to_value(attribute) for name, attribute in item.items()}


def to_attribute(value: Any) -> dict[str, Any]:
    """Write a value as DynamoDB has it: {"S": "text"}."""
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case int() | Decimal():
            return {"N": str(value)}
        case bytes():
            return {"B": value}
        case dict():
            return {"M": encode(value)}
        case list() | tuple():
            return {"L": [to_attribute(part) for part in value]}
    cure = "; a Decimal is exact" if isinstance(value, float) else ""
    raise TypeError(f"DynamoDB takes no {type(value).__name__}: {value!r}{cure}")


def to_value(attribute: dict[str, Any]) -> Any:
    """Read a value that DynamoDB has written. A number is an int if it is whole, else a Decimal."""
    [(kind, value)] = attribute.items()
    match kind:
        case "NULL":
            return None
        case "N":
            return _number(value)
        case "M":
            return decode(value)
        case "L":
            return [to_value(part) for part in value]
        case "NS":
            return {*map(_number, value)}
        case "SS" | "BS":
            return {*value}
    return value


def _number(text: str) -> int | Decimal:
    number = Decimal(text)
    return int(number) if number == number.to_integral_value() else number
