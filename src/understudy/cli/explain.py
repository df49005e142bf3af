"""Show which target a request would get, who would be left out, and why. Nothing is sent."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from understudy.cli._configuration import ConfigFile, read_configuration
from understudy.cli._output import ASKED_WRONGLY, Json, columns, fail, tell, told

if TYPE_CHECKING:
    from understudy.config import Configuration


def command(
    request: Annotated[Path, typer.Argument(help="A request body as JSON.")],
    config: ConfigFile = None,
    dialect: Annotated[
        str, typer.Option(help="Its wire format: openai_chat, anthropic_messages, openai_embeddings.")
    ] = "openai_chat",
    route: Annotated[str | None, typer.Option(help="Instead of the request's own model.")] = None,
    as_json: Json = False,
) -> None:
    """Explain, as every target stands at a fresh start."""
    with told(as_json=as_json):
        configuration = read_configuration(config)
    try:
        body = request.read_bytes()
    except OSError as error:
        fail([f"{request}: {error.strerror}"], as_json=as_json, code=ASKED_WRONGLY)
    page = explain(configuration, body, dialect, route)
    if "problems" in page:
        fail(page["problems"], as_json=as_json, code=ASKED_WRONGLY)
    lines = [f"route {page['route']}, as a {page['dialect']} request of about {page['needs']['tokens_in']} tokens"]
    for tier in page["tiers"]:
        lines.append(f"{tier['tier']}{' (degraded)' if tier['degraded'] else ''}")
        rows = [[str(place), name, f"score {score:g}"] for place, (name, score) in enumerate(tier["order"], 1)]
        rows += [["-", out["target"], f"{out['reason']}: {out['detail']}"] for out in tier["excluded"]]
        lines.append(columns(rows))
    tell("\n".join(lines), page, as_json=as_json)


def explain(configuration: Configuration, body: bytes, dialect: str, route: str | None) -> dict[str, Any]:
    """What would be chosen, tier by tier, or the problems with the request."""
    import msgspec

    from understudy import wiring
    from understudy.core.decision import Decision
    from understudy.core.plan import Ask
    from understudy.core.scoreboard import Scoreboard
    from understudy.core.select import dice_of, select
    from understudy.dialects import BadBody
    from understudy.engine.reading import with_traits

    board = Scoreboard()
    snapshot = wiring.make_snapshot(configuration, board)
    if dialect not in snapshot.dialects:
        return {"problems": [f"no dialect is called {dialect!r}; there are: {', '.join(snapshot.dialects)}"]}
    try:
        needs = snapshot.dialects[dialect].needs(body)
    except BadBody as trouble:
        return {"problems": [f"as {dialect}: {trouble}"]}
    plan = snapshot.plan(route or needs.model, None, needs.operation)
    if plan is None:
        names = ", ".join(sorted(snapshot.plans))
        return {"problems": [f"no route, target or model is called {route or needs.model!r}; there are: {names}"]}
    if plan.reads_prompt:
        needs = with_traits(needs, body, snapshot.dialects[dialect])
    decision = Decision(0, "", plan.name, plan.version, needs, dialect, 0, 0.0)
    ask = Ask(needs, dialect, 0.0, dice_of(decision, 0), 0, {})
    tiers = []
    for tier in plan.tiers:
        order, scores, excluded = select(tier, plan, ask, board.standings)
        tiers.append(
            {
                "tier": tier.name,
                "degraded": tier.degraded,
                "order": [[entry.target.name, score] for entry, score in zip(order, scores, strict=True)],
                "excluded": msgspec.to_builtins(excluded),
            }
        )
    return {"route": plan.name, "dialect": dialect, "needs": msgspec.to_builtins(needs), "tiers": tiers}
