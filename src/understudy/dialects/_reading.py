"""JSON of any wire format: read with the place of a fault in words, each known field being taken out of its node."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from understudy.core.value import JsonObject

# Packages that have modules called encode and decode import these as write_json and read_json.
encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class Unreadable(Exception):
    """A value does not fit the format. The message names its place; whose mistake it is, the caller of the codec knows."""


def decode(body: bytes | str) -> Any:
    """JSON as plain values. Raises `Unreadable` for bad JSON, bad UTF-8 and absurd nesting."""
    try:
        return _decode(body)
    except RecursionError:
        raise Unreadable("the JSON is nested too deeply") from None
    except UnicodeDecodeError:
        raise Unreadable("the body is not valid UTF-8") from None
    except msgspec.DecodeError as error:
        raise Unreadable(f"the body is not valid JSON: {error}") from None


def read_object(body: bytes) -> JsonObject:
    """The members of a body that must be an object. Raises `Unreadable`."""
    found = decode(body)
    if not isinstance(found, dict):
        raise Unreadable("the body must be a JSON object")
    return found


Member = msgspec.Raw | msgspec.UnsetType
"""A member that a cheap pass leaves as bytes. (UNSET as a default costs half of what an empty Raw costs.)"""


def raw_value(raw: Member) -> Any:
    """The value of a member left as bytes, None when it is absent. Raises what `msgspec` raises."""
    return None if raw is msgspec.UNSET else _decode(raw)


def raw_object(raw: Member) -> JsonObject:
    """The same, `{}` when it is no object."""
    found = raw_value(raw)
    return found if isinstance(found, dict) else {}


# Each takes its field out of the mapping, so that what is left over is known to be of this dialect only.


def take(fields: JsonObject, key: str, kind: type | tuple[type, ...], where: str = "") -> Any:
    """The field's value, None when it is absent or null. Raises `Unreadable` when it is of another kind."""
    found = fields.pop(key, None)
    if found is None or (isinstance(found, kind) and not (isinstance(found, bool) and kind is not bool)):
        return found
    raise Unreadable(f"{at(where, key)} must be {named(kind)}")


def need(fields: JsonObject, key: str, kind: type | tuple[type, ...], where: str = "") -> Any:
    """Like `take`, but the field must be there."""
    found = take(fields, key, kind, where)
    if found is None:
        raise Unreadable(f"{at(where, key)} is missing: it must be {named(kind)}")
    return found


def at(where: str, key: str) -> str:
    """The path of a field."""
    return f"{where}.{key}" if where else key


NUMBER = (int, float)
_NAMES = {str: "a string", dict: "an object", list: "a list", bool: "true or false", int: "an integer"}


def named(kind: type | tuple[type, ...]) -> str:
    """What a field must be, in words."""
    if kind == NUMBER:
        return "a number"
    return " or ".join(_NAMES[one] for one in (kind if isinstance(kind, tuple) else (kind,)))


def words(found: Any) -> str:
    """A string that may be absent: anything else says nothing."""
    return found if isinstance(found, str) else ""


def in_order(alternatives: list[Any]) -> list[Any]:
    """The alternatives of an answer by their `index`; as they stand where one has none (Google leaves out 0)."""
    numbers = [one.get("index", 0) if isinstance(one, dict) else None for one in alternatives]
    if any(type(number) is not int for number in numbers) or len(dict.fromkeys(numbers)) < len(numbers):
        return alternatives
    return sorted(alternatives, key=lambda one: int(one.get("index", 0)))


def made_id(prefix: str, *about: object) -> str:
    """An id where the provider gave none: the same for the same circumstances."""
    seed = ":".join(map(str, about)).encode("utf-8", "surrogatepass")
    return prefix + hashlib.sha256(seed).hexdigest()[:24]


COUNT_MAX = 10**12
"""More tokens than any answer has."""
