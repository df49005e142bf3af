"""Schemas: the API's older OpenAPI subset read as JSON Schema, and JSON Schema fitted to what the API compiles.

What is written is always JSON Schema (`parametersJsonSchema`, `responseJsonSchema`): every model since 2.0 takes it, references
included.
"""

from __future__ import annotations

from typing import Any

from understudy.core.value import JsonObject
from understudy.dialects.gemini.wire import camel

_DEPTH_MAX = 100  # no schema that means anything is nested deeper

# Members whose values are schemas by name, schemas, or data.
_BY_NAME = ("properties", "$defs", "definitions")
_DATA = ("default", "enum", "const", "example", "examples", "required", "propertyOrdering")

_COUNTS = ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")


def json_schema(schema: Any, depth: int = 0) -> Any:
    """A schema of the OpenAPI subset in the words of JSON Schema: types in lower case, `nullable` as a type, counts as numbers."""
    if not isinstance(schema, dict) or depth > _DEPTH_MAX:
        return schema
    found: JsonObject = {}
    for name, inner in ((camel(name), inner) for name, inner in schema.items()):
        if name in _BY_NAME and isinstance(inner, dict):
            found[name] = {key: json_schema(one, depth + 1) for key, one in inner.items()}
        elif name == "type" and isinstance(inner, str):
            found[name] = inner.lower()
        elif name in _COUNTS and isinstance(inner, str) and inner.isdecimal():
            found[name] = int(inner)  # the API writes 64-bit numbers as text
        elif name in _DATA:
            found[name] = inner
        elif isinstance(inner, list):
            found[name] = [json_schema(one, depth + 1) for one in inner]
        else:
            found[name] = json_schema(inner, depth + 1)
    if found.pop("nullable", None) is True and isinstance(found.get("type"), str):
        found["type"] = [found["type"], "null"]
    return found


# Keywords that the API does not compile. Those that say nothing about a value go in silence.
_SAYS_NOTHING = ("$comment", "$id", "$schema", "deprecated", "discriminator", "examples", "readOnly", "writeOnly")
_UNSUPPORTED = (
    "contains",
    "dependentRequired",
    "dependentSchemas",
    "else",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "if",
    "maxContains",
    "minContains",
    "multipleOf",
    "not",
    "patternProperties",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
    "uniqueItems",
)


def fitted(schema: Any, where: str, losses: dict[str, None], depth: int = 0) -> Any:
    """A schema in the part of JSON Schema that the API compiles. What fits the original fits it, too; `losses` tells the rest."""
    if depth > _DEPTH_MAX:
        return schema
    if isinstance(schema, list):
        return [fitted(inner, where, losses, depth + 1) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    found: JsonObject = {}
    for name, inner in schema.items():
        if name in _SAYS_NOTHING:
            continue
        if name in _UNSUPPORTED:
            losses[f"{where}.{name}"] = None
        elif name == "const":
            found.setdefault("enum", [inner])
        elif name in _BY_NAME and isinstance(inner, dict):
            found[name] = {key: fitted(one, where, losses, depth + 1) for key, one in inner.items()}
        elif name in _DATA:
            found[name] = inner
        else:
            found["anyOf" if name == "oneOf" and "anyOf" not in schema else name] = fitted(
                inner, where, losses, depth + 1
            )
    return found
