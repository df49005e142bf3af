"""Amazon Bedrock's `Converse` and `ConverseStream`, as of the service's version 2023-09-30: one format for all of its models.

Spoken to providers only, no door of ours takes it. The model, and whether the answer is streamed, stand in the path and not in the body.
Streams are Amazon's binary event streams.
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
from understudy.dialects.bedrock_converse.answer import read_answer, write_answer
from understudy.dialects.bedrock_converse.carries import ANSWER_CARRIES, REQUEST_CARRIES
from understudy.dialects.bedrock_converse.decode import Decoder
from understudy.dialects.bedrock_converse.encode import Encoder
from understudy.dialects.bedrock_converse.events import Events, write_exception
from understudy.dialects.bedrock_converse.needs import read_needs
from understudy.dialects.bedrock_converse.request import read_request, write_request
from understudy.dialects.bedrock_converse.retarget import apply_quirks, fit_body
from understudy.dialects.bedrock_converse.watch import Watcher, glance
from understudy.dialects.bedrock_converse.wire import NAME


class BedrockConverse:
    """Bedrock Converse (`POST /model/{model}/converse`)."""

    name = NAME
    operation = Operation.CHAT
    inbound: tuple[str, ...] = ()
    stream_type = b"application/vnd.amazon.eventstream"
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
            return read_answer(read_json(body))
        except Unreadable as error:
            raise BadAnswer(str(error)) from None

    def render_answer(self, answer: Answer) -> bytes:
        return write_json(write_answer(answer))

    def glance(self, body: bytes) -> Glance:
        return glance(body)

    def framing(self) -> Events:
        return Events()

    def watcher(self, *, hide_usage: bool) -> Watcher:  # noqa: ARG002  usage is part of every stream here
        return Watcher()

    def decoder(self) -> Decoder:
        return Decoder()

    def encoder(self, *, model: str, include_usage: bool | None) -> Encoder:  # noqa: ARG002  likewise, and the path says the model
        return Encoder()

    def render_error(self, report: ErrorReport) -> bytes:
        return write_json({"message": told(report), "understudy": about(report)})

    def render_stream_error(self, report: ErrorReport) -> bytes:
        return write_exception(report.failure, {"message": told(report), "understudy": about(report)})

    def render_models(self, names: Iterable[str]) -> bytes:
        return write_json({"models": [{"name": name} for name in names]})

    def render_model(self, name: str) -> bytes:
        return write_json({"name": name})


DIALECT = BedrockConverse()
