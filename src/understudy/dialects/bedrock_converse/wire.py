"""What every piece of the Converse codec needs: its own fields, and the names of media types."""

from __future__ import annotations

from typing import Any

from understudy.core.conversation import Extra
from understudy.core.value import JsonObject
from understudy.dialects._reading import Unreadable

NAME = "bedrock_converse"


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
