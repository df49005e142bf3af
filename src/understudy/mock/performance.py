"""Performs the plan of one attempt on a real connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from math import inf

from understudy.core.dice import Dice
from understudy.core.value import keyword_value
from understudy.faults import Connect, Content, Ending, ErrorReply, Plan, Reply, miscounted, mistyped
from understudy.mock import giant
from understudy.mock.formats import Events, Piece
from understudy.mock.wire import Connection, Headers

_PAGE = b"<!doctype html><html><head><title>Just a moment...</title></head><body>Checking your browser.</body></html>"

_NOT_HTTP = (
    b"SSH-2.0-OpenSSH_9.6\r\n",
    b"\x15\x03\x01\x00\x02\x02\x46",  # a TLS alert
    b"-ERR unknown command 'POST'\r\n",
    b"HTTP/9.9 yes\r\n\r\n",
)


@keyword_value
class Material:
    """Everything that a plan may want to send. `whole`: the body of a proper whole answer. `pieces`: of a proper stream.

    `empty_whole`, `empty_pieces`: proper answers in which nothing is said. `foreign_whole`, `foreign_pieces`: proper ones of another
    provider's API. `error`: for Reply.ERROR. `event`: for Ending.ERROR_EVENT, the JSON. `event_name`: the type of such an event, "" for
    none. `stream_type`: the content type of streams; `framed`: an event of one.
    """

    status: int = 200
    headers: Headers = (("content-type", "application/json"),)
    whole: bytes
    pieces: Sequence[Piece] = ()
    empty_whole: bytes = b"{}"
    empty_pieces: Sequence[Piece] = ()
    foreign_whole: bytes = b"{}"
    foreign_pieces: Sequence[Piece] = ()
    error: ErrorReply | None = None
    event: bytes = b"{}"
    event_name: str = ""
    stream_type: str = Events.stream_type
    framed: Callable[[bytes, str], bytes] = Events().framed


_WRONG_SHAPE = b'{"status":"ok","result":null}'


async def perform(plan: Plan, material: Material, connection: Connection, dice: Dice, *, split: bool) -> None:
    """Do to the connection what the plan says. Times count from now."""
    loop = asyncio.get_running_loop()
    ends = ((plan.dies_at_s, connection.reset), (plan.hushed_at_s, connection.hush))
    timers = [loop.call_later(at_s, end) for at_s, end in ends if at_s < inf]
    try:
        await _connect_and_reply(plan, material, connection, dice, split=split)
        if connection.hushed:
            await _silence()
    finally:
        for timer in timers:
            timer.cancel()


async def _connect_and_reply(
    plan: Plan, material: Material, connection: Connection, dice: Dice, *, split: bool
) -> None:
    if plan.connect is Connect.TIMEOUT or (plan.connect is Connect.OK and plan.reply is Reply.SILENCE):
        await _silence()
    await asyncio.sleep(plan.connect_s)
    if plan.connect is not Connect.OK:  # the connection stands already, so all of these look the same
        connection.reset()
        return
    at_once = plan.stream or plan.drip_bytes or plan.reply is not Reply.ANSWER
    await asyncio.sleep(plan.headers_s if at_once else plan.piece_at_s(max(plan.pieces, 1)) - plan.connect_s)
    match plan.reply:
        case Reply.RESET:
            connection.reset()
        case Reply.NOT_HTTP:
            connection.write(dice.pick(_NOT_HTTP))
            connection.close()
        case Reply.ERROR:
            assert material.error is not None
            connection.head(material.error.status, material.error.headers, length=len(material.error.body))
            await connection.send(material.error.body)
        case _ if plan.content is Content.GIANT:
            await giant.send(plan, material.stream_type, connection)
        case _:
            performer = _stream if plan.stream and plan.content is not Content.HTML else _whole
            await performer(plan, material, _Pen(connection, plan, dice if split else None))


async def _silence() -> None:
    """Until the client has enough of it: its leaving cancels us."""
    await asyncio.get_running_loop().create_future()


class _Pen:
    """Writes a body: as it is given, in drips, or cut where no event, line or character ends."""

    def __init__(self, connection: Connection, plan: Plan, dice: Dice | None) -> None:
        self.connection = connection
        self._drip_bytes = plan.drip_bytes
        self._pause_s = plan.chunk_s
        self._dice = dice
        self._held = b""  # the end of what was written, kept back to go out with what follows

    async def write(self, data: bytes) -> None:
        """A piece of the body."""
        for part in self._parts(data):
            await self.connection.send(part)
            await asyncio.sleep(self._pause_s if self._drip_bytes else 0.0)

    async def flush(self) -> None:
        """What was kept back."""
        held, self._held = self._held, b""
        await self.connection.send(held)

    def _parts(self, data: bytes) -> Iterator[bytes]:
        if self._drip_bytes:
            yield from (data[at : at + self._drip_bytes] for at in range(0, len(data), self._drip_bytes))
        elif self._dice is None or len(data) < 2:
            yield data
        else:
            data = self._held + data
            edges = sorted(1 + self._dice.below(len(data) - 1) for _ in range(1 + self._dice.below(3)))
            for begin, end in pairwise((0, *edges)):
                yield data[begin:end]
            self._held = data[edges[-1] :]


async def _stream(plan: Plan, material: Material, pen: _Pen) -> None:
    headers = [(name, line) for name, line in material.headers if name != "content-type"]
    pen.connection.head(material.status, [("content-type", material.stream_type), *headers], length=None)
    pieces = {Content.EMPTY: material.empty_pieces, Content.FOREIGN: material.foreign_pieces}
    breaks = plan.breaks
    sent = 0
    for piece in pieces.get(plan.content, material.pieces):
        if breaks and sent and sent == plan.ending_after:
            break
        if piece.content:
            await asyncio.sleep(plan.first_content_s if not sent else 0.0 if plan.drip_bytes else plan.chunk_s)
            if breaks and not plan.ending_after:
                break
            sent += 1
        await pen.write(_SPOILED[plan.content](piece, material) if plan.content in _SPOILED else piece.data)
    await pen.flush()
    await _end(plan.ending if breaks else Ending.COMPLETE, material, pen)


# What becomes of a piece of a stream that is spoiled.
_SPOILED: dict[Content, Callable[[Piece, Material], bytes]] = {
    Content.BROKEN_JSON: lambda piece, _: piece.data.replace(b'":', b'"', 1) if piece.content else piece.data,
    Content.WRONG_SHAPE: lambda piece, material: (
        material.framed(_WRONG_SHAPE, "") if b"{" in piece.data else piece.data
    ),
    Content.MISTYPED: lambda piece, _: _in_lines(mistyped, piece.data),
    Content.MISCOUNTED: lambda piece, _: _in_lines(miscounted, piece.data),
}


def _in_lines(lie: Callable[[bytes], bytes], data: bytes) -> bytes:
    """The lie in every line of JSON, event of a stream or bare; binary frames stay as they are."""
    return b"\n".join([_in_line(lie, line) for line in data.split(b"\n")])


def _in_line(lie: Callable[[bytes], bytes], line: bytes) -> bytes:
    mark = b"data: " if line.startswith(b"data: ") else b""
    told = line.removeprefix(mark)
    return mark + lie(told) if told.startswith(b"{") else line


async def _end(ending: Ending, material: Material, pen: _Pen) -> None:
    match ending:
        case Ending.COMPLETE | Ending.UNFINISHED:
            pen.connection.finish()
        case Ending.ERROR_EVENT:
            await pen.connection.send(material.framed(material.event, material.event_name))
            pen.connection.finish()
        case Ending.CUT:
            pen.connection.close()
        case Ending.RESET:
            await asyncio.sleep(_READ_S)
            pen.connection.reset()
        case Ending.STALL:
            await _silence()


_READ_S = 0.01  # a reset throws away what the other side has not read yet: time to read it


async def _whole(plan: Plan, material: Material, pen: _Pen) -> None:
    headers, body = material.headers, _body(plan, material)
    if plan.content is Content.HTML:
        headers = (("content-type", "text/html; charset=utf-8"),)
    broken = plan.breaks and plan.ending in {Ending.CUT, Ending.RESET, Ending.STALL}
    pen.connection.head(material.status, headers, length=len(body))
    if broken:
        body = body[: min(len(body) * plan.ending_after // max(plan.chunks, 1), len(body) - 1)]
    await pen.write(body)
    await pen.flush()
    await _end(plan.ending if broken else Ending.COMPLETE, material, pen)


def _body(plan: Plan, material: Material) -> bytes:
    if plan.breaks and plan.ending is Ending.ERROR_EVENT:
        return material.event
    if plan.content is not Content.TEXT:
        return _SPOILED_BODIES[plan.content](material)
    return material.whole[: len(material.whole) // 2] if plan.ending is Ending.UNFINISHED else material.whole


_SPOILED_BODIES: dict[Content, Callable[[Material], bytes]] = {
    Content.EMPTY: lambda material: material.empty_whole,
    Content.BROKEN_JSON: lambda material: material.whole.replace(b'":', b'"', 1),
    Content.WRONG_SHAPE: lambda _material: _WRONG_SHAPE,
    Content.HTML: lambda _material: _PAGE,
    Content.MISTYPED: lambda material: mistyped(material.whole),
    Content.FOREIGN: lambda material: material.foreign_whole,
    Content.MISCOUNTED: lambda material: miscounted(material.whole),
}
