"""Show which target a request would get, or got; who would be left out, why, and what would change it. Nothing is sent."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli._configuration import ConfigFile, cannot_be_asked, read_configuration
from understudy.cli._output import ASKED_WRONGLY, FAILED, Json, fail, told
from understudy.core.value import JsonObject, value

if TYPE_CHECKING:
    from understudy.config import Configuration
    from understudy.core.decision import Decision
    from understudy.core.explanation.told import Explanation
    from understudy.core.plan import RoutePlan
    from understudy.core.scoreboard import Scoreboard


def command(  # noqa: PLR0913, PLR0917  the options
    request: Annotated[
        Path,
        typer.Argument(
            help="A request body as JSON, or a decision as /api/decisions/{id} gives it; - reads standard input."
        ),
    ],
    config: ConfigFile = None,
    dialect: Annotated[
        str,
        typer.Option(
            help="Its wire format, as `api` of a target says it: chat, messages, responses, gemini, embeddings."
        ),
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
    """Explain a request, as every target stands at a fresh start; or a decision that was made, as they stood then.

    A decision is made again, too: exit code 1 when it comes out otherwise.
    """
    with told(as_json=as_json):
        configuration = read_configuration(config)
    try:
        body = sys.stdin.buffer.read() if str(request) == "-" else request.read_bytes()
    except OSError as error:
        fail([f"{request}: cannot be read: {error.strerror}"], as_json=as_json, code=ASKED_WRONGLY)
    decided = decision_in(body)
    if decided is not None:
        tell_decision(configuration, *decided, as_json=as_json)
        return
    try:
        said = Said(pairs(label), pairs(header), session, principal, complexity, moment(at))
    except ValueError as wrong:
        fail([str(wrong)], as_json=as_json, code=ASKED_WRONGLY)
    found = explain(configuration, body, dialect, route, said)
    if isinstance(found, list):
        fail(found, as_json=as_json, code=ASKED_WRONGLY)
    from understudy.cli._explained import show

    page, explanation = found
    # A fresh start knows of no failures: who would fail for want of a key stands in its order all the same.
    chosen = {one.target for choice in explanation.choices for one in choice.candidates}
    warnings = [told for name, told in cannot_be_asked(configuration).items() if name in chosen]
    page["warnings"] = warnings
    tokens = page["needs"]["tokens_in"]
    show(
        f"route {page['route']}, asked in {page['dialect']}, about {tokens} tokens",
        explanation,
        page,
        as_json=as_json,
        ending=[f"warning: {one}" for one in warnings],
    )


def decision_in(body: bytes) -> tuple[JsonObject, list[JsonObject]] | None:
    """A decision's record, and what its attempts lost in translation; None when this is something else.

    The record may stand alone, or within the decision's page: only that tells of the attempts.
    """
    import json

    try:
        page = json.loads(body)
    except ValueError:
        return None
    record = page.get("record", page) if isinstance(page, dict) else None
    if not (isinstance(record, dict) and "choices" in record and "seed" in record):
        return None
    result = page.get("result")
    attempts = result.get("attempts") if isinstance(result, dict) else None
    lost = [
        {"target": str(one.get("target")), "dropped": list(map(str, one["dropped"]))}
        for one in (attempts if isinstance(attempts, list) else ())
        if isinstance(one, dict) and isinstance(one.get("dropped"), list) and one["dropped"]
    ]
    return record, lost


def tell_decision(configuration: Configuration, record: JsonObject, lost: list[JsonObject], *, as_json: bool) -> None:
    """Explain a decision that was made, and make it again. `lost`: what each attempt that lost anything did."""
    from understudy import wiring
    from understudy.cli._explained import show
    from understudy.core.scoreboard import Scoreboard
    from understudy.engine.record import MissingInput, read, replay_record

    snapshot = wiring.make_snapshot(configuration, Scoreboard())
    try:
        decision = read(record, snapshot)
    except MissingInput as missing:
        fail([f"missing: {missing}"], as_json=as_json)
    differences = replay_record(record, snapshot)
    explanation = decision.explain()
    page = {
        "explained": explanation.page(),
        "lost": lost,
        "replay": {"same": not differences, "differences": differences},
    }
    title = f"decision {decision.id}: route {decision.route}, configuration {decision.version}"
    ending = [f"lost in translation by {one['target']}: {', '.join(one['dropped'])}" for one in lost]
    ending += ["made again: the same"] if not differences else [f"made again: {one}" for one in differences]
    show(title, explanation, page, as_json=as_json, ending=ending)
    if differences:
        raise typer.Exit(FAILED)


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
    try:
        read = datetime.fromisoformat(at)
    except ValueError:
        raise ValueError(f"--at {at!r} is no time; write it as 2026-03-01T23:00Z") from None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def explain(
    configuration: Configuration, body: bytes, dialect: str, route: str | None, said: Said = NOTHING_SAID
) -> tuple[JsonObject, Explanation] | list[str]:
    """What would be chosen, tier by tier, as a page and as an explanation; or the problems with the request."""
    import time

    from understudy import wiring
    from understudy.config.targets import APIS
    from understudy.core.decision import Decision
    from understudy.core.request import Call
    from understudy.core.rules.spending import Spending
    from understudy.core.scoreboard import Scoreboard
    from understudy.dialects import BadBody
    from understudy.engine.reading import with_traits
    from understudy.engine.ruling import World, apply

    known = [one.name for one in configuration.principals]
    if said.principal and known and said.principal not in known:
        return [f"no principal is called {said.principal!r}; there are: {', '.join(known)}"]
    board = Scoreboard()
    snapshot = wiring.make_snapshot(configuration, board)
    dialect = APIS.get(dialect, dialect)
    if dialect not in snapshot.dialects:
        return [f"no dialect is called {dialect!r}; there are: {', '.join(snapshot.dialects)}"]
    try:
        needs = snapshot.dialects[dialect].needs(body)
    except BadBody as trouble:
        return [f"as {dialect}: {trouble}"]
    plan = snapshot.plan(route or needs.model, None, needs.operation)
    if plan is None:
        names = ", ".join(sorted(snapshot.plans))
        return [f"no route, target or model is called {route or needs.model!r}; there are: {names}"]
    session = said.session or ""
    decision = Decision(0, "", plan.name, plan.version, needs, dialect, 0, 0.0, session, said.principal)
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
    if left is None:
        rules = [] if decision.ruling is None else decision.ruling.told()
        return [*rules, f"refused: {problem.message}"]
    if left.reads_prompt:
        decision.needs = with_traits(decision.needs, body, snapshot.dialects[dialect])
    return _tiers(left, decision, board)


def _tiers(plan: RoutePlan, decision: Decision, board: Scoreboard) -> tuple[JsonObject, Explanation]:
    """A choice in each of the tiers, and what there is to say of it."""
    from understudy.core.candidate import Ask
    from understudy.core.explanation.told import plain
    from understudy.core.select import choose, dice_of

    for number, tier in enumerate(plan.tiers):
        choose(
            tier,
            plan,
            Ask(
                decision.needs,
                decision.dialect,
                0.0,
                dice_of(decision, number),
                0,
                {},
                session=decision.session,
                principal=decision.principal,
            ),
            board.standings,
            decision,
        )
    explanation = decision.explain()
    page = {
        "route": plan.name,
        "dialect": decision.dialect,
        "needs": plain(decision.needs),
        "rules": [] if decision.ruling is None else decision.ruling.told(),
        "tiers": [
            {
                "tier": choice.tier.name,
                "degraded": choice.tier.degraded,
                "order": plain(list(zip(choice.order, choice.scores, strict=True))),
                "excluded": plain(choice.excluded),
            }
            for choice in decision.choices
        ],
        "explained": explanation.page(),
    }
    return page, explanation
