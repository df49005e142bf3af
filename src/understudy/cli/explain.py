"""Show which target a request would get, who would be left out, and why. Nothing is sent."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from understudy.cli._configuration import ConfigFile, read_configuration
from understudy.cli._output import ASKED_WRONGLY, Json, columns, fail, tell, told
from understudy.core.value import value

if TYPE_CHECKING:
    from understudy.config import Configuration


def command(  # noqa: PLR0913, PLR0917  the options
    request: Annotated[Path, typer.Argument(help="A request body as JSON.")],
    config: ConfigFile = None,
    dialect: Annotated[
        str, typer.Option(help="Its wire format: openai_chat, anthropic_messages, openai_embeddings.")
    ] = "openai_chat",
    route: Annotated[str | None, typer.Option(help="Instead of the request's own model.")] = None,
    label: Annotated[list[str] | None, typer.Option(help="A label that rules may look at: team=search.")] = None,
    header: Annotated[list[str] | None, typer.Option(help="A header that rules may look at: x-team=search.")] = None,
    session: Annotated[str | None, typer.Option(help="The caller's session.")] = None,
    principal: Annotated[str, typer.Option(help="Who asks.")] = "",
    complexity: Annotated[str | None, typer.Option(help="As the caller says: simple, medium, complex.")] = None,
    at: Annotated[
        str | None, typer.Option(help="For rules that look at the time: 2026-03-01T23:00Z; default: now.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Explain, as every target stands at a fresh start."""
    with told(as_json=as_json):
        configuration = read_configuration(config)
    try:
        body = request.read_bytes()
    except OSError as error:
        fail([f"{request}: {error.strerror}"], as_json=as_json, code=ASKED_WRONGLY)
    try:
        said = Said(pairs(label), pairs(header), session, principal, complexity, moment(at))
    except ValueError as wrong:
        fail([str(wrong)], as_json=as_json, code=ASKED_WRONGLY)
    page = explain(configuration, body, dialect, route, said)
    if "problems" in page:
        fail(page["problems"], as_json=as_json, code=ASKED_WRONGLY)
    lines = [f"route {page['route']}, as a {page['dialect']} request of about {page['needs']['tokens_in']} tokens"]
    lines += page["rules"]
    for tier in page["tiers"]:
        lines.append(f"{tier['tier']}{' (degraded)' if tier['degraded'] else ''}")
        rows = [[str(place), name, f"score {score:g}"] for place, (name, score) in enumerate(tier["order"], 1)]
        rows += [["-", out["target"], f"{out['reason']}: {out['detail']}"] for out in tier["excluded"]]
        lines.append(columns(rows))
    tell("\n".join(lines), page, as_json=as_json)


@value
class Said:
    """What a caller says besides the body. `wall_s`: Unix time, None for the present."""

    labels: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    session: str | None = None
    principal: str = ""
    complexity: str | None = None
    wall_s: float | None = None


NOTHING_SAID = Said()


def pairs(given: list[str] | None) -> tuple[tuple[str, str], ...]:
    """`name=value` as pairs. Raises `ValueError`."""
    parted = [one.partition("=") for one in given or ()]
    if any(not name or not sep for name, sep, _ in parted):
        raise ValueError("labels and headers are written as name=value")
    return tuple((name, text) for name, _, text in parted)


def moment(at: str | None) -> float | None:
    """A time as Unix seconds; without a zone it is UTC. Raises `ValueError`."""
    if at is None:
        return None
    read = datetime.fromisoformat(at)
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def explain(
    configuration: Configuration, body: bytes, dialect: str, route: str | None, said: Said = NOTHING_SAID
) -> dict[str, Any]:
    """What would be chosen, tier by tier, or the problems with the request."""
    import time

    import msgspec

    from understudy import wiring
    from understudy.core.decision import Decision
    from understudy.core.plan import Ask
    from understudy.core.request import Call
    from understudy.core.rules.spending import Spending
    from understudy.core.scoreboard import Scoreboard
    from understudy.core.select import dice_of, select
    from understudy.dialects import BadBody
    from understudy.engine.reading import with_traits
    from understudy.engine.ruling import World, apply

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
    decision = Decision(0, "", plan.name, plan.version, needs, dialect, 0, 0.0)
    call = Call(
        dialect=dialect,
        needs=needs,
        body=body,
        principal=said.principal,
        session=said.session,
        labels=said.labels,
        route=route,
        complexity=said.complexity,
        seen=said.headers,
    )
    world = World(board, time.time() if said.wall_s is None else said.wall_s, Spending(snapshot.spends), {}, {})
    left, problem = apply(world, snapshot, plan, call, decision)
    rules = [] if decision.ruling is None else decision.ruling.told()
    if left is None:
        return {"problems": [*rules, f"refused: {problem.message}"]}
    plan = left
    if plan.reads_prompt:
        decision.needs = with_traits(decision.needs, body, snapshot.dialects[dialect])
    ask = Ask(decision.needs, dialect, 0.0, dice_of(decision, 0), 0, {})
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
    told_needs = msgspec.to_builtins(decision.needs)
    return {"route": plan.name, "dialect": dialect, "needs": told_needs, "rules": rules, "tiers": tiers}
