"""OpenAI Responses, and everyone who speaks it: items instead of messages, and a provider that may keep the conversation."""

from __future__ import annotations

from collections.abc import Iterable

from understudy.core.answer import Answer
from understudy.core.conversation import Conversation
from understudy.core.request import Call, Needs, Operation
from understudy.core.value import JsonObject
from understudy.dialects import BY_THE_BOOK, BadAnswer, BadBody, ErrorReport, Glance, Quirks
from understudy.dialects._errors import openai_error
from understudy.dialects._openai import decode as read_json
from understudy.dialects._reading import Unreadable
from understudy.dialects._reading import encode as write_json
from understudy.dialects.openai_responses.answer import read_answer, write_answer
from understudy.dialects.openai_responses.carries import ANSWER_CARRIES, REQUEST_CARRIES
from understudy.dialects.openai_responses.decode import Decoder
from understudy.dialects.openai_responses.encode import Encoder, report_event
from understudy.dialects.openai_responses.needs import read_needs
from understudy.dialects.openai_responses.request import read_request, write_request
from understudy.dialects.openai_responses.retarget import fit_body
from understudy.dialects.openai_responses.watch import Watcher, glance
from understudy.dialects.openai_responses.wire import NAME
from understudy.framing.sse import SseParser


class OpenAiResponses:
    """OpenAI Responses (`POST /v1/responses`)."""

    name = NAME
    operation = Operation.CHAT
    inbound = ("/v1/responses",)
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
        return write_json(write_request(conversation, quirks))

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

    def watcher(self, *, hide_usage: bool) -> Watcher:  # noqa: ARG002  it always stands in the last event
        return Watcher()

    def decoder(self) -> Decoder:
        return Decoder()

    def encoder(self, *, model: str, include_usage: bool | None) -> Encoder:  # noqa: ARG002  it always stands there
        return Encoder(model)

    def render_error(self, report: ErrorReport) -> bytes:
        return write_json(openai_error(report))

    def render_stream_error(self, report: ErrorReport) -> bytes:
        return report_event(report)

    def render_models(self, names: Iterable[str]) -> bytes:
        return write_json({"object": "list", "data": [_model(name) for name in names]})

    def render_model(self, name: str) -> bytes:
        return write_json(_model(name))


def _model(name: str) -> JsonObject:
    return {"id": name, "object": "model", "created": 0, "owned_by": "understudy"}


DIALECT = OpenAiResponses()
