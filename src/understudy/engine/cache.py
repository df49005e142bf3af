"""What routes said before, for when nothing else can answer: the store behind the `stale_cache` target."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import sha256

import msgspec

from understudy.core.answer import Answer
from understudy.core.request import Call

BYTES_MAX = 16 * 1024 * 1024
AGE_MAX_S = 24 * 3600.0

_NOT_CONTENT = ("stream", "stream_options")
"""How an answer is delivered is not part of what was asked."""


class StaleCache:
    """Least recently used first out, bounded by bytes and age. One per worker."""

    __slots__ = ("_bytes", "_bytes_max", "_kept")

    def __init__(self, bytes_max: int = BYTES_MAX) -> None:
        self._kept: OrderedDict[bytes, tuple[float, int, Answer]] = OrderedDict()
        self._bytes = 0
        self._bytes_max = bytes_max

    def get(self, key: bytes, now_s: float) -> Answer | None:
        """The answer under a key; None when there is none, or it is too old."""
        found = self._kept.get(key)
        if found is None:
            return None
        at_s, size, answer = found
        if now_s - at_s > AGE_MAX_S:
            del self._kept[key]
            self._bytes -= size
            return None
        self._kept.move_to_end(key)
        return answer

    def put(self, key: bytes, answer: Answer, size: int, now_s: float) -> None:
        """Keep an answer of `size` bytes; one that is larger than the whole store is not kept."""
        if size > self._bytes_max:
            return
        before = self._kept.pop(key, None)
        if before is not None:
            self._bytes -= before[1]
        self._kept[key] = (now_s, size, answer)
        self._bytes += size
        while self._bytes > self._bytes_max:
            _, (_, dropped, _) = self._kept.popitem(last=False)
            self._bytes -= dropped


def key_of(call: Call) -> bytes:
    """Equal for equal questions of the same principal to the same name in the same dialect, whatever the order of their fields."""
    asked = msgspec.json.encode((call.route or call.needs.model, call.dialect, call.principal))
    digest = sha256(_canonical(call.body))
    digest.update(b"\0" + asked)  # not every dialect has the name in the body
    return digest.digest()


def _canonical(body: bytes) -> bytes:
    """What was asked, however its fields are ordered; as it came where a member that nobody here looks into cannot be read (`1e999`)."""
    try:
        fields = msgspec.json.decode(body)
        for name in _NOT_CONTENT:
            fields.pop(name, None)
        return msgspec.json.encode(fields, order="deterministic")
    except (msgspec.DecodeError, RecursionError):
        return body
