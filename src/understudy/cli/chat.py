"""Ask one question and see the answer as it is written, with who gave it and what it cost."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from understudy.cli._configuration import ConfigFile, read_configuration
from understudy.cli._output import ASKED_WRONGLY, FAILED, Json, columns, fail, tell, told

if TYPE_CHECKING:
    from understudy.config import Configuration
    from understudy.core.outcome import Outcome


def command(
    question: Annotated[str, typer.Argument(help="What to ask; - reads it from standard input.")],
    config: ConfigFile = None,
    route: Annotated[
        str | None, typer.Option(help="The route, target or model to ask; default: the first route.")
    ] = None,
    compare: Annotated[
        str | None, typer.Option(metavar="A,B,C", help="Ask several targets, and show their answers side by side.")
    ] = None,
    max_tokens: Annotated[int | None, typer.Option(min=1, help="Bound on the answer.")] = None,
    as_json: Json = False,
) -> None:
    """Ask, in this process: no server is needed."""
    with told(as_json=as_json):
        configuration = read_configuration(config)
    try:
        text = sys.stdin.buffer.read().decode() if question == "-" else question
    except UnicodeDecodeError:
        fail(["standard input is not UTF-8 text"], as_json=as_json, code=ASKED_WRONGLY)
    if not text.strip():
        fail(["there is no question"], as_json=as_json, code=2)
    if compare is not None:
        asked = [one.strip() for one in compare.split(",") if one.strip()]
        page = asyncio.run(_compare(configuration, asked, text, max_tokens))
        if "problem" in page:
            fail([page["problem"]], as_json=as_json, code=ASKED_WRONGLY)
        tell(_side_by_side(page["answers"]), page, as_json=as_json)
        if all(row["problem"] is not None for row in page["answers"]):
            raise typer.Exit(FAILED)
        return
    name = route or next(iter((*configuration.routes, *configuration.targets)))  # stand-ins alone make no route
    page = asyncio.run(_ask(configuration, name, text, max_tokens, live=not as_json))
    if page["problem"] is not None:
        fail([page["problem"], page["advice"]], as_json=as_json)
    seen = [f"{page['target']} ({page['tier']})", f"{page['attempts']} attempt(s)", f"{page['seconds']:.2f} s"]
    seen += [page["cost"] or "price unknown"] + (["degraded"] if page["degraded"] else [])
    tried = [f"   not {one['target']}: {one['problem']}" for one in page["failed"]]
    tell("\n".join([f"\n-- {', '.join(seen)}; decision {page['decision']}", *tried]), page, as_json=as_json)


async def _ask(
    configuration: Configuration, name: str, text: str, max_tokens: int | None, *, live: bool
) -> dict[str, Any]:
    from understudy.errors import RequestFailed, StreamBroken
    from understudy.library.router import Router

    settings = {} if max_tokens is None else {"max_tokens": max_tokens}
    began_s = time.monotonic()
    async with Router(configuration=configuration) as router:
        try:
            stream = router.stream(name, text, **settings)
            async for chunk in stream:
                if live:
                    print(chunk.text, end="", flush=True)
        except StreamBroken as broken:
            return _page(broken.partial) | _problem(broken)
        except RequestFailed as failed:
            return _NOTHING | _problem(failed) | {"seconds": time.monotonic() - began_s}
    return _page(stream.answer)


async def _compare(configuration: Configuration, names: list[str], text: str, max_tokens: int | None) -> dict[str, Any]:
    from understudy.core.outcome import naming_attempts
    from understudy.errors import BadRequest
    from understudy.library.router import Router

    settings = {} if max_tokens is None else {"max_tokens": max_tokens}
    async with Router(configuration=configuration) as router:
        try:
            compared = await router.compare(names, text, **settings)
        except BadRequest as wrong:
            return {"problem": wrong.failure.message}
    return {
        "answers": [
            {
                "target": one.target,
                "text": one.answer.text if one.answer else "",
                "problem": f"{one.failure.kind}: {naming_attempts(one.failure.message, one.attempts)}"
                if one.failure
                else None,
                "attempts": len(one.attempts),
                "seconds": one.seconds,
                "cost": f"${one.cost:f}" if one.cost is not None else None,
            }
            for one in compared
        ]
    }


def _side_by_side(rows: list[dict[str, Any]]) -> str:
    """Every answer under its target's name, then who took how long and cost what."""
    told = [f"== {row['target']}\n{row['problem'] or row['text']}\n" for row in rows]
    table = [
        [
            row["target"],
            f"{row['seconds']:.2f} s",
            row["cost"] or ("" if row["problem"] else "price unknown"),
            "failed" if row["problem"] else "",
        ]
        for row in rows
    ]
    return "\n".join([*told, columns(table)])


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
        "failed": _failed(answer.attempts),
        "degraded": answer.degraded,
        "usage": msgspec.to_builtins(winner.usage) if winner.usage else None,
        "cost": dollars(winner.cost_nusd) if winner.cost_nusd is not None else None,
        "seconds": answer.seconds,
        "decision": answer.result.decision,
        "problem": None,
    }


def _failed(attempts: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Who was asked in vain, and why: what an answer of somebody else would hide."""
    return [
        {"target": one.target, "problem": f"{one.failure.kind}: {one.failure.message}"}
        for one in attempts
        if one.failure is not None
    ]


def _problem(failed: Any) -> dict[str, Any]:
    """What went wrong, for the same page."""
    failure = failed.failure
    return {
        "attempts": len(failed.attempts),
        "failed": _failed(failed.attempts),
        "decision": failed.decision,
        "problem": f"{failure.kind}: {failed}",
        "advice": failure.row.advice,
    }
