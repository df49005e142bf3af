"""Finds stop sequences in a text that comes in pieces, and shows nothing of them."""

from __future__ import annotations

from collections.abc import Sequence


class StopCutter:
    """Gives back what may be shown. `met`: the sequence that ended the text, None so far.

    The end of a piece may be the beginning of a sequence: so much is held back until it is known.
    """

    __slots__ = ("_held", "_stops", "met")

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._held = ""
        self.met: str | None = None

    def feed(self, text: str) -> str:
        """What can be shown after another piece; "" once a sequence was met."""
        if not self._stops:
            return text
        if self.met is not None:
            return ""
        text = self._held + text
        found = [(text.index(stop), -len(stop), stop) for stop in self._stops if stop in text]
        if found:
            at, _, self.met = min(found)  # the earliest, and of two at one place the longer
            self._held = ""
            return text[:at]
        keep = max(_overlap(text, stop) for stop in self._stops)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def rest(self) -> str:
        """What was held back and turned out to be text: asked for at the end."""
        held, self._held = self._held, ""
        return held


def _overlap(text: str, stop: str) -> int:
    """How many characters at the end of a text begin a sequence."""
    longest = min(len(text), len(stop) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(stop[:size])), 0)
