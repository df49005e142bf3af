"""Anthropic Messages, as of the 2023-06-01 version of the API with what was added to it since."""

from __future__ import annotations

from collections.abc import Iterable

from understudy.core.answer import Answer
from understudy.core.conversation import Conversation
from understudy.core.request import Call, Needs, Operation
from understudy.core.value import JsonObject
from understudy.dialects import BY_THE_BOOK, BadAnswer, BadBody, ErrorReport, Glance, Quirks
from understudy.dialects._reading import Unreadable
from understudy.dialects._reading import decode as read_json
from understudy.dialects._reading import encode as write_json
from understudy.dialects.anthropic_messages import errors
from understudy.dialects.anthropic_messages.answer import read_answer, write_answer
from understudy.dialects.anthropic_messages.carries import ANSWER_CARRIES, REQUEST_CARRIES
from understudy.dialects.anthropic_messages.decode import Decoder
from understudy.dialects.anthropic_messages.encode import Encoder
from understudy.dialects.anthropic_messages.needs import read_needs
from understudy.dialects.anthropic_messages.request import read_request, write_request
from understudy.dialects.anthropic_messages.retarget import apply_quirks, read_members, without_foreign_thinking
from understudy.dialects.anthropic_messages.watch import Watcher, glance
from understudy.dialects.anthropic_messages.wire import NAME
from understudy.framing.sse import SseParser


class AnthropicMessages:
    """Anthropic Messages (`POST /v1/messages`)."""

    name = NAME
    operation = Operation.CHAT
    inbound = ("/v1/messages",)
    stream_type = b"text/event-stream"
    request_carries = REQUEST_CARRIES
    answer_carries = ANSWER_CARRIES

    def needs(self, body: bytes, path: str = "") -> Needs:  # noqa: ARG002  all is in the body
        return read_needs(body)

    def retarget(self, call: Call, model: str, quirks: Quirks) -> tuple[bytes, tuple[str, ...]]:
        members = read_members(call.body)
        dropped = without_foreign_thinking(call.body, members, quirks)
        members["model"] = model
        if quirks is not BY_THE_BOOK:
            dropped += apply_quirks(members, quirks)
        return write_json(members), dropped

    def parse_request(self, body: bytes) -> Conversation:
        try:
            return read_request(read_json(body))
        except Unreadable as error:
            raise BadBody(str(error)) from None

    def render_request(self, conversation: Conversation, quirks: Quirks = BY_THE_BOOK) -> bytes:
        members = write_request(conversation)
        if quirks is not BY_THE_BOOK:
            apply_quirks(members, quirks)
        return write_json(members)

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

    def encoder(self, *, model: str, include_usage: bool | None) -> Encoder:  # noqa: ARG002  likewise
        return Encoder(model)

    def render_error(self, report: ErrorReport) -> bytes:
        return write_json(errors.error_object(report))

    def render_stream_error(self, report: ErrorReport) -> bytes:
        return errors.report_event(report)

    def render_models(self, names: Iterable[str]) -> bytes:
        listed = list(names)
        return write_json(
            {
                "data": [_model(name) for name in listed],
                "has_more": False,
                "first_id": listed[0] if listed else None,
                "last_id": listed[-1] if listed else None,
            }
        )

    def render_model(self, name: str) -> bytes:
        return write_json(_model(name))


def _model(name: str) -> JsonObject:
    return {
        "type": "model",
        "id": name,
        "display_name": name,
        "created_at": "1970-01-01T00:00:00Z",  # the API's own word for an unknown date
        "lifecycle": "active",
        "capabilities": None,
        "max_input_tokens": None,
        "max_tokens": None,
    }


DIALECT = AnthropicMessages()
