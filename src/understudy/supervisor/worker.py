"""One data-plane worker: an engine and a server on a socket that the supervisor bound, steered over the link.

Run as `python -m understudy.supervisor.worker LINK_FD LISTEN_FD`. It imports nothing of the control plane.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import resource
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from understudy import registry, wiring
from understudy.core.event import BreakerChanged, CoolDownSet, Event, ProbeExpected
from understudy.engine.discovery import Discovery
from understudy.engine.prober import Prober
from understudy.engine.router import Engine
from understudy.supervisor.link import Ask, Drain, News, Operate, Setup, Switch, Word, read_down, write_up
from understudy.transport.client import Client
from understudy.transport.server import Server

if TYPE_CHECKING:
    from understudy.local.client import HostedClient

log = logging.getLogger("understudy")

ORPHAN_GRACE_S = 5.0
"""How long running answers have when the supervisor is gone."""

GC_THRESHOLD = 50_000
"""Objects allocated before a young collection. Requests make few cycles: their memory is given back by counting."""


class Worker:
    """What the supervisor steers."""

    def __init__(
        self, setup: Setup, engine: Engine, server: Server, client: Client | HostedClient, up: asyncio.StreamWriter
    ) -> None:
        self._setup = setup
        self._engine = engine
        self._server = server
        self._client = client
        self._up = up
        engine.events.observe(self._observe, BreakerChanged, CoolDownSet, ProbeExpected)

    def _observe(self, _number: int, event: Event) -> None:
        write_up(self._up, {"what": "news", "event": msgspec.to_builtins(event)})

    async def obey(self, reader: asyncio.StreamReader) -> None:
        """Do what comes down the link, until it ends or says drain."""
        while True:
            message = await read_down(reader)
            if isinstance(message, Word):
                self.hear(message)
            elif isinstance(message, Ask):
                write_up(self._up, {"what": "answer", "number": message.number, "told": await self._told(message)})
            else:
                grace_s = message.grace_s if isinstance(message, Drain) else ORPHAN_GRACE_S
                await self._server.drain(grace_s)
                await self._client.close()
                return

    def hear(self, word: Word) -> None:
        """Do what needs no answer."""
        engine, now_s = self._engine, self._engine.now_s()
        if isinstance(word, News):
            engine.board.observe(word.event, now_s)
        elif isinstance(word, Operate):
            engine.board.operate(word.target, word.event, now_s)
        elif isinstance(word, Switch):
            engine.switch(word.rule, word.enabled)
        else:
            assert not isinstance(self._client, Client), "it was made for the same configuration"
            wiring.place(self._client, engine, word)

    async def _told(self, ask: Ask) -> Any:
        """The answer to a question; nothing where that fails: whoever asks must not end the traffic that runs here."""
        try:
            return await self._answer(ask)
        except Exception:
            log.exception("a question about %s %s was not answered; please report this", ask.about, ask.id)
            return None

    async def _answer(self, ask: Ask) -> Any:
        match ask.about:
            case "stats":
                return self.stats()
            case "breakers":
                return self.breakers()
            case "rules":
                return self.rules()
            case _:
                return await self.decision(ask.id)

    def stats(self) -> dict[str, Any]:
        """Counts since the start, and what is held now. `rss_bytes`: resident memory."""
        tally = self._engine.tally
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) if _LINUX else 0
        return {
            "worker": self._setup.index,
            "requests": tally.requests,
            "failed": tally.failed,
            "degraded": tally.degraded,
            "attempts": tally.attempts,
            "connections": self._server.connections,
            "in_flight": sum(standing.in_flight for standing in self._engine.board.standings),
            "rss_bytes": pages * resource.getpagesize(),
            "events": self._engine.events.number,
        }

    def breakers(self) -> dict[str, Any]:
        """Every target's standing. `routes` of a breaker: which ones use it; none where only requests for the target itself do."""
        board, now_s = self._engine.board, asyncio.get_running_loop().time()
        routes, told = self._engine.snapshot.routes_of(), {}
        for name in board.targets():
            standing = board.standing(name)
            told[name] = {
                "worker": self._setup.index,
                "breakers": [
                    {
                        "state": view.state,
                        "test_in_s": max(0.0, view.until_s - now_s),
                        "routes": routes.get((name, index), []),
                    }
                    for index, view in enumerate(standing.breakers)
                ],
                "cool_down_s": max(0.0, standing.cool_down_until_s - now_s),
                "in_flight": standing.in_flight,
                "in_flight_max": standing.bounds.in_flight,
                "latency_ms": standing.latency_ms,
                "error_rate": standing.error_rate,
                "seen": standing.seen,
                "alarms": msgspec.to_builtins(board.alarms(name)),
            }
        return told

    def rules(self) -> dict[str, Any]:
        """How every rule stands: in force or not, and how often it applied here."""
        engine = self._engine
        return {
            rule.name: {
                "enabled": engine.switched.get(rule.name, rule.enabled),
                "switched": rule.name in engine.switched,
                "applied": engine.fired.get(rule.name, 0),
            }
            for rule in engine.snapshot.configuration.rules
        }

    async def decision(self, id_: str) -> dict[str, Any] | None:
        """One request's record, explained and made again; None when this worker does not know it.

        `record`: what the decision depended on, to be made again elsewhere; `explained`: every figure of the explanation.
        """
        found = self._engine.decisions.get(id_)
        if found is None:
            return None
        from understudy.core.explanation.told import plain  # few decisions are ever read
        from understudy.engine.record import written

        decision, result = found
        explained = await asyncio.to_thread(decision.explain)  # some milliseconds, which no request is to wait for
        differences = self._engine.snapshot.replay(decision)
        return {
            "id": decision.id,
            "route": decision.route,
            "version": decision.version,
            "needs": msgspec.to_builtins(decision.needs),
            "rules": msgspec.to_builtins(decision.ruling),
            "explanation": str(explained),
            "explained": explained.page(),
            "choices": [
                {
                    "tier": choice.tier.name,
                    "order": choice.order,
                    "scores": plain(choice.scores),
                    "excluded": plain(choice.excluded),
                }
                for choice in decision.choices
            ],
            "result": _result_page(msgspec.to_builtins(result)),
            "replay": {"same": not differences, "differences": differences},
            "record": written(decision),
        }


def _result_page(result: dict[str, Any]) -> dict[str, Any]:
    """A result without providers' error bodies: they may hold what callers sent."""
    for outcome in (*result["attempts"], result, *([result["winner"]] if result["winner"] else [])):
        if outcome.get("failure"):
            outcome["failure"].pop("body", None)
    return result


_LINUX = sys.platform == "linux"


async def run(link: socket.socket, listener: socket.socket) -> None:
    """Live until the link says drain, or is gone."""
    reader, writer = await asyncio.open_connection(sock=link)
    setup = await read_down(reader)
    if not isinstance(setup, Setup):
        return
    registry.know(setup.visitors)
    client = wiring.make_client(setup.configuration)
    engine = wiring.make_engine(setup.configuration, client, workers=setup.workers)
    server = wiring.make_server(setup.configuration, engine)
    discovery = Discovery(engine, client)
    prober = Prober(engine, client, index=setup.index, workers=setup.workers)
    worker = Worker(setup, engine, server, client, writer)
    for word in setup.so_far:  # before the first connection is taken: those of the one before it may wait already
        worker.hear(word)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, writer.close)  # as if the supervisor were gone
    await server.listen(sock=listener)
    engine.snapshot.warm()
    discovery.start()
    prober.start()
    write_up(writer, {"what": "ready"})
    # What lives from here on lives long: no collection needs to look at it again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 50, 100)
    try:
        await worker.obey(reader)
    finally:
        await prober.close()
        await discovery.close()


def main() -> None:
    """Start on the two file descriptors that the supervisor handed over."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the supervisor says what it means
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    link, listener = (socket.socket(fileno=int(number)) for number in sys.argv[1:3])
    try:
        import uvloop
    except ModuleNotFoundError:
        asyncio.run(run(link, listener))
    else:
        uvloop.run(run(link, listener))


if __name__ == "__main__":
    main()
