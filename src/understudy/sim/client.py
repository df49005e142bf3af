"""Plays the world to the engine: an HTTP client without sockets, and a caller who only listens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from math import inf

import msgspec

from understudy.core.answer import (
    Answer,
    Begin,
    Choice,
    End,
    Field,
    Finish,
    PartBegin,
    PartDelta,
    PartEnd,
    Stop,
    UsageSeen,
)
from understudy.core.conversation import Text
from understudy.core.failure import FailureKind
from understudy.core.request import Needs
from understudy.core.target import Target
from understudy.core.usage import Usage
from understudy.dialects import Dialect
from understudy.faults import (
    SAYS_SOMETHING,
    Connect,
    Content,
    Ending,
    Plan,
    Reply,
    error_event,
    error_reply,
    miscounted,
    mistyped,
)
from understudy.ports import Header, HeaderMap, HttpAnswer, HttpRequest, TransportFailure
from understudy.sim.world import WALL_S, World

WORD = "word "
USAGE = Usage(input=10, output=5)

_CONNECT = {
    Connect.REFUSED: FailureKind.CONNECTION_REFUSED,
    Connect.DNS_FAILED: FailureKind.DNS_FAILED,
    Connect.TLS_FAILED: FailureKind.TLS_FAILED,
    Connect.TIMEOUT: FailureKind.CONNECT_TIMEOUT,
}
_SPOILED: dict[Content, Callable[[bytes], bytes]] = {
    Content.BROKEN_JSON: lambda data: data.replace(b'":', b'"', 1),
    Content.WRONG_SHAPE: lambda _data: b'{"status":"ok","result":null}',
    Content.HTML: lambda _data: b"<!doctype html><title>Just a moment...</title>",
    Content.MISTYPED: mistyped,
    Content.FOREIGN: lambda _data: b'{"type":"message","object":"conversation","outputs":[{"words":"Hello."}]}',
}


class Exchange:
    """One request under way: the plan that it follows, and how late it may get."""

    __slots__ = ("dialect", "host", "plan", "started_s", "stream")

    def __init__(self, plan: Plan, dialect: Dialect, host: str, *, started_s: float, stream: bool) -> None:
        self.plan = plan
        self.dialect = dialect
        self.host = host
        self.started_s = started_s
        self.stream = stream

    async def until(self, after_s: float, bound_s: float, late: FailureKind) -> None:
        """Pass the time to `after_s` after the start. Raises when the bound or the connection's death comes first."""
        plan = self.plan
        at_s, dies_s = self.started_s + after_s, self.started_s + plan.dies_at_s
        if after_s >= plan.hushed_at_s:
            at_s = inf
        if plan.hushed_at_s <= plan.dies_at_s:
            dies_s = inf
        stop_s = min(at_s, bound_s, dies_s)
        await asyncio.sleep(max(0.0, stop_s - asyncio.get_running_loop().time()))
        if stop_s == at_s:
            return
        if stop_s == bound_s:
            raise TransportFailure(late, "simulated: nothing came in time", sent=late not in _CONNECT.values())
        raise TransportFailure(FailureKind.CONNECTION_LOST, "simulated: the connection died", sent=True)

    async def connect(self, connect_s: float, until_s: float) -> None:
        """Connect, or raise what prevents it."""
        plan = self.plan
        bound_s = min(until_s, self.started_s + connect_s)
        takes_s = inf if plan.connect is Connect.TIMEOUT else plan.connect_s
        await self.until(takes_s, bound_s, FailureKind.CONNECT_TIMEOUT)
        if plan.connect is not Connect.OK:
            raise TransportFailure(_CONNECT[plan.connect], "simulated: no connection", sent=False)

    async def head(self, until_s: float, late: FailureKind, after_s: float) -> HttpAnswer | None:
        """Wait for the head. An API error comes as a whole answer; None: what follows is a 200."""
        plan = self.plan
        takes_s = inf if plan.reply is Reply.SILENCE else after_s
        await self.until(takes_s, until_s, late)
        if plan.reply is Reply.RESET:
            raise TransportFailure(FailureKind.CONNECTION_LOST, "simulated: reset", sent=True)
        if plan.reply is Reply.NOT_HTTP:
            raise TransportFailure(FailureKind.MALFORMED, "simulated: not HTTP", sent=True)
        if plan.reply is not Reply.ERROR:
            return None
        assert plan.trouble is not None
        reply = error_reply(
            plan.trouble.problem,
            self.dialect.name,
            model="m",
            request_id="req_simulated",
            wall_s=WALL_S + asyncio.get_running_loop().time() + plan.skew_s,
            retry_after_s=plan.trouble.retry_after_s,
            hint=plan.trouble.hint,
        )
        headers = {name.encode(): text.encode() for name, text in reply.headers}
        return HttpAnswer(status=reply.status, headers=headers, body=reply.body)

    def event(self) -> bytes:
        """The error inside a 200."""
        assert self.plan.ending_trouble is not None
        return error_event(self.plan.ending_trouble.problem, self.dialect.name, model="m", request_id="req_simulated")

    def whole(self) -> bytes:
        """The body of a whole answer."""
        plan = self.plan
        text = "" if plan.content is Content.EMPTY else WORD * plan.chunks
        answer = Answer(id="a1", model="m", choices=(Choice(parts=(Text(text),), stop=Stop.END),), usage=USAGE)
        body = self.dialect.render_answer(answer)
        if plan.content in _SPOILED:
            return _SPOILED[plan.content](body)
        if plan.breaks and plan.ending is Ending.ERROR_EVENT:
            return self.event()
        if plan.content is Content.MISCOUNTED:
            body = miscounted(body)
        return body[: len(body) // 2] if plan.ending is Ending.UNFINISHED else body

    def pieces(self) -> list[tuple[float, bytes]]:
        """A stream's bytes, each with its time from the start; `b""` stands for a proper end."""
        plan, encoder = self.plan, self.dialect.encoder(model="m", include_usage=True)

        def told(*events: object) -> bytes:
            return b"".join([encoder.encode(event) for event in events])  # type: ignore[arg-type]

        begin_s = plan.connect_s + plan.headers_s
        found = [(begin_s, told(Begin(id="a1", model="m", created=0), PartBegin(0, 0, Text(""))))]
        if plan.content in _SPOILED:
            spoiled = _SPOILED[plan.content](told(PartDelta(0, 0, Field.TEXT, WORD)).rpartition(b"data: ")[2])
            found.append((plan.piece_at_s(1), b"data: " + spoiled.strip() + b"\n\n"))
        found += [
            (plan.piece_at_s(number), told(PartDelta(0, 0, Field.TEXT, WORD))) for number in range(1, plan.pieces + 1)
        ]
        last_s = max(found[-1][0], plan.piece_at_s(1))
        if plan.content is Content.GIANT:
            return [*found, (plan.piece_at_s(1), b"")]
        if not plan.breaks:
            usage = Usage(input=10, output=10**18) if plan.content is Content.MISCOUNTED else USAGE
            end = (PartEnd(0, 0), Finish(choice=0, stop=Stop.END), UsageSeen(usage), End())
            found.append((last_s, told(*end)))
        elif plan.ending is Ending.ERROR_EVENT:
            name = b"event: error\n" if self.dialect.name == "anthropic_messages" else b""
            found.append((last_s, name + b"data: " + self.event() + b"\n\n"))
        return [*found, (last_s, b"")]


class SimulatedStream:
    """`understudy.ports.HttpStream` over a plan."""

    def __init__(self, exchange: Exchange, client: SimulatedClient, answer: HttpAnswer | None) -> None:
        self.status = 200 if answer is None else answer.status
        self.headers: HeaderMap = {b"content-type": b"text/event-stream"} if answer is None else answer.headers
        self._exchange = exchange
        self._client = client
        self._pieces = exchange.pieces() if answer is None else [(0.0, answer.body), (0.0, b"")]
        self._fails = answer is None and exchange.plan.content in SAYS_SOMETHING

    async def read(self, until_s: float) -> bytes:
        """See `understudy.ports.HttpStream`."""
        exchange, ending = self._exchange, self._exchange.plan.ending
        after_s, data = self._pieces[0]
        giant = exchange.plan.content is Content.GIANT and not data
        if not data and self._fails and ending is Ending.STALL:
            after_s = inf
        try:
            await exchange.until(after_s, until_s, FailureKind.IDLE_TIMEOUT)
        except TransportFailure as trouble:
            if trouble.kind is FailureKind.CONNECTION_LOST:
                raise TransportFailure(FailureKind.TRUNCATED, trouble.message, sent=True) from None
            raise
        if giant and self.status == 200:
            raise TransportFailure(FailureKind.ANSWER_TOO_LARGE, "simulated: without end", sent=True)
        if data:
            self._pieces.pop(0)
        elif self._fails and ending in {Ending.CUT, Ending.RESET}:
            raise TransportFailure(FailureKind.TRUNCATED, "simulated: cut", sent=True)
        return data

    def close(self) -> None:
        """See `understudy.ports.HttpStream`."""
        self._client.open.discard(self._exchange)


class SimulatedClient:
    """`understudy.ports.HttpClient` over a world. The host of an origin is the target; `open`: exchanges not yet let go of.

    `dialects`: the wire format that each path is for.
    """

    def __init__(self, world: World, dialects: Mapping[str, Dialect]) -> None:
        self.world = world
        self.open: set[Exchange] = set()
        self.count = 0
        self._dialects = dialects

    def _begin(self, request: HttpRequest, *, stream: bool) -> Exchange:
        """What comes of a request; one without a body asks for the list of models, and `count` is of the others."""
        now_s = asyncio.get_running_loop().time()
        host = request.origin.host
        if request.method == "GET":
            plan = self.world.lists(Target(name=host, provider=host, model=""), now_s)
            exchange = Exchange(plan, self._dialects["openai_chat"], host, started_s=now_s, stream=False)
            self.open.add(exchange)
            return exchange
        body = msgspec.json.decode(request.body)
        needs = Needs(model=body["model"], stream=stream, tokens_in=10)
        plan, _ = self.world.meet(Target(name=host, provider=host, model=needs.model), needs, now_s)
        name = "anthropic_messages" if request.path.endswith("/messages") else "openai_chat"
        exchange = Exchange(plan, self._dialects[name], host, started_s=now_s, stream=stream)
        self.open.add(exchange)
        self.count += 1
        return exchange

    async def send(self, request: HttpRequest, *, connect_s: float, until_s: float) -> HttpAnswer:
        """See `understudy.ports.HttpClient`."""
        exchange = self._begin(request, stream=False)
        plan, late = exchange.plan, FailureKind.ANSWER_TIMEOUT
        try:
            await exchange.connect(connect_s, until_s)
            at_once = plan.reply is not Reply.ANSWER
            all_s = plan.connect_s + plan.headers_s if at_once else plan.piece_at_s(max(plan.pieces, 1))
            error = await exchange.head(until_s, late, all_s)
            if error is not None:
                return error
            if plan.content is Content.GIANT:
                raise TransportFailure(FailureKind.ANSWER_TOO_LARGE, "simulated: without end", sent=True)
            if plan.breaks:
                if plan.ending is Ending.STALL:
                    await exchange.until(inf, until_s, late)
                if plan.ending in {Ending.CUT, Ending.RESET}:
                    raise TransportFailure(FailureKind.TRUNCATED, "simulated: cut", sent=True)
            return HttpAnswer(status=200, headers={b"content-type": b"application/json"}, body=exchange.whole())
        finally:
            self.open.discard(exchange)

    async def stream(self, request: HttpRequest, *, connect_s: float, until_s: float) -> SimulatedStream:
        """See `understudy.ports.HttpClient`."""
        exchange = self._begin(request, stream=True)
        plan = exchange.plan
        try:
            await exchange.connect(connect_s, until_s)
            error = await exchange.head(until_s, FailureKind.HEADERS_TIMEOUT, plan.connect_s + plan.headers_s)
        except BaseException:
            self.open.discard(exchange)
            raise
        return SimulatedStream(exchange, self, error)


class Listener:
    """`understudy.ports.Sink` that remembers. `pause_s`: how long the caller takes for each piece."""

    def __init__(self, pause_s: float = 0.0) -> None:
        self.left: FailureKind | None = None
        self.status: int | None = None
        self.headers: dict[bytes, bytes] = {}
        self.body = b""
        self.finished = self.aborted = False
        self.pause_s = pause_s

    def respond(self, status: int, headers: Iterable[Header], body: bytes) -> None:
        """Everything at once."""
        assert self.status is None, "answered twice"
        self.status, self.headers, self.body, self.finished = status, dict(headers), body, True

    def start(self, status: int, headers: Iterable[Header]) -> None:
        """The head."""
        assert self.status is None, "answered twice"
        self.status, self.headers = status, dict(headers)

    async def write(self, data: bytes) -> None:
        """A piece."""
        assert self.status is not None, "nothing was started"
        assert not self.finished, "written after its end"
        self.body += data
        if self.pause_s:
            await asyncio.sleep(self.pause_s)

    def finish(self) -> None:
        """The end."""
        assert not self.finished, "finished twice"
        self.finished = True

    def abort(self) -> None:
        """The broken end."""
        self.aborted = True

    def forget_body(self) -> None:
        """There is no budget here."""
