"""Token counting as a wire format: the conversation is that of its `CountForm`'s dialect, the answer is a number."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec

from understudy.core.conversation import Conversation
from understudy.core.diagnosis import classify_in_band
from understudy.core.request import Call, Needs, Operation
from understudy.core.usage import Usage
from understudy.dialects import BY_THE_BOOK, BadAnswer, CountForm, Dialect, ErrorReport, Glance, Quirks

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_object = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder().encode

FREE = Usage()
"""Nothing is generated, and no provider takes money for counting."""


class Counting:
    """`Format` for `Operation.COUNT`, made of a form and the dialect that the form is of."""

    operation = Operation.COUNT

    def __init__(self, name: str, form: CountForm, dialect: Dialect) -> None:
        self.name = name
        self.inbound = form.inbound
        self.request_carries = dialect.request_carries
        self._form = form
        self._dialect = dialect

    def needs(self, body: bytes, path: str = "") -> Needs:
        found = self._dialect.needs(body, path)
        return replace(found, operation=self.operation, stream=False, max_tokens=None)

    def retarget(self, call: Call, model: str, quirks: Quirks) -> tuple[bytes, tuple[str, ...]]:
        return self._dialect.retarget(call, model, _without_answer(quirks))

    def parse_request(self, body: bytes) -> Conversation:
        return self._dialect.parse_request(body)

    def render_request(self, conversation: Conversation, quirks: Quirks = BY_THE_BOOK, /) -> bytes:
        members = _members(self._dialect.render_request(conversation, _without_answer(quirks)))
        return _encode({name: held for name, held in members.items() if name in self._form.keeps})

    def parse_answer(self, body: bytes) -> int:
        try:
            count = _object(body).get(self._form.field)
        except (RecursionError, UnicodeDecodeError, msgspec.DecodeError) as error:
            raise BadAnswer(f"the answer cannot be read: {error}") from None
        if not isinstance(count, int) or isinstance(count, bool) or count < 0:
            raise BadAnswer(f"the answer holds no count: {self._form.field} must be a number of tokens")
        return count

    def render_answer(self, count: int, /) -> bytes:
        return _encode({self._form.field: count, **dict(self._form.besides)})

    def glance(self, body: bytes) -> Glance:
        try:
            self.parse_answer(body)
        except BadAnswer:
            if b'"error"' not in body[:200]:
                raise
            return Glance(usage=None, failure=classify_in_band(body))
        return Glance(usage=FREE, failure=None)

    def render_error(self, report: ErrorReport) -> bytes:
        return self._dialect.render_error(report)


def _without_answer(quirks: Quirks) -> Quirks:
    """What a provider wants for an answer to come does not belong into a question that has none."""
    return quirks if quirks is BY_THE_BOOK else replace(quirks, fields=(), max_tokens_field=None, ask_usage=False)
