"""Recorded traffic as a provider: each request is answered as it once was.

A recording is JSON lines, gzipped if its name says so, one interaction a line: `api` (chat_completions or messages; others are left
out), `stream`, `request` (`body`: parsed JSON, or null) and `response` (`status`, `headers`, and `body_text` or `body_b64`).
"""

from __future__ import annotations

import base64
import gzip
import json
from collections import defaultdict, deque
from pathlib import Path
from typing import Any

from understudy.core.value import JsonObject, value
from understudy.framing.sse import SseParser
from understudy.mock.formats import Piece

_APIS = {"chat_completions": "openai_chat", "messages": "anthropic_messages"}

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
        parser = SseParser()
        events = [*parser.feed(self.body), *parser.flush()]
        return [Piece(event.raw, event.data is not None) for event in events]


class Recording:
    """The records of one file, each given out in turn.

    Records of the same request answer it in the file's order, the last of them again and again. With `in_order` the request does not
    matter: the records of its wire format answer one after another, and none a second time.
    """

    def __init__(self, records: list[JsonObject], ignore: tuple[str, ...], *, in_order: bool) -> None:
        self._ignore = frozenset(ignore)
        self._in_order = in_order
        self._by_request: defaultdict[str, deque[Record]] = defaultdict(deque)
        self._by_dialect: defaultdict[str, deque[Record]] = defaultdict(deque)
        for read in records:
            if read.get("api") not in _APIS or read.get("response") is None or read["response"].get("status") is None:
                continue
            record = _record(read)
            self._by_dialect[record.dialect].append(record)
            body = (read.get("request") or {}).get("body")
            if isinstance(body, dict):
                self._by_request[self._key(record.dialect, body)].append(record)

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
    """The recording in a file. Raises `OSError` and `ValueError` for a file that cannot be read."""
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return Recording([json.loads(line) for line in text.splitlines() if line.strip()], ignore, in_order=in_order)


def _record(read: Any) -> Record:
    response = read["response"]
    headers = response.get("headers") or {}
    if response.get("body_b64") is not None:
        body = base64.b64decode(response["body_b64"])
    else:
        body = (response.get("body_text") or "").encode()
    return Record(
        read.get("id", ""),
        _APIS[read["api"]],
        read.get("stream") is True and response["status"] == 200,
        response["status"],
        tuple((name.lower(), str(line)) for name, line in headers.items() if name.lower() not in _NOT_SENT),
        body,
    )
