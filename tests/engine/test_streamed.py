"""What is held back, passed on, counted and cut of a stream, piece by piece and to the moment."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from theatre import CONFIGURATION, Theatre
from understudy.core.failure import FailureKind
from understudy.core.outcome import Billing, Result
from understudy.core.usage import Usage
from understudy.engine.streamed import HELD_BYTES_MAX, LINGER_S
from understudy.framing import sse
from understudy.ports import HttpAnswer, HttpRequest, TransportFailure
from understudy.sim.client import Listener
from understudy.sim.loop import run_virtual

TEXT = CONFIGURATION.replace("{primary: [ada, ben], secondary: [cleo]}", "{primary: [ada], secondary: [cleo]}")
K = FailureKind
SSE = {b"content-type": b"text/event-stream"}


def chunk(delta: dict[str, Any] | None = None, reason: str | None = None, **more: Any) -> bytes:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": reason}]
    told = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices, **more}
    return b"data: %b\n\n" % json.dumps(told).encode()


ROLE, PING, DONE = chunk({"role": "assistant"}), b": ping\n\n", b"data: [DONE]\n\n"
ONE, TWO, STOP = chunk({"content": "one "}), chunk({"content": "two"}), chunk({}, "stop")
USED = chunk(usage={"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9})
ERROR = b'data: {"error":{"message":"no more","code":"server_error"}}\n\n'
CUT = TransportFailure(K.TRUNCATED, "cut", sent=True)
USAGE = Usage(input=7, output=2)

Piece = bytes | float | TransportFailure
"""Bytes that come, seconds that pass, or what breaks it off."""


class Scripted:
    """A stream out of pieces; without more of them it ends, unless the last one is a time: then it is silent."""

    def __init__(self, pieces: tuple[Piece, ...], status: int, headers: dict[bytes, bytes]) -> None:
        self.status, self.headers = status, dict(headers)
        self.pieces = list(pieces)
        self.ended = self.closed = False

    async def read(self, until_s: float) -> bytes:
        assert not self.closed
        loop = asyncio.get_running_loop()
        while self.pieces and isinstance(self.pieces[0], float):
            waits_s = self.pieces[0]
            if loop.time() + waits_s > until_s:
                self.pieces[0] = waits_s - max(0.0, until_s - loop.time())
                await asyncio.sleep(max(0.0, until_s - loop.time()))
                raise TransportFailure(K.IDLE_TIMEOUT, "the stream stalled", sent=True)
            await asyncio.sleep(waits_s)
            self.pieces.pop(0)
        if not self.pieces:
            self.ended = True
            return b""
        piece = self.pieces.pop(0)
        if isinstance(piece, TransportFailure):
            raise piece
        assert isinstance(piece, bytes)
        return piece

    def close(self) -> None:
        self.closed = True


class ScriptedClient:
    """Ada follows the script; everybody else answers well."""

    def __init__(self, *pieces: Piece, status: int = 200, headers: dict[bytes, bytes] = SSE) -> None:
        self.ada = Scripted(pieces, status, headers)
        self.opened: list[Scripted] = []

    async def stream(self, request: HttpRequest, *, connect_s: float, until_s: float) -> Scripted:
        stream = self.ada if request.origin.host == "ada" else Scripted((ROLE, TWO, STOP, USED, DONE), 200, SSE)
        self.opened.append(stream)
        return stream

    async def send(self, request: HttpRequest, *, connect_s: float, until_s: float) -> HttpAnswer:
        raise AssertionError("everything here is streamed")

    async def close(self) -> None:
        """There is nothing to close."""


def ask(client: ScriptedClient, deadline_s: float | None = None) -> tuple[Result, Listener]:
    async def main() -> tuple[Result, Listener]:
        theatre, listener = Theatre(text=TEXT), Listener()
        theatre.engine.client = client
        result = await theatre.ask(listener, stream=True, deadline_s=deadline_s)
        assert result is not None
        assert all(stream.closed for stream in client.opened)
        assert not theatre.errors
        return result, listener

    return run_virtual(main())[0]


def kinds(result: Result) -> list[FailureKind | None]:
    return [one.failure.kind if one.failure else None for one in result.attempts]


# Before the first content


@pytest.mark.parametrize(
    ("pieces", "kind"),
    [
        ((), K.TRUNCATED),
        ((ROLE, PING), K.TRUNCATED),
        ((ROLE, CUT), K.TRUNCATED),
        ((ROLE, ERROR), K.SERVER_ERROR),
        ((ROLE, STOP, DONE), K.EMPTY),
        ((ROLE, STOP, DONE, 99.0), K.EMPTY),
        ((ROLE, STOP), K.EMPTY),
        ((ROLE, b"data: nonsense\n\n"), K.MALFORMED),
        ((ROLE, PING, 99.0), K.FIRST_CONTENT_TIMEOUT),
        ((ROLE, *(0.5, PING) * 99), K.FIRST_CONTENT_TIMEOUT),
        ((PING * (HELD_BYTES_MAX // len(PING)), ERROR), K.SERVER_ERROR),
        ((ROLE, ONE + ERROR), K.SERVER_ERROR),  # in one read: none of it has gone out yet
    ],
)
def test_what_breaks_before_content_is_never_seen_and_somebody_else_answers(
    pieces: tuple[Piece, ...], kind: FailureKind
) -> None:
    result, listener = ask(ScriptedClient(*pieces))
    assert [one and one.name for one in kinds(result)] == [kind.name, None]
    assert listener.body == ROLE + TWO + STOP + DONE
    assert listener.finished
    failed = result.attempts[0]
    assert failed.usage is None
    assert not failed.committed
    at_s = 6.0 if kind is K.FIRST_CONTENT_TIMEOUT else 0.0
    assert failed.ended_s - failed.started_s == pytest.approx(at_s, abs=1e-9)


def test_a_stream_that_says_nothing_at_length_is_passed_on_as_it_is() -> None:
    many = PING * (HELD_BYTES_MAX // len(PING) + 1)
    result, listener = ask(ScriptedClient(many, 1.0, ONE, STOP, DONE))
    assert kinds(result) == [None]
    assert listener.body == many + ONE + STOP + DONE
    result, listener = ask(ScriptedClient(many, 1.0, ERROR))
    assert kinds(result) == [K.SERVER_ERROR]
    assert listener.body.startswith(many)


def test_an_answer_that_its_bound_left_nothing_of_is_an_answer() -> None:
    result, listener = ask(ScriptedClient(ROLE, chunk({}, "length"), DONE))
    assert kinds(result) == [None]
    assert listener.body == ROLE + chunk({}, "length") + DONE
    assert result.attempts[0].first_content_s == 0.0


# To the end


@pytest.mark.parametrize(
    "pieces",
    [
        (ROLE, ONE, TWO, STOP, USED, DONE),
        (ROLE + ONE + TWO + STOP + USED + DONE,),
        (ROLE, ONE + TWO[:9], TWO[9:], 2.5, STOP, USED, DONE, 5.0),
        (ROLE, ONE, TWO, STOP, USED),
        (ROLE, ONE, TWO, STOP + USED[:-2]),
        (ROLE, ONE, TWO, STOP, DONE[:-2]),
    ],
    ids=["event by event", "at once", "in pieces", "without its mark", "without its last line", "without its mark's"],
)
def test_a_whole_stream_is_passed_on_and_counted(pieces: tuple[Piece, ...]) -> None:
    result, listener = ask(ScriptedClient(*pieces))
    assert kinds(result) == [None]
    assert listener.body.startswith(ROLE + ONE + TWO + STOP)
    assert listener.finished
    assert result.winner is not None
    assert result.winner.billing is Billing.YES
    counted = any(USED[:-2] in each for each in pieces if isinstance(each, bytes))
    assert result.winner.usage == (USAGE if counted else Usage(input=10, output=2, estimated=True))


def test_the_first_content_is_the_first() -> None:
    result, _ = ask(ScriptedClient(0.5, ROLE, 0.5, ONE, 0.5, TWO, STOP, DONE))
    assert result.attempts[0].first_content_s == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize(
    ("after", "ended", "lingers_s"),
    [((), True, 0.0), ((0.5,), True, 0.5), ((99.0,), False, LINGER_S), ((0.25, PING) * 99, False, LINGER_S)],
    ids=["at once", "soon", "never", "goes on"],
)
def test_the_transfers_end_is_waited_for_a_moment_and_keeps_the_connection(
    after: tuple[Piece, ...], ended: bool, lingers_s: float
) -> None:
    client = ScriptedClient(ROLE, ONE, STOP, DONE, *after)
    result, listener = ask(client)
    assert kinds(result) == [None]
    assert listener.body == ROLE + ONE + STOP + DONE
    assert client.ada.ended == ended
    assert result.ended_s == pytest.approx(lingers_s, abs=1e-9)


def test_a_transfer_that_breaks_behind_the_streams_end_does_no_harm() -> None:
    result, listener = ask(ScriptedClient(ROLE, ONE, STOP, DONE, CUT))
    assert kinds(result) == [None]
    assert listener.finished


# Cut in the middle


@pytest.mark.parametrize(
    ("pieces", "kind", "at_s"),
    [
        ((ONE, CUT), K.TRUNCATED, 0.0),
        ((ONE,), K.TRUNCATED, 0.0),
        ((ONE, ERROR), K.SERVER_ERROR, 0.0),
        ((ONE, b"data: nonsense\n\n"), K.MALFORMED, 0.0),
        ((ONE, 99.0), K.IDLE_TIMEOUT, 3.0),
        ((ONE, *(2.0, PING) * 9), K.IDLE_TIMEOUT, 3.0),
        ((ONE, *(2.0, ROLE) * 99), K.DEADLINE, 30.0),
        ((ONE, *(2.0, ROLE) * 14, 99.0), K.DEADLINE, 30.0),
    ],
)
def test_a_stream_that_breaks_after_content_ends_with_an_error_and_nobody_else_goes_on(
    pieces: tuple[Piece, ...], kind: FailureKind, at_s: float
) -> None:
    result, listener = ask(ScriptedClient(*pieces))
    assert kinds(result) == [kind]
    assert listener.body.startswith(ONE)
    assert b'"error"' in listener.body[len(ONE) :]
    assert b"[DONE]" not in listener.body
    assert b'"finish_reason": "' not in listener.body
    assert result.ended_s == pytest.approx(at_s, abs=1e-9)
    (cut,) = result.attempts
    assert cut.committed
    assert cut.usage == Usage(input=10, output=1, estimated=True)
    assert cut.billing is not Billing.NO


def test_what_came_with_the_error_that_ends_a_stream_is_passed_on() -> None:
    result, listener = ask(ScriptedClient(ONE, TWO + ERROR))
    assert kinds(result) == [K.SERVER_ERROR]
    assert listener.body.startswith(ONE + TWO)


def test_what_was_counted_before_a_stream_broke_is_what_it_used() -> None:
    counted = chunk({"content": "two"}, usage={"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9})
    for breaks in (CUT, ERROR):
        result, _ = ask(ScriptedClient(ONE, counted, breaks))
        assert result.attempts[0].usage == USAGE, breaks


def test_a_count_that_came_with_the_beginning_of_a_broken_stream_is_not_of_what_was_written() -> None:
    began = chunk({"content": "one "}, usage={"prompt_tokens": 7, "completion_tokens": 1, "total_tokens": 8})
    result, _ = ask(ScriptedClient(began, *(TWO,) * 5, CUT))
    assert result.attempts[0].usage == Usage(input=7, output=6, estimated=True)


def test_an_event_without_end_is_too_large_before_content_and_after(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "EVENT_BYTES_MAX", 1000)
    for pieces, told in (((ROLE,), [K.ANSWER_TOO_LARGE, None]), ((ROLE, ONE), [K.ANSWER_TOO_LARGE])):
        result, _ = ask(ScriptedClient(*pieces, b"data: ", b"x" * 600, b"x" * 600))
        assert kinds(result) == told


# No stream at all

WHOLE = {
    "id": "c1", "object": "chat.completion", "created": 1, "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "one two"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9},
}  # fmt: skip
JSON = {b"content-type": b"application/json"}


def test_a_whole_answer_where_a_stream_was_asked_for_is_told_as_a_stream() -> None:
    body = json.dumps(WHOLE).encode()
    result, listener = ask(ScriptedClient(body[:20], 1.0, body[20:], headers=JSON))
    assert kinds(result) == [None]
    assert b'"content":"one two"' in listener.body
    assert listener.body.endswith(DONE)
    assert listener.finished
    assert result.winner is not None
    assert result.winner.usage == USAGE
    assert result.winner.first_content_s == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (ROLE + ONE + STOP + DONE, 503, K.UNAVAILABLE),
        (b"<html>", 503, K.UNAVAILABLE),
        (ROLE + ONE + STOP + DONE, 300, K.MALFORMED),
        (b'{"error":{"message":"no","code":"server_error"}}', 200, K.SERVER_ERROR),
        (b"<html>", 200, K.MALFORMED),
        (b'{"error":{"message":"no"}}', 500, K.SERVER_ERROR),
    ],
)
def test_an_error_where_a_stream_was_asked_for_is_somebody_elses_turn(
    body: bytes, status: int, kind: FailureKind
) -> None:
    result, listener = ask(ScriptedClient(body, status=status, headers=JSON))
    assert kinds(result) == [kind, None]
    assert listener.body == ROLE + TWO + STOP + DONE
    assert result.attempts[0].status == status
