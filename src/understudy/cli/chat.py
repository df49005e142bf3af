"""Ask one question and see the answer as it is written, with who gave it and what it cost."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from understudy.cli._configuration import ConfigFile, read_configuration
from understudy.cli._output import Json, fail, tell, told

if TYPE_CHECKING:
    from understudy.config import Configuration


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


async def _ask(
    configuration: Configuration, name: str, text: str, max_tokens: int | None, *, live: bool
) -> dict[str, Any]:
    from understudy.errors import RequestFailed, StreamBroken
    from understudy.library.router import Router

    settings = {} if max_tokens is None else {"max_tokens": max_tokens}
    began_s = time.monotonic()
    async with Router(configuration=configuration) as router:
        stream = router.stream(name, text, **settings)
        try:
            async for chunk in stream:
                if live:
                    print(chunk.text, end="", flush=True)
        except StreamBroken as broken:
            return _page(broken.partial) | _problem(broken)
        except RequestFailed as failed:
            return _NOTHING | _problem(failed) | {"seconds": time.monotonic() - began_s}
    return _page(stream.answer)


_NOTHING = {"text": "", "target": None, "tier": None, "degraded": False, "usage": None, "cost": None}


def _page(answer: Any) -> dict[str, Any]:
    """An answer as the command tells it."""
    import msgspec

    from understudy.core.money import dollars

    winner = answer.result.winner
    return {
        "text": answer.text,
        "target": answer.target,
        "tier": answer.tier,
        "attempts": len(answer.attempts),
        "degraded": answer.degraded,
        "usage": msgspec.to_builtins(winner.usage) if winner.usage else None,
        "cost": dollars(winner.cost_nusd) if winner.cost_nusd is not None else None,
        "seconds": answer.seconds,
        "decision": answer.result.decision,
        "problem": None,
    }


def _problem(failed: Any) -> dict[str, Any]:
    """What went wrong, for the same page."""
    failure = failed.failure
    return {
        "attempts": len(failed.attempts),
        "decision": failed.decision,
        "problem": f"{failure.kind}: {failure.message}",
    }
