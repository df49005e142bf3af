"""OpenAI Chat Completions, and everyone who speaks something like it."""

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
from understudy.dialects.openai_chat.answer import read_answer, write_answer
from understudy.dialects.openai_chat.carries import ANSWER_CARRIES, REQUEST_CARRIES
from understudy.dialects.openai_chat.decode import Decoder
from understudy.dialects.openai_chat.encode import Encoder
from understudy.dialects.openai_chat.needs import Usual, read_needs
from understudy.dialects.openai_chat.request import read_request, write_request
from understudy.dialects.openai_chat.retarget import fit_body, fit_usual
from understudy.dialects.openai_chat.watch import Watcher, glance
from understudy.dialects.openai_chat.wire import NAME
from understudy.framing.sse import SseParser, write_event

REMEMBERED_MAX_BYTES = 256 * 1024
"""A larger body is read again rather than kept until the next request comes."""


class OpenAiChat:
    """OpenAI Chat Completions (`POST /v1/chat/completions`)."""

    name = NAME
    operation = Operation.CHAT
    inbound = ("/v1/chat/completions",)
    stream_type = b"text/event-stream"
    request_carries = REQUEST_CARRIES
    answer_carries = ANSWER_CARRIES

    def __init__(self) -> None:
        self._last: dict[
            str, tuple[bytes, Usual]
        ] = {}  # the request that was read last: it is written in the same breath

    def needs(self, body: bytes, path: str = "") -> Needs:  # noqa: ARG002  all is in the body
        needs, usual = read_needs(body)
        if usual is not None and len(body) <= REMEMBERED_MAX_BYTES:
            self._last["read"] = body, usual
        return needs

    def retarget(self, call: Call, model: str, quirks: Quirks) -> tuple[bytes, tuple[str, ...]]:
        known = self._last.pop("read", None)  # in one step: of two threads, one has it
        if known is not None and known[0] is call.body:
            written = fit_usual(known[1], call.body, model, quirks)
            if written is not None:
                return written, ()
        return fit_body(call.body, model, quirks, plain=call.needs.plain)

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

    def watcher(self, *, hide_usage: bool) -> Watcher:
        return Watcher(hide_usage=hide_usage)

    def decoder(self) -> Decoder:
        return Decoder()

    def encoder(self, *, model: str, include_usage: bool | None) -> Encoder:
        return Encoder(model=model, include_usage=include_usage)

    def render_error(self, report: ErrorReport) -> bytes:
        return write_json(openai_error(report))

    def render_stream_error(self, report: ErrorReport) -> bytes:
        # no [DONE] behind it: the stream did not end as it should
        return write_event(write_json(openai_error(report)))

    def render_models(self, names: Iterable[str]) -> bytes:
        return write_json({"object": "list", "data": [_model(name) for name in names]})

    def render_model(self, name: str) -> bytes:
        return write_json(_model(name))


def _model(name: str) -> JsonObject:
    return {"id": name, "object": "model", "created": 0, "owned_by": "understudy"}


DIALECT = OpenAiChat()
