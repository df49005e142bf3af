"""Pictures as Ollama takes them: base64 without a word about what it is, beside the text of the turn."""

from __future__ import annotations

from typing import Any

from understudy.core.conversation import Image, Inline
from understudy.dialects._reading import Unreadable

# How the bytes of each kind begin, in base64; what begins otherwise is taken for the most usual.
_SIGNS = (("/9j/", "image/jpeg"), ("UklGR", "image/webp"))
_USUAL = "image/png"

MEDIA_TYPES = ("image/jpeg", "image/png", "image/webp")
"""What Ollama's own engine decodes (golang.org/x/image)."""


def type_of(data: str) -> str:
    """What a picture is, by its bytes."""
    return next((kind for sign, kind in _SIGNS if data.startswith(sign)), _USUAL)


def read_pictures(found: Any, where: str) -> list[Image]:
    """The entries of `images`. Raises `Unreadable`."""
    if not all(isinstance(one, str) for one in found or ()):
        raise Unreadable(f"{where} must be a list of base64 strings")
    return [Image(Inline(type_of(data), data)) for data in found or ()]


def write_picture(picture: Image) -> str:
    """One entry of `images`."""
    if not isinstance(picture.source, Inline):
        raise TypeError(f"{type(picture.source).__name__} was not projected away")
    return picture.source.data
