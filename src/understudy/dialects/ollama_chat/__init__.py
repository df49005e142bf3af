"""Ollama's own chat API (`POST /api/chat`), as of version 0.12 and later; older servers leave out what they do not know.

Streams are JSON lines. A request that does not say whether it wants one gets one.
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
from understudy.dialects.ollama_chat.answer import read_answer, write_answer
from understudy.dialects.ollama_chat.carries import ANSWER_CARRIES, REQUEST_CARRIES
from understudy.dialects.ollama_chat.decode import Decoder, read_lines
from understudy.dialects.ollama_chat.encode import Encoder
from understudy.dialects.ollama_chat.needs import read_needs
from understudy.dialects.ollama_chat.request import read_request, write_request
from understudy.dialects.ollama_chat.retarget import apply_quirks, fit_body
from understudy.dialects.ollama_chat.watch import Watcher, glance, glance_lines
from understudy.dialects.ollama_chat.wire import NAME
from understudy.framing.json_lines import JsonLinesParser, write_line
from understudy.framing.sse import SseEvent


class OllamaChat:
    """Ollama (`POST /api/chat`)."""

    name = NAME
    operation = Operation.CHAT
    inbound: tuple[str, ...] = ()
    stream_type = b"application/x-ndjson"
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
            lines = _lines(body)
            return read_answer(read_json(body)) if len(lines) < 2 else read_lines(lines)
        except Unreadable as error:
            raise BadAnswer(str(error)) from None

    def render_answer(self, answer: Answer) -> bytes:
        return write_json(write_answer(answer))

    def glance(self, body: bytes) -> Glance:
        lines = _lines(body)
        return glance(body) if len(lines) < 2 else glance_lines(lines)

    def framing(self) -> JsonLinesParser:
        return JsonLinesParser()

    def watcher(self, *, hide_usage: bool) -> Watcher:  # noqa: ARG002  usage is part of every stream here
        return Watcher()

    def decoder(self) -> Decoder:
        return Decoder()

    def encoder(self, *, model: str, include_usage: bool | None) -> Encoder:  # noqa: ARG002  likewise
        return Encoder(model)

    def render_error(self, report: ErrorReport) -> bytes:
        return write_json({"error": told(report), "understudy": about(report)})

    def render_stream_error(self, report: ErrorReport) -> bytes:
        return write_line(self.render_error(report))

    def render_models(self, names: Iterable[str]) -> bytes:
        return write_json({"models": [{"name": name, "model": name} for name in names]})

    def render_model(self, name: str) -> bytes:
        return write_json({"name": name, "model": name})


def _lines(body: bytes) -> list[SseEvent]:
    """The lines of an answer that is a stream; one or none for an object, whichever way it is spread over lines."""
    if b"}\n{" not in body:
        return []
    parser = JsonLinesParser()
    return [*parser.feed(body), *parser.flush()]


DIALECT = OllamaChat()
