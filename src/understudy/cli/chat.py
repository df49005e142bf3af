"""Ask one question and see the answer as it is written, with who gave it and what it cost."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from understudy.cli._configuration import ConfigFile, read_configuration
from understudy.cli._output import Json, fail, tell, told

if TYPE_CHECKING:
    from understudy.config import Configuration
    from understudy.core.failure import FailureKind
    from understudy.ports import Header

DIALECT = "openai_chat"


def command(
    question: Annotated[str, typer.Argument(help="What to ask; - reads it from standard input.")],
    config: ConfigFile = None,
    route: Annotated[
        str | None, typer.Option(help="The route, target or provider/model; default: the first route.")
    ] = None,
    max_tokens: Annotated[int | None, typer.Option(min=1, help="Bound on the answer.")] = None,
    as_json: Json = False,
) -> None:
    """Ask, in this process: no server is needed."""
    with told(as_json=as_json):
        configuration = read_configuration(config)
    text = sys.stdin.read() if question == "-" else question
    if not text.strip():
        fail(["there is no question"], as_json=as_json, code=2)
    name = route or next(iter(configuration.routes))
    page = asyncio.run(_ask(configuration, name, text, max_tokens, live=not as_json))
    if page["problem"] is not None:
        fail([page["problem"]], as_json=as_json)
    seen = [f"{page['target']} ({page['tier']})", f"{page['attempts']} attempt(s)", f"{page['seconds']:.2f} s"]
    seen += [page["cost"] or "price unknown"] + (["degraded"] if page["degraded"] else [])
    tell(f"\n-- {', '.join(seen)}; decision {page['decision']}", page, as_json=as_json)


class Terminal:
    """Hears an answer in this process: prints its text as it comes, keeps all of it."""

    left: FailureKind | None = None

    def __init__(self, *, live: bool) -> None:
        self._live = live
        self.body = b""
        self.status = 0

    def respond(self, status: int, headers: Iterable[Header], body: bytes) -> None:
        """A whole answer: an error, or a provider that does not stream."""
        self.start(status, headers)
        self.body = body

    def start(self, status: int, headers: Iterable[Header]) -> None:  # noqa: ARG002  the result tells it all
        """The answer begins."""
        self.status = status

    async def write(self, data: bytes) -> None:
        """A piece of the stream."""
        self.body += data
        if self._live:
            print(_text(data), end="", flush=True)

    def finish(self) -> None:
        """It is complete."""

    def abort(self) -> None:
        """It is broken off; the result says why."""

    def forget_body(self) -> None:
        """Nothing is budgeted here."""


def _text(data: bytes) -> str:
    """The words in whole events of a Chat Completions stream (the engine writes no half ones)."""
    import msgspec

    from understudy.framing.sse import SseParser

    words = ""
    for event in SseParser().feed(data):
        if event.data and event.data != b"[DONE]":
            chunk = msgspec.json.decode(event.data)
            for choice in chunk.get("choices") or []:
                words += choice.get("delta", {}).get("content") or ""
    return words


async def _ask(
    configuration: Configuration, name: str, text: str, max_tokens: int | None, *, live: bool
) -> dict[str, Any]:
    import msgspec

    from understudy import wiring
    from understudy.core.money import dollars
    from understudy.core.request import Call

    body: dict[str, Any] = {"model": name, "stream": True, "messages": [{"role": "user", "content": text}]}
    if max_tokens is not None:
        body["max_tokens"] = max_tokens
    raw = msgspec.json.encode(body)
    client = wiring.make_client(configuration)
    try:
        engine = wiring.make_engine(configuration, client)
        sink = Terminal(live=live)
        needs = engine.snapshot.dialects[DIALECT].needs(raw)
        result = await engine.handle(Call(dialect=DIALECT, needs=needs, body=raw), sink)
    finally:
        await client.close()
    winner = result.winner
    return {
        "text": _text(sink.body) if winner is not None else "",
        "target": winner.target if winner else None,
        "tier": winner.tier if winner else None,
        "attempts": len(result.attempts),
        "degraded": result.degraded,
        "usage": msgspec.to_builtins(winner.usage) if winner and winner.usage else None,
        "cost": dollars(winner.cost_nusd) if winner and winner.cost_nusd is not None else None,
        "seconds": result.ended_s - result.started_s,
        "decision": result.decision,
        "problem": None if result.failure is None else f"{result.failure.kind}: {result.failure.message}",
    }
