"""Reading JSON field by field, with a path to the fault; what is left over is known to be of one dialect only.

A whole number may be written as 40.0: servers in Go and Python take both.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from understudy.core.conversation import Extra
from understudy.core.value import JsonObject

encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class Unreadable(Exception):
    """A value does not fit the format. The message names its place."""


def decode(body: bytes) -> Any:
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
    return an_object(decode(body), "the body")


def an_object(found: Any, where: str) -> JsonObject:
    """A copy of an object. Raises `Unreadable` for anything else."""
    if not isinstance(found, dict):
        raise Unreadable(f"{where} must be a JSON object")
    return dict(found)


# Each takes its field out of the mapping.

NUMBER = (int, float)
_NAMES = {str: "a string", dict: "an object", list: "a list", bool: "true or false", int: "an integer"}


def take(fields: JsonObject, key: str, kind: type | tuple[type, ...], where: str = "") -> Any:
    """The field's value, None when it is absent or null. Raises `Unreadable` when it is of another kind."""
    found = fields.pop(key, None)
    if kind is int and isinstance(found, float) and found.is_integer():
        found = int(found)
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if found is None or (isinstance(found, kinds) and (bool in kinds or not isinstance(found, bool))):
        return found
    raise Unreadable(f"{at(where, key)} must be {_named(kind)}")


def need(fields: JsonObject, key: str, kind: type | tuple[type, ...], where: str = "") -> Any:
    """Like `take`, but the field must be there."""
    found = take(fields, key, kind, where)
    if found is None:
        raise Unreadable(f"{at(where, key)} is missing: it must be {_named(kind)}")
    return found


def strings(fields: JsonObject, key: str, where: str = "") -> tuple[str, ...]:
    """A list of strings, or one alone; empty ones are left out."""
    found = take(fields, key, (str, list), where)
    listed = [found] if isinstance(found, str) else found or []
    if not all(isinstance(one, str) for one in listed):
        raise Unreadable(f"{at(where, key)} must be a list of strings")
    return tuple(one for one in listed if one)


def rest(fields: JsonObject, dialect: str) -> Extra | None:
    """What was not taken, without nulls; None when nothing is left."""
    left = {key: held for key, held in fields.items() if held is not None}
    return Extra(dialect, left) if left else None


def own(extra: Extra | None, dialect: str) -> JsonObject:
    """The fields that a dialect itself left on a node."""
    return extra.fields if extra is not None and extra.dialect == dialect else {}


def at(where: str, key: str) -> str:
    """The path of a field."""
    return f"{where}.{key}" if where else key


def _named(kind: type | tuple[type, ...]) -> str:
    if kind == NUMBER:
        return "a number"
    return " or ".join(_NAMES[one] for one in (kind if isinstance(kind, tuple) else (kind,)))


def words(found: Any) -> str:
    """A string that may be absent: anything else says nothing."""
    return found if isinstance(found, str) else ""


def made_id(prefix: str, *about: object) -> str:
    """An id where the provider gave none: the same for the same circumstances."""
    seed = ":".join(map(str, about)).encode("utf-8", "surrogatepass")
    return prefix + hashlib.sha256(seed).hexdigest()[:24]


def gathered(about: JsonObject, name: str, held: Any) -> None:
    """Add what one event of a stream says of a field: lists grow, objects are merged, anything else is the last that was said."""
    before = about.get(name)
    if isinstance(before, list) and isinstance(held, list):
        about[name] = before + held
    elif isinstance(before, dict) and isinstance(held, dict):
        about[name] = dict(before)
        for key, inner in held.items():
            gathered(about[name], key, inner)
    elif held is not None:
        about[name] = held


COUNT_MAX = 10**12
"""More tokens than any answer has."""


class Counts:
    """Reads token counts, and remembers whether all of them can be true."""

    __slots__ = ("sound",)

    def __init__(self) -> None:
        self.sound = True

    def count(self, holder: Any, name: str) -> int | None:
        """A natural number; None when it is absent or cannot be true."""
        found = holder.get(name) if isinstance(holder, dict) else None
        if isinstance(found, float) and found.is_integer():
            found = int(found)
        if found is None or (type(found) is int and 0 <= found <= COUNT_MAX):
            return found
        self.sound = False
        return None
