"""Function arguments that come in pieces (`partialArgs`): each piece says where in the arguments its value belongs.

Vertex sends them where `streamFunctionCallArguments` asks for it. A path is of the kind `$.places[0]['the city']`.
"""

from __future__ import annotations

import re
from typing import Any

from understudy.core.value import JsonObject
from understudy.dialects._reading import Unreadable
from understudy.dialects.gemini.wire import camelled

_STEP = re.compile(
    r"\.(?P<name>[^.\[\]]+)|\[(?P<place>\d{1,6})\]|\['(?P<single>(?:[^'\\]|\\.)*)'\]|\[\"(?P<double>(?:[^\"\\]|\\.)*)\"\]"
)
_ESCAPED = re.compile(r"\\(.)")
_VALUES = ("stringValue", "numberValue", "boolValue", "nullValue")


class PartialArguments:
    """Feed it the pieces in order; `value` is what they amount to."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: JsonObject = {}

    def add(self, pieces: Any) -> None:
        """The pieces of one event. Raises `Unreadable`."""
        for piece in pieces if isinstance(pieces, list) else ():
            fields = camelled(piece) if isinstance(piece, dict) else {}
            path = fields.get("jsonPath")
            if not isinstance(path, str) or not path.startswith("$"):
                raise Unreadable("functionCall.partialArgs[].jsonPath must be a path")
            name = next((name for name in _VALUES if name in fields), None)
            if name is not None:
                self._put(_steps(path), None if name == "nullValue" else fields[name])

    def _put(self, steps: list[str | int], held: Any) -> None:
        """Set the value at a path, or let the text there grow."""
        node: Any = self.value
        for step, deeper in zip(steps, [*steps[1:], None], strict=True):
            if isinstance(step, int):
                if not isinstance(node, list):
                    raise Unreadable("functionCall.partialArgs: an element of what is no list")
                node += [None] * (step + 1 - len(node))
            elif not isinstance(node, dict):
                raise Unreadable("functionCall.partialArgs: a member of what is no object")
            before = node[step] if isinstance(step, int) else node.get(step)
            if deeper is None:
                node[step] = before + held if isinstance(before, str) and isinstance(held, str) else held
            elif before is None:
                before = node[step] = [] if isinstance(deeper, int) else {}
            node = before


def _steps(path: str) -> list[str | int]:
    steps: list[str | int] = []
    at = 1
    while at < len(path):
        found = _STEP.match(path, at)
        if found is None:
            raise Unreadable(f"functionCall.partialArgs[].jsonPath cannot be read: {path[:80]!r}")
        quoted = found["single"] if found["single"] is not None else found["double"]
        if quoted is not None:
            steps.append(_ESCAPED.sub(r"\1", quoted))
        else:
            steps.append(found["name"] if found["place"] is None else int(found["place"]))
        at = found.end()
    if not steps:
        raise Unreadable("functionCall.partialArgs[].jsonPath names no argument")
    return steps
