"""The events of a stream, put together: what the answer would have been had it come whole."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from understudy.core.answer import (
    Answer,
    Begin,
    Choice,
    Failed,
    Field,
    Finish,
    PartBegin,
    PartDelta,
    PartEnd,
    PartExtra,
    StreamEvent,
    UsageSeen,
)
from understudy.core.conversation import Extra, Part, Reasoning, Refusal, Text, ToolCall
from understudy.core.failure import Failure
from understudy.core.usage import Usage


class Ungrammatical(Exception):
    """Stream events in an order that the grammar in `core.answer` forbids."""


class Assembly:
    """Feed it the events of one stream; ask it for the answer so far.

    `failure`: the error that the stream reported, None without one. `usage`: the last that was seen.
    A `Reasoning` part may open with `signed_by` set because a signature may follow; without one it ends unsigned.
    """

    __slots__ = ("_begin", "_finishes", "_parts", "failure", "usage")

    def __init__(self) -> None:
        self._begin: Begin | None = None
        self._parts: dict[tuple[int, int], _OpenPart] = {}
        self._finishes: dict[int, Finish] = {}
        self.usage: Usage | None = None
        self.failure: Failure | None = None

    def add(self, event: StreamEvent) -> None:
        """Take one event. Raises `Ungrammatical`."""
        if isinstance(event, PartDelta):
            self._open(event.choice, event.index).text.setdefault(event.field, []).append(event.text)
        elif isinstance(event, PartBegin):
            self._check(self._begin is not None, "a part before Begin")
            self._check((event.choice, event.index) not in self._parts, f"part {event.index} opens twice")
            self._check(event.choice not in self._finishes, "a part after Finish")
            self._parts[event.choice, event.index] = _OpenPart(event.part)
        elif isinstance(event, PartEnd):
            self._open(event.choice, event.index).ended = True
        elif isinstance(event, PartExtra):
            self._open(event.choice, event.index).extras.append(event.extra)
        elif isinstance(event, Finish):
            self._check(event.choice not in self._finishes, f"choice {event.choice} finishes twice")
            self._finishes[event.choice] = event
        elif isinstance(event, Begin):
            self._check(self._begin is None, "Begin twice")
            self._begin = event
        elif isinstance(event, UsageSeen):
            self.usage = event.usage
        elif isinstance(event, Failed):
            self.failure = event.failure

    def answer(self) -> Answer:
        """The answer so far. Raises `Ungrammatical` when nothing has begun."""
        begin = self._begin
        if begin is None:
            raise Ungrammatical("no Begin")
        numbers = sorted({*self._finishes, *(choice for choice, _ in self._parts)})
        return Answer(
            id=begin.id,
            model=begin.model,
            choices=tuple(self._choice(number) for number in numbers),
            usage=self.usage,
            created=begin.created,
            extra=begin.extra,
        )

    def _choice(self, number: int) -> Choice:
        places = sorted(index for choice, index in self._parts if choice == number)
        parts = tuple(self._parts[number, index].whole() for index in places)
        finish = self._finishes.get(number)
        if finish is None:
            return Choice(parts=parts)
        return Choice(
            parts=parts,
            stop=finish.stop,
            stop_native=finish.stop_native,
            stop_sequence=finish.stop_sequence,
            extra=finish.extra,
        )

    def _open(self, choice: int, index: int) -> _OpenPart:
        part = self._parts.get((choice, index))
        if part is None or part.ended:
            raise Ungrammatical(f"part {index} of choice {choice} is not open")
        return part

    @staticmethod
    def _check(holds: bool, otherwise: str) -> None:  # noqa: FBT001  reads as a sentence at its callers
        if not holds:
            raise Ungrammatical(otherwise)


class _OpenPart:
    """A part that is still being said."""

    __slots__ = ("ended", "extras", "part", "text")

    def __init__(self, part: Part) -> None:
        self.part = part
        self.text: dict[Field, list[str]] = {}
        self.extras: list[Extra] = []
        self.ended = False

    def whole(self) -> Part:
        part = self.part
        if isinstance(part, Text):
            return replace(part, text=part.text + self._said(Field.TEXT), extra=merged(part.extra, self.extras))
        if isinstance(part, Refusal):
            return Refusal(part.text + self._said(Field.TEXT))
        if isinstance(part, Reasoning):
            signature = (part.signature or "") + self._said(Field.SIGNATURE) or None
            data = (part.data or "") + self._said(Field.DATA) or None
            return Reasoning(
                part.text + self._said(Field.TEXT),
                signature,
                data,
                part.signed_by if signature or data else None,
                merged(part.extra, self.extras),
            )
        if isinstance(part, ToolCall):
            begun = part.arguments if isinstance(part.arguments, str) else ""
            written = begun + self._said(Field.ARGUMENTS)
            arguments = (
                part.arguments if part.arguments and not isinstance(part.arguments, str) else read_arguments(written)
            )
            return replace(part, arguments=arguments, extra=merged(part.extra, self.extras))
        return part

    def _said(self, field: Field) -> str:
        return "".join(self.text.get(field, ()))


def assemble(events: Iterable[StreamEvent]) -> Answer:
    """The answer that a stream's events amount to. Raises `Ungrammatical`."""
    assembly = Assembly()
    for event in events:
        assembly.add(event)
    return assembly.answer()


def merged(first: Extra | None, more: Iterable[Extra]) -> Extra | None:
    """One dialect's fields on top of each other: lists grow, anything else is replaced."""
    for extra in more:
        if first is None or first.dialect != extra.dialect:
            first = extra
            continue
        fields = dict(first.fields)
        for name, held in extra.fields.items():
            before = fields.get(name)
            fields[name] = before + held if isinstance(before, list) and isinstance(held, list) else held
        first = Extra(first.dialect, fields)
    return first


def read_arguments(written: str) -> Any:
    """Tool arguments as their JSON value: `{}` when there are none; text that is no JSON stays text.

    Arguments that were encoded twice are decoded twice, and broken ones that were wrapped for an API that insists on objects
    (`{"INVALID_JSON": ...}`, as Anthropic documents it) come out of their wrapping. What only Python takes for JSON (NaN, endless numbers, half a
    surrogate pair) could not be written again, so it stays text.
    """
    found: Any = written
    while isinstance(found, str):
        if not found.strip():
            return {}
        try:
            inner = json.loads(found, parse_constant=_refuse, parse_float=_finite)
            if "\\u" in found:
                json.dumps(inner, ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            return found
        found = inner
        if isinstance(found, dict) and found.keys() == {"INVALID_JSON"} and not isinstance(found["INVALID_JSON"], dict):
            found = found["INVALID_JSON"]
    return {} if found is None else found


def write_arguments(arguments: Any) -> str:
    """Tool arguments as JSON text, so that `read_arguments` gives them back."""
    if isinstance(arguments, str):
        return arguments
    return json.dumps(arguments, ensure_ascii=False, separators=(",", ":"))


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _finite(number: str) -> float:
    found = float(number)
    if found in {float("inf"), float("-inf")}:
        raise ValueError(number)
    return found
