"""All that can be said of a decision: each choice made again while it is told of, weighed, and turned about."""

from __future__ import annotations

from math import exp
from typing import Any

from understudy.core.candidate import Entry
from understudy.core.decision import Choice, Decision
from understudy.core.explanation.case import Case
from understudy.core.explanation.overheard import Overheard
from understudy.core.explanation.rules import rule_flips
from understudy.core.explanation.search import BOUNDS, LOOKS_MAX, Search
from understudy.core.explanation.sure import confidence
from understudy.core.explanation.told import Chosen, Considered, Explanation
from understudy.core.health.measures import FADING
from understudy.core.parts import Known, Part
from understudy.core.plan import RoutePlan
from understudy.core.resilience.breaker import State
from understudy.core.select import ask_of

FIGURES = {"cost": "price", "prompt": "price", "cached": "price", "answer": "price", "quality": "quality"}
"""Which figure of the configuration a part rests on."""


def explain(decision: Decision, *, flips: bool = True) -> Explanation:
    """Explain a decision from what it kept. `flips`: search for what would have changed each first place, the costliest part."""
    looks_left = LOOKS_MAX if flips else 0
    choices: list[Chosen] = []
    for number, choice in enumerate(decision.choices):
        chosen, looks_left = _chosen(decision, number, choice, looks_left)
        choices.append(chosen)
    return Explanation(
        id=decision.id,
        route=decision.route,
        version=decision.version,
        ruling=decision.ruling,
        choices=tuple(choices),
        notes=_notes(decision),
        bounds=BOUNDS,
    )


def case_of(decision: Decision, number: int, choice: Choice) -> Case:
    """What one choice of a decision depended on."""
    plan = choice.tier.plan
    assert plan is not None, "a tier that was chosen in belongs to a plan"
    standings = {entry.slot: one for entry, one in zip(choice.tier.entries, choice.standings, strict=True)}
    return Case(choice.tier.apart(), plan, ask_of(decision, number, choice), standings)


def _chosen(decision: Decision, number: int, choice: Choice, looks_left: int) -> tuple[Chosen, int]:
    case = case_of(decision, number, choice)
    heard = Overheard(case)
    candidates = tuple(
        _considered(case, entry, score, heard) for entry, score in zip(choice.entries, choice.scores, strict=True)
    )
    search = Search(case, choice.excluded, looks_left)
    if looks_left > 0:
        search.run()
        if number == 0:
            rule_flips(decision, case, search)
    else:
        search.unsearched.append(("all", "nobody looked"))
    chosen = Chosen(
        number=number + 1,
        tier=choice.tier.name,
        degraded=choice.tier.degraded,
        strategy=entry_name(case.plan.strategy),
        balancer=entry_name(case.plan.balancer),
        at_s=choice.now_s - decision.started_s,
        candidates=candidates,
        excluded=choice.excluded,
        confidence=confidence(candidates),
        flips=tuple(search.flips),
        held=tuple(search.held),
        unsearched=tuple(search.unsearched),
    )
    return chosen, search.looks_left


def _considered(case: Case, entry: Entry, score: float, heard: Overheard) -> Considered:
    name, standing = entry.target.name, case.standings[entry.slot]
    measures, view = standing.measures, standing.breakers[entry.breaker]
    parts, among_equals = heard.parts.get(name, ()), heard.among_equals.get(name, ())
    since_s = case.ask.now_s - measures.at_s
    return Considered(
        target=name,
        score=score,
        parts=parts,
        among_equals=among_equals,
        recovering=view.state is State.CLOSED and case.ask.now_s < view.until_s,
        attempts=measures.weight * exp(-FADING * max(0.0, since_s)) if measures.weight else 0.0,
        seen=standing.seen,
        age_s=max(0.0, since_s) if measures.weight else None,
        sources=_sources(case.plan, entry, (*parts, *among_equals)),
    )


def _sources(plan: RoutePlan, entry: Entry, parts: tuple[Part, ...]) -> tuple[tuple[str, str], ...]:
    """Who gave the figures that its parts rest on, where the configuration left them out."""
    origin = plan.origin()
    if origin is None:
        return ()
    wanted = [FIGURES[part.name] for part in parts if part.name in FIGURES]
    wanted += ["tier" for part in parts if part.known is Known.PRIOR]
    found = [(figure, origin.figure_source(entry.target.name, figure)) for figure in dict.fromkeys(wanted)]
    return tuple((figure, source) for figure, source in found if source is not None)


def _notes(decision: Decision) -> tuple[str, ...]:
    notes = []
    if not decision.choices:
        notes.append("nothing was chosen: the request reached no route, or was refused before")
    else:
        plan = decision.choices[0].tier.plan
        cascade = plan.policy.cascade if plan is not None else None
        if cascade is not None:
            notes.append(
                f"a cascade: {', '.join(cascade.ask)} draft first where they are eligible, in whatever order; the choices say who "
                "stands in for them"
            )
    if decision.strategy is not None:
        notes.append(f"the caller asked for the strategy {decision.strategy}")
    return tuple(notes)


def entry_name(entry: Any) -> str:
    """What the configuration calls a registry entry: the stem of its file."""
    return type(entry).__module__.rpartition(".")[2]
