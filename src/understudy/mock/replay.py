"""Recorded traffic as a provider: each request is answered as it once was.

A recording is JSON lines, gzipped if its name says so, one interaction a line: `api` (a key of `APIS`; others are left out), `stream`,
`request` (`body`: parsed JSON, or null) and `response` (`status`, `headers`, and `body_text` or `body_b64`).
"""

from __future__ import annotations

import gzip
import json
from base64 import b64decode
from collections import defaultdict, deque
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from understudy.core.value import JsonObject, keyword_value, value
from understudy.framing.aws_event_stream import EventStreamParser
from understudy.framing.json_lines import JsonLinesParser
from understudy.framing.sse import SseParser
from understudy.mock.formats import Piece

APIS = {
    "bedrock_converse": "bedrock_converse",
    "chat_completions": "openai_chat",
    "cohere_chat": "cohere_chat",
    "generate_content": "gemini",
    "messages": "anthropic_messages",
    "ollama_chat": "ollama_chat",
    "responses": "openai_responses",
}
_FRAMINGS = {"ollama_chat": JsonLinesParser}
"""What cuts the streams of a format into events, where that is not server-sent events."""

# What describes the recorded connection, not the answer.
_NOT_SENT = frozenset({"connection", "content-encoding", "content-length", "date", "keep-alive", "transfer-encoding"})


class NotRecorded(LookupError):
    """No record answers this request. The message says what was looked for."""


@value
class Record:
    """One recorded answer."""

    id: str
    dialect: str
    stream: bool
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def pieces(self) -> list[Piece]:
        """A stream event by event, as it was framed; each counts as a piece of content."""
        if self.dialect == "bedrock_converse":
            return [Piece(message.raw, message.payload != b"") for message in EventStreamParser().feed(self.body)]
        parser = _FRAMINGS.get(self.dialect, SseParser)()
        events = [*parser.feed(self.body), *parser.flush()]
        return [Piece(event.raw, event.data is not None) for event in events]


@keyword_value
class Request:
    """The recorded request. `body`: parsed JSON; anything but an object never matches."""

    body: Any = None


@keyword_value
class Response:
    """The recorded response. `body_text`: a text body; `body_b64`: any other. `status`: None where it was not recorded."""

    status: int | None = None
    headers: dict[str, str] | None = None
    body_text: str | None = None
    body_b64: str | None = None


@keyword_value
class Interaction:
    """One line of a recording."""

    api: str
    id: str = ""
    stream: bool | None = None
    request: Request | None = None
    response: Response | None = None


class Recording:
    """The records of one file, each given out in turn.

    Records of the same request answer it in the file's order, the last of them again and again. With `in_order` the request does not
    matter: the records of its wire format answer one after another, and none a second time.
    """

    def __init__(self, interactions: Iterable[Interaction], ignore: tuple[str, ...], *, in_order: bool) -> None:
        self._ignore = frozenset(ignore)
        self._in_order = in_order
        self._by_request: defaultdict[str, deque[Record]] = defaultdict(deque)
        self._by_dialect: defaultdict[str, deque[Record]] = defaultdict(deque)
        for read in interactions:
            if read.api not in APIS or read.response is None or read.response.status is None:
                continue
            record = _record(read, read.response, read.response.status)
            self._by_dialect[record.dialect].append(record)
            if read.request is not None and isinstance(read.request.body, dict):
                self._by_request[self._key(record.dialect, read.request.body)].append(record)

    def answer(self, dialect: str, body: JsonObject) -> Record:
        """The record for a request. Raises `NotRecorded`."""
        if self._in_order:
            if not self._by_dialect[dialect]:
                raise NotRecorded(f"the recording holds no further answer in {dialect}")
            return self._by_dialect[dialect].popleft()
        records = self._by_request.get(self._key(dialect, body))
        if not records:
            raise NotRecorded(f"the recording holds no such request in {dialect}")
        return records.popleft() if len(records) > 1 else records[0]

    def _key(self, dialect: str, body: JsonObject) -> str:
        kept = {name: body[name] for name in body if name not in self._ignore}
        return dialect + json.dumps(kept, sort_keys=True)


def load_recording(path: Path, ignore: tuple[str, ...], *, in_order: bool) -> Recording:
    """The recording in a file. Raises `OSError` for one that cannot be read, `ValueError` for one that is none."""
    lines = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    decoder = msgspec.json.Decoder(Interaction)
    return Recording((decoder.decode(line) for line in lines.splitlines() if line.strip()), ignore, in_order=in_order)


def _record(read: Interaction, response: Response, status: int) -> Record:
    body = (response.body_text or "").encode() if response.body_b64 is None else b64decode(response.body_b64)
    headers = ((name.lower(), line) for name, line in (response.headers or {}).items())
    return Record(
        read.id,
        APIS[read.api],
        read.stream is True and status == 200,
        status,
        tuple((name, line) for name, line in headers if name not in _NOT_SENT),
        body,
    )
