"""A value that fits a JSON schema, for tool arguments and structured answers."""

from __future__ import annotations

from typing import Any

from understudy.core.dice import Dice
from understudy.core.value import JsonObject

_LATIN = (
    "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore et dolore magna "
    "aliqua ut enim ad minim veniam quis nostrud exercitation ullamco laboris nisi ut aliquip ex ea commodo consequat"
)
LOREM: tuple[str, ...] = tuple(_LATIN.split())

_FORMATS = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "email": "someone@example.org",
    "uri": "https://example.org/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_DEPTH_MAX = 12


def example(schema: Any, dice: Dice) -> Any:
    """A value of the schema; what it does not restrict is simple. Draft 2020-12 as far as models are asked for it."""
    return _example(schema, schema if isinstance(schema, dict) else {}, dice, 0)


def _example(schema: Any, root: JsonObject, dice: Dice, depth: int) -> Any:
    if not isinstance(schema, dict) or depth > _DEPTH_MAX:
        return None
    if isinstance(pointer := schema.get("$ref"), str):
        return _example(_resolve(pointer, root), root, dice, depth + 1)
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return dice.pick(schema["enum"])
    for union in ("anyOf", "oneOf", "allOf"):
        if schema.get(union):
            return _example(schema[union][0], root, dice, depth + 1)
    match _kind(schema):
        case "object":
            properties = schema.get("properties")
            names = properties if isinstance(properties, dict) else {}
            return {
                name: _example(names[name], root, dice, depth + 1) for name in names if _included(name, schema, depth)
            }
        case "array":
            items = schema.get("items", {})
            return [_example(items, root, dice, depth + 1) for _ in range(max(1, int(schema.get("minItems", 1))))]
        case "string":
            return _string(schema, dice)
        case "integer":
            return int(_number(schema))
        case "number":
            return _number(schema)
        case "boolean":
            return True
        case _:
            return None


def _included(name: str, schema: JsonObject, depth: int) -> bool:
    """Deep inside a recursive schema only what must be there is."""
    return depth < _DEPTH_MAX // 2 or name in schema.get("required", ())


def _kind(schema: JsonObject) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((each for each in kind if each != "null"), "null")
    return kind if isinstance(kind, str) else ("object" if "properties" in schema else "string")


def _string(schema: JsonObject, dice: Dice) -> str:
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    word = dice.pick(LOREM)
    return word.ljust(int(schema.get("minLength", 0)), "x")[: int(schema.get("maxLength", 64))]


def _number(schema: JsonObject) -> float:
    if "minimum" in schema:
        return float(schema["minimum"])
    if "exclusiveMinimum" in schema:
        return float(schema["exclusiveMinimum"]) + 1
    return min(7.0, float(schema.get("maximum", 7.0)))


def _resolve(pointer: str, root: JsonObject) -> Any:
    """A reference within the same schema (`#/$defs/Name`), None for any other."""
    found: Any = root
    for step in pointer.removeprefix("#").strip("/").split("/") if pointer != "#" else []:
        if not isinstance(found, dict):
            return None
        found = found.get(step.replace("~1", "/").replace("~0", "~"))
    return found
