"""The table in DynamoDB. Keys for it come the usual ways: AWS_ACCESS_KEY_ID, a profile, a role."""

from marshmallow import validate

from config.environment import env, read

AWS_REGION = read(
    env.str,
    "AWS_REGION",
    "the name of a region, for example AWS_REGION=eu-central-1",
    default="us-east-1",
    validate=validate.Regexp(r"[a-z]{2,}(-[a-z]+)+-\d+\Z"),
)
DYNAMODB_TABLE = read(
    env.str,
    "DYNAMODB_TABLE",
    "the name of a table, 3 to 255 letters, digits and _.-, for example DYNAMODB_TABLE=problems",
    default="{{ cookiecutter.project_slug }}",
    validate=validate.Regexp(r"[\w.-]{3,255}\Z"),
)
DYNAMODB_ENDPOINT_URL = read(
    env.str,
    "DYNAMODB_ENDPOINT_URL",
    "the URL of a DynamoDB that is not Amazon's, such as http://localhost:8000, or nothing",
    default="",
    validate=lambda url: url == "" or validate.URL(schemes={"http", "https"}, require_tld=False)(url),
)
