"""The providers of a simulation: what an attempt meets at each moment, and the truth about who is up."""

from __future__ import annotations

from dataclasses import replace
from math import inf

from understudy.core.dice import Dice, label_of
from understudy.core.failure import Failure, FailureKind
from understudy.core.policy import Timeouts
from understudy.core.request import Needs
from understudy.core.target import Target
from understudy.core.value import value
from understudy.faults import (
    PROBLEMS,
    Arrivals,
    ArrivalsUntil,
    Content,
    Ending,
    Fault,
    Plan,
    Reply,
    Scene,
    Timeline,
    Trouble,
    aimed_at,
    error_reply,
    plan_among,
    risk,
)
from understudy.transport.classify import classify

WALL_S = 1_800_000_000.0
"""Unix time at the beginning of every simulation: only hints that are dates depend on it."""

CHUNKS_MAX = 12

UP_RISK = 0.1
"""A target is up while no more than one in ten attempts at it fails: a provider with now and then an error is not down."""

UNSENT = frozenset(
    {
        FailureKind.DNS_FAILED,
        FailureKind.CONNECTION_REFUSED,
        FailureKind.CONNECT_TIMEOUT,
        FailureKind.TLS_FAILED,
        FailureKind.PROXY_FAILED,
    }
)
"""Failures before the request's body was handed over."""


AT_THE_DOOR = frozenset({FailureKind.UNAVAILABLE, FailureKind.AUTH, FailureKind.PERMISSION, FailureKind.NOT_FOUND})
"""What an API says to everybody. Limits, quotas and errors are said to those who want an answer."""


@value
class Hope:
    """An attempt that was never made. `luck`: how long it would have taken. `until_s`: when it would have had to be over."""

    needs: Needs
    pieces: int
    timeouts: Timeouts
    until_s: float
    luck: Dice


class World:
    """All providers under one schedule of faults. The schedule's clock is the simulation's."""

    def __init__(self, faults: tuple[Fault, ...], seed: int) -> None:
        self.faults = faults
        self._dice = Dice(seed).fork(label_of("world"))
        self._arrivals: dict[str, Arrivals] = {}
        self._aimed: dict[str, tuple[tuple[tuple[int, Fault], ...], tuple[Fault, ...]]] = {}
        self._look_dice = Dice(seed).fork(label_of("looks"))  # of its own: looking changes nobody's luck
        self._count = self._looks = 0

    def meet(self, target: Target, needs: Needs, now_s: float, pieces: int | None = None) -> tuple[Plan, float]:
        """What an attempt that begins now meets, and the risk that it fails if it lasts as long as it would by itself.

        `pieces`: of content in the answer; None: as chance will have it.
        """
        self._count += 1
        dice = self._dice.fork(self._count)
        numbered, faults = self._at(target)
        arrivals = self._seen_by(target)
        scene = _scene(target, needs, now_s, 1 + dice.below(CHUNKS_MAX) if pieces is None else pieces, arrivals)
        plan = plan_among(scene, numbered, dice)
        lasting_s = plan.piece_at_s(plan.chunks)
        danger = risk(scene, faults, now_s + lasting_s)
        arrivals.note(now_s, needs.tokens_in)
        return plan, danger

    def lists(self, target: Target, now_s: float) -> Plan:
        """What somebody meets who asks for the list of models: whoever holds it is as near as the front door, and knows nothing of the kitchen.

        It is away, unreachable or refuses the key as the target itself does; what goes wrong in answering is not seen.
        """
        self._looks += 1
        dice = self._look_dice.fork(self._looks)
        numbered, _ = self._at(target)
        scene = _scene(target, Needs(model=target.model), now_s, 1, self._seen_by(target))
        plan = plan_among(scene, numbered, dice)
        calm = plan.trouble is not None and PROBLEMS[plan.trouble.problem].kind not in AT_THE_DOOR
        plan = replace(plan, content=Content.TEXT, ending=Ending.COMPLETE)
        return replace(plan, reply=Reply.ANSWER, trouble=None) if calm else plan

    def could_answer(self, target: Target, hope: Hope, at_s: float) -> bool:
        """The truth, asked afterwards: whether one more attempt at this time, at a target that was up, would have ended well and in time."""
        numbered, faults = self._at(target)
        scene = _scene(target, hope.needs, at_s, hope.pieces, self._seen_by(target).until(at_s))
        if risk(scene, faults, at_s) > UP_RISK:
            return False
        seen = plan_among(scene, numbered, hope.luck).timeline(hope.timeouts)
        ended_s = at_s + seen.ended_s
        return seen.failure is None and ended_s <= hope.until_s and risk(scene, faults, ended_s) <= UP_RISK

    def _at(self, target: Target) -> tuple[tuple[tuple[int, Fault], ...], tuple[Fault, ...]]:
        """The faults that may strike this target: with their numbers, for luck of their own, and alone."""
        aimed = self._aimed.get(target.name)
        if aimed is None:
            numbered = aimed_at(self.faults, target.name, target.provider)
            aimed = self._aimed[target.name] = numbered, tuple(fault for _, fault in numbered)
        return aimed

    def _seen_by(self, target: Target) -> Arrivals:
        return self._arrivals.setdefault(target.name, Arrivals())


def _scene(target: Target, needs: Needs, now_s: float, pieces: int, arrivals: Arrivals | ArrivalsUntil) -> Scene:
    return Scene(
        now_s=now_s,
        target=target.name,
        provider=target.provider,
        stream=needs.stream,
        chunks=pieces,
        tokens=needs.tokens_in,
        arrivals=arrivals,
    )


def bounded(timeouts: Timeouts, room_s: float) -> Timeouts:
    """The timeouts of an attempt that must have begun to answer after `room_s`."""
    return Timeouts(
        connect_s=min(timeouts.connect_s, room_s),
        headers_s=min(timeouts.headers_s, room_s),
        first_content_s=min(timeouts.first_content_s, room_s),
        idle_s=timeouts.idle_s,
        answer_s=min(timeouts.answer_s, room_s),
    )


def failure_of(plan: Plan, seen: Timeline, now_s: float) -> Failure | None:
    """What the attempt ends in, read as the engine reads it: an API error goes through the classifier."""
    kind = seen.failure
    if kind is None:
        return None
    trouble = plan.trouble
    if plan.reply is Reply.ERROR and trouble is not None and seen.headers_s < inf:
        return judged(trouble, now_s, plan.skew_s)
    status = 200 if seen.headers_s < inf else None
    return Failure(kind, f"simulated: {kind.value}", status=status)


def judged(trouble: Trouble, now_s: float, skew_s: float = 0.0) -> Failure:
    """An API error as the classifier understands it. `skew_s`: how far the provider's clock is ahead of ours."""
    reply = error_reply(
        trouble.problem,
        "openai_chat",
        model="m",
        request_id="req_simulated",
        wall_s=WALL_S + now_s + skew_s,
        retry_after_s=trouble.retry_after_s,
        hint=trouble.hint,
    )
    headers = {name.encode(): text.encode() for name, text in reply.headers}
    failure = classify(reply.status, headers, reply.body, now_unix_s=WALL_S + now_s)
    assert failure is not None, "a problem is an error answer"
    return failure
