"""What the formats of OpenAI read alike: JSON as careless servers write it, complaints about a body, token counts."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from understudy.dialects._reading import COUNT_MAX, Unreadable

_decode = msgspec.json.Decoder().decode


def decode(body: bytes) -> Any:
    """JSON as plain values, half a surrogate pair being mended. Raises `Unreadable` for bad JSON, bad UTF-8 and absurd nesting."""
    try:
        return _decode(body)
    except RecursionError:
        raise Unreadable("the JSON is nested too deeply") from None
    except UnicodeDecodeError:
        raise Unreadable("the body is not valid UTF-8") from None
    except msgspec.DecodeError as error:
        if b"\\u" in body:
            return _mended(body, error)
        raise Unreadable(f"the body is not valid JSON: {error}") from None


def _mended(body: bytes, error: msgspec.DecodeError) -> Any:
    """JSON with half a surrogate pair, as a server writes it that cuts text between UTF-16 units: half becomes U+FFFD."""
    try:
        found = json.loads(body)
        whole = (
            json.dumps(found, ensure_ascii=False).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        )
        return _decode(whole)
    except (ValueError, RecursionError):  # of which a msgspec error is one, too
        raise Unreadable(f"the body is not valid JSON: {error}") from None


def complaint(error: msgspec.DecodeError) -> str:
    """What is wrong with a body, and where, in words for the caller."""
    told = str(error)
    if found := _PATH.match(told):
        return f"{found['path']}: {found['said'][:1].lower()}{found['said'][1:]}"
    if "missing required field" in told:
        return told.replace("Object missing required field", "the body lacks")
    return f"the body is not valid JSON: {told}"


_PATH = re.compile(r"(?P<said>.*) - at `\$\.?(?P<path>[^`]*)`\Z", re.DOTALL)


class Counts:
    """Reads token counts, and remembers whether all of them can be true (`sound`)."""

    __slots__ = ("sound",)

    def __init__(self) -> None:
        self.sound = True

    def count(self, holder: Any, name: str) -> int:
        """A natural number; 0 for none, and for what is no such number."""
        found = holder.get(name) if isinstance(holder, dict) else None
        if found is None:
            return 0
        if isinstance(found, float) and found.is_integer():
            found = int(found)
        if isinstance(found, int) and not isinstance(found, bool) and 0 <= found <= COUNT_MAX:
            return found
        self.sound = False
        return 0

    def first(self, *places: tuple[Any, str]) -> int:
        """The first count that is not zero: servers write one number under several names."""
        return next((found for holder, name in places if (found := self.count(holder, name))), 0)

    def part(self, part: int, whole: int) -> int:
        """A part of a whole; 0 for one that is larger."""
        if part <= whole:
            return part
        self.sound = False
        return 0
