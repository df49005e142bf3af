"""Pictures, documents, sound and video: `inlineData` and `fileData`, told apart by their media type."""

from __future__ import annotations

from understudy.core.conversation import (
    Audio,
    Document,
    Extra,
    Image,
    Inline,
    Part,
    Remote,
    Source,
    Stored,
    Video,
)
from understudy.core.value import JsonObject
from understudy.dialects.gemini.wire import NAME, camelled, own, rest

Media = Image | Document | Audio | Video

_OF_THE_BLOB = ("mimeType", "displayName")
"""Fields beside the data itself; any other stands beside the blob (`videoMetadata`, `mediaResolution`)."""

# Spellings of a media type that has another name elsewhere.
_SOUNDS = {"mpeg": "mp3", "x-wav": "wav", "wave": "wav", "vnd.wave": "wav", "x-aiff": "aiff", "x-flac": "flac"}
_YOUTUBE = ("https://youtu.be/", "https://www.youtube.com/", "https://youtube.com/")
_FILES = "https://generativelanguage.googleapis.com/"

# Kind -> media type by the end of an address, and the one that is assumed where it says nothing.
_BY_ENDING: dict[str, dict[str, str]] = {
    "image": {
        "": "image/jpeg",
        "heic": "image/heic",
        "heif": "image/heif",
        "png": "image/png",
        "webp": "image/webp",
    },
    "document": {
        "": "application/pdf",
        "csv": "text/csv",
        "htm": "text/html",
        "html": "text/html",
        "md": "text/markdown",
        "txt": "text/plain",
    },
    "video": {"": "video/mp4", "mov": "video/quicktime", "mpeg": "video/mpeg", "webm": "video/webm"},
}


def kind_of(media_type: str) -> str:
    """Which kind of part holds data of a media type: image, audio, video or document."""
    family = media_type.partition("/")[0].lower()
    return family if family in {"image", "audio", "video"} else "document"


def is_held(uri: str) -> bool:
    """Whether a file is where only Google can fetch it: in a bucket, or uploaded there."""
    return uri.startswith(_FILES) or not uri.startswith(("http://", "https://"))


def read_media(part: JsonObject) -> Media | None:
    """A part with `inlineData` or `fileData`, its names in camel case; None for a shape that no kind of part has."""
    fields = dict(part)
    blob, file = fields.pop("inlineData", None), fields.pop("fileData", None)
    if isinstance(blob, dict) and file is None:
        return _inline(camelled(blob), fields)
    if isinstance(file, dict) and blob is None:
        return _file(camelled(file), fields)
    return None


def _inline(blob: JsonObject, beside: JsonObject) -> Media | None:
    media_type, data = blob.pop("mimeType", None), blob.pop("data", None)
    if not isinstance(media_type, str) or not isinstance(data, str) or not blob.keys() <= {"displayName"}:
        return None
    kind = kind_of(media_type)
    if kind == "audio":
        suffix = media_type.partition("/")[2]
        if suffix in _SOUNDS:
            blob["mimeType"] = media_type
        return Audio(data, _SOUNDS.get(suffix, suffix), rest({**blob, **beside}))
    return _of_kind(kind, Inline(media_type, data), rest({**blob, **beside}))


def _file(file: JsonObject, beside: JsonObject) -> Media | None:
    uri, media_type = file.pop("fileUri", None), file.pop("mimeType", None)
    if media_type is None and isinstance(uri, str) and uri.startswith(_YOUTUBE):
        media_type = _assumed("video", uri)
    if not isinstance(uri, str) or not isinstance(media_type, str) or not file.keys() <= {"displayName"}:
        return None
    kind = kind_of(media_type)
    if kind == "audio":
        return None  # no other format has sound at an address
    if media_type != _assumed(kind, uri):
        file["mimeType"] = media_type
    source = Stored(NAME, uri) if is_held(uri) else Remote(uri)
    return _of_kind(kind, source, rest({**file, **beside}))


def _of_kind(kind: str, source: Source, extra: Extra | None) -> Media:
    if kind == "image":
        return Image(source, extra=extra)
    return Video(source, extra) if kind == "video" else Document(source, extra=extra)


def _assumed(kind: str, uri: str) -> str:
    """The media type that an address of this kind is taken for."""
    known = _BY_ENDING[kind]
    return known.get(uri.partition("?")[0].rpartition(".")[2].lower(), known[""])


def write_media(part: Part) -> JsonObject:
    """The part of a message that holds media."""
    if isinstance(part, Audio):
        return _blob("inlineData", {"mimeType": f"audio/{part.format}", "data": part.data}, part.extra)
    if not isinstance(part, Image | Document | Video):
        raise TypeError(f"{type(part).__name__} was not projected away")
    source = part.source
    if isinstance(source, Inline):
        return _blob("inlineData", {"mimeType": source.media_type, "data": source.data}, part.extra)
    kind = "image" if isinstance(part, Image) else "video" if isinstance(part, Video) else "document"
    if isinstance(source, Remote | Stored):
        uri = source.url if isinstance(source, Remote) else source.id
        return _blob("fileData", {"mimeType": _assumed(kind, uri), "fileUri": uri}, part.extra)
    raise TypeError(f"{type(source).__name__} was not projected away")


def _blob(name: str, fields: JsonObject, extra: Extra | None) -> JsonObject:
    others = own(extra)
    of_the_blob = {key: others[key] for key in _OF_THE_BLOB if key in others}
    return {
        name: {**fields, **of_the_blob},
        **{key: held for key, held in others.items() if key not in of_the_blob},
    }
