"""A value that fits a JSON schema, for tool arguments and structured answers."""

from __future__ import annotations

import json
from math import isfinite
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
_VALUE_CHARS = 16
"""What a value is reckoned at besides its own characters: many short ones take their time, too."""


class TooLarge(Exception):
    """What fits the schema is larger than there is room for."""


def example(schema: Any, dice: Dice, *, chars_max: int = 1 << 20) -> Any:
    """A value of the schema; what it does not restrict is simple. Draft 2020-12 as far as models are asked for it.

    `chars_max`: of its JSON, roughly. Raises `TooLarge`; for a schema whose members are of wrong types or beyond all numbers
    `AttributeError`, `KeyError`, `TypeError`, `ValueError` or `OverflowError`.
    """
    return _Writer(schema if isinstance(schema, dict) else {}, dice, chars_max).example(schema, 0)


class _Writer:
    """Writes one value. `room`: the characters that are left for it; a few lines of schema can ask for more than a machine holds."""

    __slots__ = ("_dice", "_room", "_root")

    def __init__(self, root: JsonObject, dice: Dice, room: int) -> None:
        self._root = root
        self._dice = dice
        self._room = room

    def example(self, schema: Any, depth: int) -> Any:
        self._take(_VALUE_CHARS)
        if not isinstance(schema, dict) or depth > _DEPTH_MAX:
            return None
        if isinstance(pointer := schema.get("$ref"), str):
            return self.example(_resolve(pointer, self._root), depth + 1)
        if "const" in schema:
            return self._given(schema["const"])
        if schema.get("enum"):
            return self._given(self._dice.pick(schema["enum"]))
        for union in ("anyOf", "oneOf", "allOf"):
            if schema.get(union):
                return self.example(schema[union][0], depth + 1)
        match _kind(schema):
            case "object":
                return self._object(schema, depth)
            case "array":
                items = schema.get("items", {})
                return [self.example(items, depth + 1) for _ in range(max(1, int(schema.get("minItems", 1))))]
            case "string":
                return self._string(schema)
            case "integer":
                return int(_number(schema))
            case "number":
                return _number(schema)
            case "boolean":
                return True
            case _:
                return None

    def _take(self, chars: int) -> None:
        self._room -= chars
        if self._room < 0:
            raise TooLarge

    def _given(self, found: Any) -> Any:
        """A value that the schema itself holds."""
        self._take(len(found) if isinstance(found, str) else len(json.dumps(found)))
        return found

    def _object(self, schema: JsonObject, depth: int) -> JsonObject:
        properties = schema.get("properties")
        names = properties if isinstance(properties, dict) else {}
        if depth >= _DEPTH_MAX // 2:  # deep inside a recursive schema only what must be there is
            required = frozenset(schema.get("required", ()))
            names = {name: inner for name, inner in names.items() if name in required}
        made = {}
        for name, inner in names.items():
            self._take(len(name))
            made[name] = self.example(inner, depth + 1)
        return made

    def _string(self, schema: JsonObject) -> str:
        if schema.get("format") in _FORMATS:
            return _FORMATS[schema["format"]]
        least = int(schema.get("minLength", 0))
        self._take(least)
        return self._dice.pick(LOREM).ljust(least, "x")[: int(schema.get("maxLength", 64))]


def _kind(schema: JsonObject) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((each for each in kind if each != "null"), "null")
    return kind if isinstance(kind, str) else ("object" if "properties" in schema else "string")


def _number(schema: JsonObject) -> float:
    if "minimum" in schema:
        found = float(schema["minimum"])
    elif "exclusiveMinimum" in schema:
        found = float(schema["exclusiveMinimum"]) + 1
    else:
        found = min(7.0, float(schema.get("maximum", 7.0)))
    if not isfinite(found):
        raise ValueError(f"{found} is no number of JSON")
    return found


def _resolve(pointer: str, root: JsonObject) -> Any:
    """A reference within the same schema (`#/$defs/Name`), None for any other."""
    found: Any = root
    for step in pointer.removeprefix("#").strip("/").split("/") if pointer != "#" else []:
        if not isinstance(found, dict):
            return None
        found = found.get(step.replace("~1", "/").replace("~0", "~"))
    return found
