"""Holds one request against the rules, and finds the plan that they leave it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from understudy.core.catalogue.task import NOTHING, Task, task_of
from understudy.core.decision import Decision
from understudy.core.failure import Failure, FailureKind
from understudy.core.outcome import Result
from understudy.core.plan import RoutePlan
from understudy.core.request import Call, Operation
from understudy.core.rules.scene import Scene
from understudy.core.rules.spending import Spending
from understudy.core.scoreboard import Scoreboard
from understudy.core.value import value
from understudy.dialects import BadBody, Dialect

if TYPE_CHECKING:
    from understudy.engine.router import Engine
    from understudy.engine.snapshot import Snapshot

REFUSED = "refused_by_rule"
"""The code of the error when a rule refuses a request."""
_FINE = Failure(FailureKind.INTERNAL, "")


@value
class World:
    """What rules see besides the request itself. `switched`: by an operator; `fired`: counts every rule that applies."""

    board: Scoreboard
    wall_s: float
    spending: Spending
    switched: dict[str, bool]
    fired: dict[str, int]


def world_of(engine: Engine) -> World:
    """The world at this moment."""
    return World(engine.board, engine.wall_s(), engine.spending, engine.switched, engine.fired)


def apply(
    world: World, snapshot: Snapshot, plan: RoutePlan, call: Call, decision: Decision
) -> tuple[RoutePlan | None, Failure]:
    """The plan to walk; None with the reason why there is none. What the rules saw and said becomes part of the decision."""
    book = snapshot.rulebooks.get(plan.name)
    if book is not None:
        scene = _scene(world, snapshot, plan.name, call, decision)
        ruling = decision.ruling = book.decide(scene, world.switched)
        if scene.known_task is not None:
            decision.needs = replace(decision.needs, task=stated(scene.known_task, call))
        for name in ruling.fired:
            world.fired[name] = world.fired.get(name, 0) + 1
        if ruling.refusal is not None:
            return None, Failure(FailureKind.FORBIDDEN, ruling.refusal, code=REFUSED)
        if ruling.fired:
            left = snapshot.ruled(plan.name, ruling.fired, call.strategy, call.needs.operation)
            if left is None:
                names = ", ".join(ruling.fired)
                return None, Failure(FailureKind.NO_TARGET, f"the rules ({names}) leave nobody to ask on {plan.name}")
            plan = left
            decision.route = plan.name
    if plan.reads_task and decision.needs.task is None:
        decision.needs = replace(decision.needs, task=stated(read_task(snapshot, call), call))
    return plan, _FINE


def _scene(world: World, snapshot: Snapshot, asked: str, call: Call, decision: Decision) -> Scene:
    """What there is to see of a request at this moment."""
    workers = 1.0 / world.board.share

    def spent(of: str, per: str) -> int:
        names = _payers(call, asked)
        known = world.spending.spent(of, per, names.get(of, ""), world.wall_s)
        return known if of == "session" else round(known * workers)

    return Scene(
        call,
        asked=asked,
        board=world.board,
        now_s=decision.started_s,
        wall_s=world.wall_s,
        seed=decision.seed,
        workers=workers,
        spent=spent,
        read_task=lambda: read_task(snapshot, call),
    )


def read_task(snapshot: Snapshot, call: Call) -> Task:
    """What a conversation is about; nothing is known of other operations, nor of what only its own wire format can read."""
    if call.needs.operation is not Operation.CHAT:
        return NOTHING
    dialect: Dialect | Any = snapshot.dialects[call.dialect]
    try:
        return task_of(dialect.parse_request(call.body), call.needs.features)
    except BadBody:
        return NOTHING


def stated(task: Task, call: Call) -> Task:
    """The task, its complexity as its caller says."""
    return task if call.complexity is None else replace(task, complexity=call.complexity)


def book_spending(engine: Engine, call: Call, result: Result) -> None:
    """Add what a request cost to what was spent before."""
    nusd = sum(outcome.cost_nusd or 0 for outcome in result.attempts)
    if nusd:
        engine.spending.add(_payers(call, call.route or call.needs.model), nusd, engine.wall_s())


def _payers(call: Call, asked: str) -> dict[str, str]:
    return {"principal": call.principal, "session": call.session or "", "route": asked}
