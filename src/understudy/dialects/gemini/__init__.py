"""Google's Gemini API, `generateContent` and `streamGenerateContent`, as of version v1beta; Vertex speaks the same.

The model, and whether the answer is streamed, stand in the path and not in the body. Streams are server-sent events, as with `alt=sse`; the
JSON array that Google sends without it is read as a whole answer.
"""

from __future__ import annotations

from collections.abc import Iterable

from understudy.core.answer import Answer
from understudy.core.conversation import Conversation
from understudy.core.request import Call, Needs, Operation
from understudy.core.value import JsonObject
from understudy.dialects import BY_THE_BOOK, BadAnswer, BadBody, ErrorReport, Glance, Quirks
from understudy.dialects._errors import google_error
from understudy.dialects._reading import Unreadable
from understudy.dialects._reading import decode as read_json
from understudy.dialects._reading import encode as write_json
from understudy.dialects.gemini.answer import read_answer, write_answer
from understudy.dialects.gemini.carries import ANSWER_CARRIES, REQUEST_CARRIES
from understudy.dialects.gemini.decode import Decoder, read_array
from understudy.dialects.gemini.encode import Encoder, report_event
from understudy.dialects.gemini.needs import read_needs
from understudy.dialects.gemini.request import read_request, write_request
from understudy.dialects.gemini.retarget import apply_quirks, fit_body
from understudy.dialects.gemini.watch import Watcher, glance
from understudy.dialects.gemini.wire import NAME
from understudy.framing.sse import SseParser


class Gemini:
    """Gemini (`POST /v1beta/models/{model}:generateContent`)."""

    name = NAME
    operation = Operation.CHAT
    inbound = (
        "/v1beta/models/{model}:generateContent",
        "/v1beta/models/{model}:streamGenerateContent",
        "/v1/models/{model}:generateContent",
        "/v1/models/{model}:streamGenerateContent",
    )
    stream_type = b"text/event-stream"
    request_carries = REQUEST_CARRIES
    answer_carries = ANSWER_CARRIES

    def needs(self, body: bytes, path: str = "") -> Needs:
        return read_needs(body, path)

    def retarget(self, call: Call, model: str, quirks: Quirks) -> tuple[bytes, tuple[str, ...]]:  # noqa: ARG002  it stands in the path
        return fit_body(call.body, quirks)

    def parse_request(self, body: bytes) -> Conversation:
        try:
            return read_request(read_json(body))
        except Unreadable as error:
            raise BadBody(str(error)) from None

    def render_request(self, conversation: Conversation, quirks: Quirks = BY_THE_BOOK) -> bytes:
        members = write_request(conversation, quirks)
        if quirks is not BY_THE_BOOK:
            apply_quirks(members, quirks)
        return write_json(members)

    def parse_answer(self, body: bytes) -> Answer:
        try:
            found = read_json(body)
            return read_array(found) if isinstance(found, list) else read_answer(found)
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

    def encoder(self, *, model: str, include_usage: bool | None) -> Encoder:  # noqa: ARG002  likewise
        return Encoder(model)

    def render_error(self, report: ErrorReport) -> bytes:
        return write_json(google_error(report))

    def render_stream_error(self, report: ErrorReport) -> bytes:
        return report_event(report)

    def render_models(self, names: Iterable[str]) -> bytes:
        return write_json({"models": [_model(name) for name in names]})

    def render_model(self, name: str) -> bytes:
        return write_json(_model(name))


def _model(name: str) -> JsonObject:
    return {
        "name": f"models/{name}",
        "version": "1",
        "displayName": name,
        "supportedGenerationMethods": ["generateContent", "streamGenerateContent"],
    }


DIALECT = Gemini()
