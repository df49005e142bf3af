"""Reading the fields of Cohere and Ollama: a whole number may be written as 40.0, for servers in Go and Python take both."""

from __future__ import annotations

from typing import Any

from understudy.core.conversation import Extra
from understudy.core.value import JsonObject
from understudy.dialects._reading import COUNT_MAX, Unreadable, at, named


def an_object(found: Any, where: str) -> JsonObject:
    """A copy of an object. Raises `Unreadable` for anything else."""
    if not isinstance(found, dict):
        raise Unreadable(f"{where} must be a JSON object")
    return dict(found)


def take(fields: JsonObject, key: str, kind: type | tuple[type, ...], where: str = "") -> Any:
    """The field's value, None when it is absent or null. Raises `Unreadable` when it is of another kind."""
    found = fields.pop(key, None)
    if kind is int and isinstance(found, float) and found.is_integer():
        found = int(found)
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if found is None or (isinstance(found, kinds) and (bool in kinds or not isinstance(found, bool))):
        return found
    raise Unreadable(f"{at(where, key)} must be {named(kind)}")


def need(fields: JsonObject, key: str, kind: type | tuple[type, ...], where: str = "") -> Any:
    """Like `take`, but the field must be there."""
    found = take(fields, key, kind, where)
    if found is None:
        raise Unreadable(f"{at(where, key)} is missing: it must be {named(kind)}")
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
