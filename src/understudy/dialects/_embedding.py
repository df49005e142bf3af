"""What every format of embeddings needs: reading its members, and vectors as text and back."""

from __future__ import annotations

import struct
from base64 import b64decode, b64encode
from binascii import Error as BadBase64
from math import isfinite
from typing import Any

import msgspec

from understudy.core.failure import Failure, FailureKind
from understudy.core.usage import Usage
from understudy.core.value import JsonObject
from understudy.dialects import BadBody, Quirks
from understudy.dialects._reading import COUNT_MAX, Unreadable

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_NULL = msgspec.Raw(b"null")

BYTES_PER_TOKEN = 4
NO_VECTOR = Failure(FailureKind.EMPTY, "the answer has no vectors")


def read_members(body: bytes) -> dict[str, Any]:
    """The members of a request, their values as bytes. Raises `BadBody`."""
    try:
        str(body, "utf-8")  # raw members are not looked into: nobody else would notice
        return dict(_members(body))
    except UnicodeDecodeError:
        raise BadBody("the body is not valid UTF-8") from None
    except RecursionError:
        raise BadBody("the body is nested too deeply") from None
    except msgspec.DecodeError as error:
        raise BadBody(f"the body is not valid JSON: {error}") from None


def value_of(members: dict[str, Any], name: str, kind: type) -> Any:
    """One of such members read, None when it is absent or null. Raises `BadBody`."""
    raw = members.get(name)
    if raw is None:
        return None
    try:
        return msgspec.json.decode(bytes(raw), type=kind | None)
    except (RecursionError, msgspec.DecodeError) as error:
        raise BadBody(f"{name}: {error}") from None


def apply_quirks(members: dict[str, Any], quirks: Quirks) -> tuple[str, ...]:
    """Leave out what the provider refuses and set what it wants. Returns the names of what was dropped."""
    dropped = tuple(name for name in quirks.drop if members.pop(name, _NULL) not in (None, _NULL))
    members.update(quirks.fields)
    return dropped


def take(fields: JsonObject, name: str, kind: type, where: str = "") -> Any:
    """The field's value, None when it is absent or null. Raises `Unreadable` when it is of another kind."""
    found = fields.pop(name, None)
    if found is None or (isinstance(found, kind) and not (isinstance(found, bool) and kind is not bool)):
        return found
    raise Unreadable(f"{where}{name} must be {_NAMES[kind]}")


def need(fields: JsonObject, name: str, kind: type, where: str = "") -> Any:
    """Like `take`, but the field must be there."""
    found = take(fields, name, kind, where)
    if found is None:
        raise Unreadable(f"{where}{name} is missing: it must be {_NAMES[kind]}")
    return found


_NAMES = {str: "a string", dict: "an object", list: "a list", bool: "true or false", int: "an integer"}


def count_of(*found: Any) -> Usage | None:
    """The usage that the first plausible count tells; None when there is none: then ours is an estimate."""
    for one in found:
        if isinstance(one, int) and not isinstance(one, bool) and 0 < one <= COUNT_MAX:
            return Usage(input=one)
    return None


def read_vector(found: Any, where: str) -> tuple[float, ...]:
    """A vector as numbers, or as the base64 of 32-bit floats. Raises `Unreadable`."""
    vector = _unpacked(found) if isinstance(found, str) else tuple(found) if isinstance(found, list) else ()
    try:
        struct.pack(f"<{len(vector)}f", *vector)
        finite = isfinite(sum(vector))
    except (struct.error, OverflowError, TypeError):
        finite = False  # no numbers, or none that a caller could be given in 32 bits
    if not vector or not finite:
        raise Unreadable(f"{where} is no vector: it must be a list of numbers, or base64 of 32-bit floats")
    return vector


def _unpacked(text: str) -> tuple[float, ...]:
    try:
        data = b64decode(text, validate=True)
    except (BadBase64, ValueError):
        return ()
    return struct.unpack(f"<{len(data) // 4}f", data) if len(data) % 4 == 0 else ()


def packed(vector: tuple[float, ...]) -> str:
    """A vector as the base64 of little-endian 32-bit floats."""
    return b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
