"""What a file for Docker Compose means, and whether its schema allows it; without Docker."""

import json
import re
from functools import cache
from pathlib import Path

import check_jsonschema
import yaml
from jsonschema.validators import validator_for

SCHEMAS = Path(check_jsonschema.__file__).with_name("builtin_schemas") / "vendor"


def compose(folder, file="compose.yaml", **variables):
    """Return what a file means with these variables, as Compose reads it."""

    def value(match):
        name, default = match.groups()
        return variables[name] if default is None else variables.get(name, default)

    text = (folder / file).read_text(encoding="utf-8")
    meaning = yaml.safe_load(re.sub(r"\$\{(\w+)(?::-(.*?)|:\?.*?)?\}", value, text))
    for service in meaning["services"].values():
        environment = service.get("environment", {})
        passed_on = {name: variables.get(name) for name, text in environment.items() if text is None}
        environment |= passed_on
        service["environment"] = {name: text for name, text in environment.items() if text is not None}
    return meaning


@cache
def schema():
    """Return a validator of the format."""
    schema = json.loads((SCHEMAS / "compose-spec.json").read_text(encoding="utf-8"))
    return validator_for(schema)(schema)
