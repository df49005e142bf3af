"""Streams of this dialect as events: a message of the binary framing for each, named by what it tells.

Errors come as messages of another type (`exception`, with the class in a header; `error`, with code and words in headers). Here both
become an event named `exception`, with its class in the data, as in other errors of this kind: `{"throttlingException": {"message": ...}}`,
`{"__type": "InternalFailure", "message": ...}`.
"""

from __future__ import annotations

from understudy.core.failure import Failure, FailureKind
from understudy.core.value import JsonObject
from understudy.dialects import BadAnswer
from understudy.dialects._reading import Unreadable, decode, encode
from understudy.framing.aws_event_stream import EventStreamParser, Message, NotEventStream, write_message
from understudy.framing.sse import SseEvent

EXCEPTION = b"exception"


class Events:
    """Cuts the bytes of one stream into events, however they were cut into reads."""

    __slots__ = ("_parser",)

    def __init__(self) -> None:
        self._parser = EventStreamParser()

    def feed(self, data: bytes) -> list[SseEvent]:
        """The events that `data` completes. Raises `EventTooLarge` and `BadAnswer`."""
        try:
            return [_event(message) for message in self._parser.feed(data)]
        except NotEventStream as error:
            raise BadAnswer(f"the stream is damaged: {error}") from None

    def flush(self) -> list[SseEvent]:
        """At the end of the bytes: half a message says nothing. Raises what `feed` had to put off."""
        return self.feed(b"")


def _event(message: Message) -> SseEvent:
    headers = message.headers
    kind = headers.get(":message-type", "event")
    if kind == "event":
        return SseEvent(message.raw, str(headers.get(":event-type", "")).encode(), message.payload)
    if kind == "exception":
        about: JsonObject = {str(headers.get(":exception-type", "unknownException")): _said(message.payload)}
    else:
        about = {"__type": str(headers.get(":error-code", "")), "message": str(headers.get(":error-message", ""))}
    return SseEvent(message.raw, EXCEPTION, encode(about))


def _said(payload: bytes) -> JsonObject:
    try:
        found = decode(payload)
    except Unreadable:
        found = None
    return found if isinstance(found, dict) else {"message": payload.decode("utf-8", "replace")}


def write_named(name: str, fields: JsonObject) -> bytes:
    """One event's bytes."""
    headers = {":event-type": name, ":content-type": "application/json", ":message-type": "event"}
    return write_message(headers, encode(fields))


def write_exception(failure: Failure, fields: JsonObject) -> bytes:
    """The message that ends a broken stream."""
    headers = {
        ":exception-type": _EXCEPTIONS.get(failure.kind, "internalServerException"),
        ":content-type": "application/json",
        ":message-type": "exception",
    }
    return write_message(headers, encode(fields))


# The classes that the API knows inside a stream.
_EXCEPTIONS = {
    FailureKind.CONTEXT_LENGTH: "validationException",
    FailureKind.INVALID_REQUEST: "validationException",
    FailureKind.OVERLOADED: "serviceUnavailableException",
    FailureKind.RATE_LIMIT: "throttlingException",
    FailureKind.TRUNCATED: "modelStreamErrorException",
    FailureKind.UNAVAILABLE: "serviceUnavailableException",
}
