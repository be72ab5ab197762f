"""JSON schemas of forms, as the structured output of providers takes them."""

import msgspec


def json_schema(form: type) -> dict:
    """Return the schema of a `msgspec.Struct`: an object that has all of its fields, and no others."""
    _, components = msgspec.json.schema_components([form], ref_template="#/$defs/{name}")
    for component in components.values():
        if "properties" in component:
            component |= {"required": list(component["properties"]), "additionalProperties": False}
            for field in component["properties"].values():
                field.pop("default", None)
    own = components.pop(form.__name__)
    return own | ({"$defs": components} if components else {})
