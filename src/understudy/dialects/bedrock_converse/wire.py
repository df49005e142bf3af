"""What every piece of the Converse codec needs: reading JSON with a path to the fault, and the names of media types."""

from __future__ import annotations

from typing import Any

import msgspec

from understudy.core.conversation import Extra
from understudy.core.value import JsonObject

NAME = "bedrock_converse"

encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class Unreadable(Exception):
    """A value does not fit the format. The message names its place; whose mistake it is, the caller of the codec knows."""


def decode(body: bytes | str) -> Any:
    """JSON as plain values. Raises `Unreadable` for bad JSON, bad UTF-8 and absurd nesting."""
    try:
        return _decode(body)
    except RecursionError:
        raise Unreadable("JSON that is nested too deeply") from None
    except UnicodeDecodeError:
        raise Unreadable("not valid UTF-8") from None
    except msgspec.DecodeError as error:
        raise Unreadable(f"not valid JSON: {error}") from None


Member = msgspec.Raw | msgspec.UnsetType
"""A member that a cheap pass leaves as bytes. (UNSET as a default costs half of what an empty Raw costs.)"""


def raw_object(raw: Member) -> JsonObject:
    """The object in a member left as bytes; `{}` when it is absent, or none. Raises what `msgspec` raises."""
    found = {} if raw is msgspec.UNSET else _decode(raw)
    return found if isinstance(found, dict) else {}


# Reading fields: each takes its field out of the mapping, so that what is left over is known to be of this dialect only.

NUMBER = (int, float)
_NAMES = {str: "a string", dict: "an object", list: "a list", bool: "true or false", int: "an integer"}


def take(fields: JsonObject, key: str, kind: type | tuple[type, ...], where: str = "") -> Any:
    """The field's value, None when it is absent or null. Raises `Unreadable` when it is of another kind."""
    found = fields.pop(key, None)
    if found is None or (isinstance(found, kind) and not (isinstance(found, bool) and kind is not bool)):
        return found
    raise Unreadable(f"{at(where, key)} must be {_named(kind)}")


def need(fields: JsonObject, key: str, kind: type | tuple[type, ...], where: str = "") -> Any:
    """Like `take`, but the field must be there."""
    found = take(fields, key, kind, where)
    if found is None:
        raise Unreadable(f"{at(where, key)} is missing: it must be {_named(kind)}")
    return found


def an_object(found: Any, where: str) -> JsonObject:
    """A copy of an object. Raises `Unreadable` for anything else."""
    if not isinstance(found, dict):
        raise Unreadable(f"{where} must be an object")
    return dict(found)


def rest(fields: JsonObject) -> Extra | None:
    """What was not taken, without nulls; None when nothing is left."""
    left = {key: held for key, held in fields.items() if held is not None}
    return Extra(NAME, left) if left else None


def own(extra: Extra | None) -> JsonObject:
    """The fields that this dialect itself left on a node."""
    return extra.fields if extra is not None and extra.dialect == NAME else {}


def kind_of(union: JsonObject) -> str:
    """Which member of a union an object is: the API writes each as an object with one field, named after it."""
    kind = union.get("type")
    return kind if isinstance(kind, str) else next((name for name, held in union.items() if held is not None), "")


def at(where: str, key: str) -> str:
    """The path of a field."""
    return f"{where}.{key}" if where else key


def _named(kind: type | tuple[type, ...]) -> str:
    if kind == NUMBER:
        return "a number"
    return " or ".join(_NAMES[one] for one in (kind if isinstance(kind, tuple) else (kind,)))


# The API's word for a format -> its media type.

IMAGES = {"gif": "image/gif", "jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
DOCUMENTS = {
    "csv": "text/csv",
    "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "html": "text/html",
    "md": "text/markdown",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
VIDEOS = {
    "flv": "video/x-flv",
    "mkv": "video/x-matroska",
    "mov": "video/quicktime",
    "mp4": "video/mp4",
    "mpeg": "video/mpeg",
    "mpg": "video/mpg",
    "three_gp": "video/3gpp",
    "webm": "video/webm",
    "wmv": "video/x-ms-wmv",
}
FORMATS = {media_type: name for table in (IMAGES, DOCUMENTS, VIDEOS) for name, media_type in table.items()}
