"""Records are read back as they were written, whatever happened, and take as little as they promise."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from dataclasses import replace
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest

from theatre import CONFIGURATION, Theatre
from understudy.core.catalogue.task import Task
from understudy.core.decision import Decision
from understudy.core.dice import Dice
from understudy.core.failure import Failure, FailureKind, Then
from understudy.core.outcome import Outcome, Purpose, Result
from understudy.core.request import Needs
from understudy.core.rules.ruling import Ruling
from understudy.core.select import replay
from understudy.core.sessions import Warm
from understudy.engine import pages
from understudy.engine.observers import DECISIONS_MAX, PAGE, Decisions
from understudy.engine.pages import Form, Page, Record
from understudy.faults import FAULTS
from understudy.sim.client import Listener
from understudy.sim.loop import run_virtual

PLAIN = (str, int, float, bool, bytes, NoneType)
FORMS = [form for form in vars(pages).values() if isinstance(form, Form)]
FAULTS_AT_WORK: dict[str, dict[str, Any]] = {
    "partial_degradation": {"share": 0.5},
    "rate_limit_exhaustion": {"where": ["ada", "ben"], "requests": 5, "per_s": 10},
    "truncated_stream": {"share": 0.5},
    "error_burst": {"problem": "invalid_request", "share": 0.3},
    "outage": {"where": ["ada"], "from_s": 0, "to_s": 40},
}
HEDGED = CONFIGURATION.replace(
    "      attempts_max: 4\n", "      attempts_max: 4\n      hedge: {quantile: 0.5, after_s: 0.1}\n"
)


def in_parts(record: Record) -> tuple[dict[str, Any], Result]:
    decision, result = record
    return {name: getattr(decision, name) for name in Decision.__slots__}, result


def without_bodies(record: Record) -> Record:
    """As it is kept: see `FAILURE`."""
    decision, result = record

    def bare(outcome: Outcome) -> Outcome:
        return replace(outcome, failure=outcome.failure and replace(outcome.failure, body=None))

    return decision, replace(
        result,
        attempts=tuple(bare(one) for one in result.attempts),
        winner=result.winner and bare(result.winner),
        failure=result.failure and replace(result.failure, body=None),
    )


@pytest.mark.parametrize("fault", FAULTS_AT_WORK)
@pytest.mark.parametrize("text", [CONFIGURATION, HEDGED], ids=["one at a time", "hedged"])
def test_what_happened_under_faults_is_read_back_as_it_was(fault: str, text: str) -> None:
    kept: list[Record] = []

    async def main() -> Theatre:
        theatre = Theatre((FAULTS.build(fault, FAULTS_AT_WORK[fault]),), seed=5, text=text)
        theatre.engine.decisions = _Listening(kept)
        dice = Dice(5)

        async def one(number: int) -> None:
            await asyncio.sleep(dice.between(0.0, 30.0))
            await theatre.ask(
                Listener(),
                stream=number % 2 == 0,
                route="kind" if number % 5 == 0 else "default",
                leaves_after_s=0.01 if number % 7 == 0 else None,
            )

        await asyncio.gather(*(one(number) for number in range(100)))
        return theatre

    theatre, _ = run_virtual(main())
    assert len(kept) == 100
    page = Page(kept)
    for record in kept:
        found = page.record(record[0].number)
        assert found is not None
        assert in_parts(found) == in_parts(without_bodies(record))
        assert str(found[0].explain()) == str(record[0].explain())
        assert repr(found[1]) == repr(without_bodies(record)[1]), (
            "numbers keep their types, members of enums are members"
        )
        assert (found[1].winner is None) or any(found[1].winner is one for one in found[1].attempts)
        plan = theatre.engine.snapshot.plan_of(found[0])
        assert plan is not None
        assert replay(found[0], plan) == []


class _Listening(Decisions):
    """Keeps the records themselves."""

    def __init__(self, kept: list[Record]) -> None:
        super().__init__()
        self.kept = kept

    def keep(self, decision: Decision, result: Result) -> None:
        self.kept.append((decision, result))
        super().keep(decision, result)


def record(number: int, **more: Any) -> Record:
    """A request that reached nobody. `more`: fields of its needs."""
    decision = Decision(number, f"d-{number:x}", "", "v", Needs("m", **more), "openai_chat", 7, 1.0)
    return decision, Result(decision.id, "", (), None, Failure(FailureKind.UNKNOWN_MODEL, "nobody"), False, 1.0, 2.0)


def test_what_few_requests_have_is_read_back_too() -> None:
    decision, result = record(1, task=Task("code", "hard", 3), features=("tools",), traits=(0.5, 1.0))
    decision.ruling = Ruling("default", ("nights",), (), ("days",), None)
    decision.strategy, decision.budget_left = "cost", 0.25
    failure = Failure(FailureKind.RATE_LIMIT, "slow down", 429, "tpm", 3.5, None, b"secret", Then.ELSEWHERE)
    result = replace(result, failure=failure, retry_at_s=9.0)
    found = Page([(decision, result)]).record(1)
    assert found is not None
    assert in_parts(found) == in_parts((decision, replace(result, failure=replace(failure, body=None))))
    assert found[1].failure is not None
    assert found[1].failure.course is Then.ELSEWHERE


@pytest.mark.parametrize("odd", [{"n": 2**70}, {"max_tokens": -(10**4000)}, {"features": ("\ud800",)}])
def test_what_the_usual_bytes_cannot_say_is_kept_all_the_same(odd: dict[str, Any]) -> None:
    decision, result = record(2, **odd)
    outcome = Outcome(
        1, "ada", "primary", Purpose.FIRST, 1.0, 2.0, Failure(FailureKind.BAD_REQUEST, "no", body=b"secret")
    )
    given = [record(1), (decision, replace(result, attempts=(outcome,))), record(3)]
    page = Page(given)
    for number in (1, 2, 3):
        found = page.record(number)
        assert found is not None
        assert in_parts(found) == in_parts(without_bodies(given[number - 1]))
        assert repr(found[0].needs) == repr(given[number - 1][0].needs)


def test_what_the_usual_bytes_cannot_say_counts_like_everything_else() -> None:
    kept = Decisions(bytes_max=1024 * 1024)
    for number in range(1, 10 * PAGE + 1):
        kept.keep(*record(number, n=2**70, features=("x" * 10_000,)))
    assert kept.get("d-1") is None
    assert kept.get(f"d-{9 * PAGE:x}") is not None


def _sayable(hint: Any) -> bool:
    if get_origin(hint) in {Union, UnionType}:
        return all(_sayable(one) for one in get_args(hint))
    if get_origin(hint) is tuple:
        return all(_sayable(one) for one in get_args(hint) if one is not ...)
    return hint in PLAIN or (isinstance(hint, type) and issubclass(hint, Enum))


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.made.__name__)
def test_every_field_that_is_written_can_be_written(form: Form[Any]) -> None:
    hints = get_type_hints(form.made if form.made is not Decision else Decision.__init__)
    for name in form.names:
        assert name == "strategy" or _sayable(hints[name.replace("id", "id_") if name == "id" else name]), (
            f"{form.made.__name__}.{name} is written as plain data: write it in a form of its own, or keep a reference"
        )


def test_every_class_of_a_record_has_a_form() -> None:
    assert {form.made.__name__ for form in FORMS} == {
        "Decision", "Needs", "Choice", "Tried", "Warm", "Result", "Outcome", "Failure", "Usage",
    }  # fmt: skip


def test_warm_sessions_and_orders_of_their_own_are_read_back() -> None:
    async def main() -> tuple[Theatre, Record]:
        theatre = Theatre()
        await theatre.ask(Listener())
        made = theatre.engine.decisions.get("d-1")
        assert made is not None
        return theatre, made

    (_, (decision, result)), _ = run_virtual(main())
    [choice] = decision.choices
    assert len(choice.tier.entries) == 2
    decision.choices = (
        replace(choice, entries=choice.entries[::-1], warm=Warm(1, 300, 5.5)),
        replace(choice, entries=choice.entries[:1], repeat=True, larger_than=8000),
        choice,
    )
    found = Page([(decision, result)]).record(1)
    assert found is not None
    assert in_parts(found) == in_parts((decision, result))


def test_the_last_ten_thousand_are_kept_and_the_oldest_go_first() -> None:
    kept = Decisions()
    for number in range(1, DECISIONS_MAX + 3 * PAGE + 6):
        kept.keep(*record(number ^ 1))  # they do not end in the order in which they began
    assert kept.get("d-1") is None
    for number in range(DECISIONS_MAX + 3 * PAGE, 3 * PAGE, -97):
        found = kept.get(f"d-{number:x}")
        assert found is not None
        assert found[0].number == number
    assert kept.get(f"e-{DECISIONS_MAX:x}") is None, "another process's"
    assert kept.get("nonsense") is None
    assert kept.get("d-fffffffffffffffffffffff") is None


def test_large_records_push_out_older_ones() -> None:
    kept = Decisions(bytes_max=1024 * 1024)
    for number in range(1, 10 * PAGE + 1):
        kept.keep(*record(number, features=("x" * 10_000,)))
    assert kept.get("d-1") is None
    assert kept.get(f"d-{9 * PAGE:x}") is not None


def test_a_rated_answer_of_long_ago_still_tells_its_target() -> None:
    async def main() -> bool:
        theatre = Theatre()
        for _ in range(PAGE + 1):
            await theatre.ask(Listener())
        return theatre.engine.rate("d-1", 0.5) and theatre.told[-1].target == "ada"  # type: ignore[union-attr]

    assert run_virtual(main())[0]


@pytest.mark.no_cover
@pytest.mark.parametrize(("fault", "bytes_max"), [(None, 800), ("outage", 1800)], ids=["plain", "with a fallback"])
def test_a_record_takes_less_than(fault: str | None, bytes_max: int) -> None:
    count = 20 * PAGE

    async def main() -> float:
        faults = (FAULTS.build(fault, {"where": ["ada"], "how": "refused"}),) if fault else ()
        theatre = Theatre(
            faults,
            text=CONFIGURATION.replace("failures: 3", "failures: 1000000, counts: {connection_refused: false}"),
        )
        for _ in range(4 * PAGE):
            await theatre.ask(Listener())
        theatre.told.clear()
        gc.collect()
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            for _ in range(count):
                await theatre.ask(Listener())
                theatre.told.clear()
            gc.collect()
            return (tracemalloc.get_traced_memory()[0] - before) / count
        finally:
            tracemalloc.stop()

    taken, _ = run_virtual(main())
    assert taken < bytes_max
