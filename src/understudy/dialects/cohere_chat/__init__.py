"""Cohere's chat, second version of its API (`POST /v2/chat`).

Streams are server-sent events with a type. The answer does not say which model it is from.
"""

from __future__ import annotations

from collections.abc import Iterable

from understudy.core.answer import Answer
from understudy.core.conversation import Conversation
from understudy.core.request import Call, Needs, Operation
from understudy.dialects import BY_THE_BOOK, BadAnswer, BadBody, ErrorReport, Glance, Quirks
from understudy.dialects._errors import about, told
from understudy.dialects._reading import Unreadable
from understudy.dialects._reading import decode as read_json
from understudy.dialects._reading import encode as write_json
from understudy.dialects.cohere_chat.answer import read_answer, write_answer
from understudy.dialects.cohere_chat.carries import ANSWER_CARRIES, REQUEST_CARRIES
from understudy.dialects.cohere_chat.decode import Decoder
from understudy.dialects.cohere_chat.encode import Encoder
from understudy.dialects.cohere_chat.needs import read_needs
from understudy.dialects.cohere_chat.request import read_request, write_request
from understudy.dialects.cohere_chat.retarget import apply_quirks, fit_body
from understudy.dialects.cohere_chat.watch import Watcher, glance
from understudy.dialects.cohere_chat.wire import NAME
from understudy.framing.sse import SseParser, write_event


class CohereChat:
    """Cohere Chat (`POST /v2/chat`)."""

    name = NAME
    operation = Operation.CHAT
    inbound: tuple[str, ...] = ()
    stream_type = b"text/event-stream"
    request_carries = REQUEST_CARRIES
    answer_carries = ANSWER_CARRIES

    def needs(self, body: bytes, path: str = "") -> Needs:  # noqa: ARG002  all is in the body
        return read_needs(body)

    def retarget(self, call: Call, model: str, quirks: Quirks) -> tuple[bytes, tuple[str, ...]]:
        return fit_body(call.body, model, quirks)

    def parse_request(self, body: bytes) -> Conversation:
        try:
            return read_request(read_json(body))
        except Unreadable as error:
            raise BadBody(str(error)) from None

    def render_request(self, conversation: Conversation, quirks: Quirks = BY_THE_BOOK) -> bytes:
        return apply_quirks(write_request(conversation), quirks)[0]

    def parse_answer(self, body: bytes) -> Answer:
        try:
            return read_answer(read_json(body))
        except Unreadable as error:
            raise BadAnswer(str(error)) from None

    def render_answer(self, answer: Answer) -> bytes:
        return write_json(write_answer(answer))

    def glance(self, body: bytes) -> Glance:
        return glance(body)

    def framing(self) -> SseParser:
        return SseParser()

    def watcher(self, *, hide_usage: bool) -> Watcher:  # noqa: ARG002  usage is part of every stream here
        return Watcher()

    def decoder(self) -> Decoder:
        return Decoder()

    def encoder(self, *, model: str, include_usage: bool | None) -> Encoder:  # noqa: ARG002  likewise; no model is named
        return Encoder()

    def render_error(self, report: ErrorReport) -> bytes:
        return write_json({"message": told(report), "understudy": about(report)})

    def render_stream_error(self, report: ErrorReport) -> bytes:
        return write_event(self.render_error(report))

    def render_models(self, names: Iterable[str]) -> bytes:
        return write_json({"models": [{"name": name, "endpoints": ["chat"]} for name in names]})

    def render_model(self, name: str) -> bytes:
        return write_json({"name": name, "endpoints": ["chat"]})


DIALECT = CohereChat()
