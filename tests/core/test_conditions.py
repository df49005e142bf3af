"""Every condition that a rule may ask: what it sees, when it holds, what it lets through."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from understudy.config.registries import CONDITIONS
from understudy.config.rulebook import make_ready
from understudy.core.catalogue.task import Task
from understudy.core.event import BreakerChanged, CoolDownSet
from understudy.core.failure import FailureKind, Implicates
from understudy.core.policy import BreakerSettings
from understudy.core.request import Call, Needs
from understudy.core.resilience.breaker import Event as Word
from understudy.core.resilience.breaker import State
from understudy.core.rules.rule import Condition, Rule
from understudy.core.rules.scene import Scene
from understudy.core.rules.when import All
from understudy.core.scoreboard import Scoreboard
from understudy.core.target import Target
from understudy.registry import BadSettings

NOON = datetime(2026, 3, 7, 12, 0, tzinfo=UTC).timestamp()  # a Saturday


def scene(*, wall_s: float = NOON, task: Task | None = None, spent: int = 0, **said: object) -> Scene:
    needs = said.pop("needs", Needs(model="default", tokens_in=100, max_tokens=50))
    board = said.pop("board", None) or Scoreboard()
    now_s, seed, workers = said.pop("now_s", 0.0), said.pop("seed", 7), said.pop("workers", 1.0)
    call = Call("openai_chat", needs, b"", **said)  # type: ignore[arg-type]
    return Scene(
        call,
        asked="default",
        board=board,  # type: ignore[arg-type]
        now_s=now_s,  # type: ignore[arg-type]
        wall_s=wall_s,
        seed=seed,  # type: ignore[arg-type]
        workers=workers,  # type: ignore[arg-type]
        spent=lambda _of, _per: spent,
        read_task=lambda: task or Task(),
    )


def made(name: str, given: object) -> Condition:
    """As a rule named `r` in a configuration would have it."""

    def refuse(_path: object, _name: str, error: Exception) -> None:
        raise error

    ready = make_ready(Rule(name="r", when={name: given}, then={}), (), refuse)
    assert isinstance(ready.when, All)
    return ready.when.parts[0].condition  # type: ignore[union-attr]


def holds(name: str, given: object, **said: object) -> bool:
    condition = made(name, given)
    return condition.holds(condition.look(scene(**said)))  # type: ignore[arg-type]


def at(hour: float) -> float:
    return NOON + (hour - 12) * 3600


@pytest.mark.parametrize(
    ("given", "hour", "expected"),
    [
        ({"from": 9, "to": 17}, 9, True),
        ({"from": 9, "to": 17}, 17, False),
        ({"from": 22, "to": 6}, 23.5, True),
        ({"from": 22, "to": 6}, 3, True),
        ({"from": 22, "to": 6}, 12, False),
        ({"from": "22:30", "to": 24}, 22.4, False),
        ({"from": 22.5, "to": 24}, 22.6, True),
        ({"from": 9, "to": 17, "zone": "Europe/Berlin"}, 8.5, True),
        ({"from": 24, "to": 6}, 1, True),
    ],
)
def test_hours_are_those_of_their_zone_and_may_pass_midnight(given, hour, expected):
    assert holds("hour_of_day", given, wall_s=at(hour)) is expected


def test_days_are_those_of_their_zone():
    assert holds("day", "sat")
    assert holds("day", ["weekend"])
    assert not holds("day", "weekday")
    assert holds("day", {"of": "sun", "zone": "Pacific/Auckland"}, wall_s=at(20))


def test_load_is_what_is_under_way_at_all_targets_or_some_and_in_all_workers():
    board = Scoreboard(0.25)
    for name in ("a", "b"):
        board.register(Target(name=name, provider="p", model="m"), BreakerSettings())
    board.hold(0, 0, 0.0)
    assert holds("load", {"at_least": 4, "below": 5}, board=board, workers=4.0)
    assert holds("load", {"at_least": 4, "targets": ["a"]}, board=board, workers=4.0)
    assert holds("load", {"below": 1, "targets": ["b"]}, board=board, workers=4.0)
    assert not holds("load", {"at_least": 5}, board=board, workers=4.0)


def test_tokens_are_those_of_the_request_and_if_asked_for_of_the_answer():
    assert holds("tokens", {"at_least": 100, "below": 101})
    assert not holds("tokens", {"at_least": 101})
    assert not holds("tokens", {"below": 100})
    assert holds("tokens", {"at_least": 150, "answer": True})
    assert holds("tokens", {"below": 101, "answer": True}, needs=Needs(model="m", tokens_in=100))


def test_cost_is_in_dollars():
    assert holds("cost_so_far", {"at_least_usd": 2.5}, spent=2_500_000_000)
    assert not holds("cost_so_far", {"at_least_usd": 2.51}, spent=2_500_000_000)
    assert not holds("cost_so_far", {"below_usd": 2.5}, spent=2_500_000_000)
    assert holds("cost_so_far", {"below_usd": 2.6, "of": "session", "per": "hour"}, spent=2_500_000_000)


def test_a_budget_of_which_nothing_is_known_never_has_so_much_left():
    condition = made("budget_left", {"budget": "team", "below": 0.2})
    assert condition.look(scene()) is None
    assert not condition.holds(None)
    assert condition.holds(0.1)
    assert not condition.holds(0.2)
    assert not made("budget_left", {"budget": "team", "at_least": 0.2}).holds(0.1)


def test_quality_is_what_the_caller_asks_for_with_a_label():
    assert holds("quality", {"at_least": 0.9}, labels=(("quality", "0.95"),))
    assert not holds("quality", {"at_least": 0.9, "below": 1}, labels=(("quality", "0.5"),))
    assert not holds("quality", {"below": 0.5}, labels=(("quality", "0.5"),))
    assert not holds("quality", {"at_least": 0.0}, labels=(("quality", "best"),))
    assert not holds("quality", {"at_least": 0.0})


def test_task_and_complexity_are_read_or_stated_or_unknown():
    assert holds("task", "code", task=Task("code", "simple"))
    assert holds("task", ["creative", "code"], task=Task("analysis"), labels=(("task", "creative"),))
    assert holds("task", "code", task=Task("code"), labels=(("task", "cookery"),))
    assert holds("task", "unknown")
    assert holds("complexity", "simple", task=Task("code", "simple"))
    assert holds("complexity", ["complex"], task=Task("code", "simple"), complexity="complex")
    assert holds("complexity", "unknown", task=Task("code"))
    assert not holds("complexity", "simple", task=Task("code", "complex"))


def test_a_task_is_read_once_and_only_when_somebody_asks():
    count = []
    seen = scene()
    seen._read_task = lambda: count.append(1) or Task("code", "simple")  # type: ignore[func-returns-value]
    assert seen.known_task is None
    for name in ("task", "complexity"):
        made(name, "code" if name == "task" else "simple").look(seen)
    assert len(count) == 1
    assert seen.known_task == Task("code", "simple")


def test_names_may_have_wild_letters():
    assert holds("model", "def*")
    assert not holds("model", ["other", "openai/*"])
    assert holds("principal", "app-?", principal="app-1")
    assert not holds("principal", "app", principal="")


def test_labels_and_headers_must_all_be_there_and_say_what_is_wanted():
    labels = (("team", "search"), ("env", "test"))
    assert holds("labels", {"team": "search", "env": "*"}, labels=labels)
    assert not holds("labels", {"team": "search", "tier": "*"}, labels=labels)
    assert not holds("labels", {"team": "find*"}, labels=labels)
    assert holds("header", {"X-Team": "sea*"}, seen=(("x-team", "search"),))
    assert not holds("header", {"x-team": "search"})
    assert made("header", {"X-Team": "a"}).headers() == ("x-team",)  # type: ignore[attr-defined]
    assert made("cost_so_far", {"below_usd": 1}).spends() == (("everything", "day"),)  # type: ignore[attr-defined]


def test_capabilities_are_needed_all():
    needs = Needs(model="m", stream=True, features=("images", "tools"))
    assert holds("capability", ["tools", "stream"], needs=needs)
    assert not holds("capability", ["tools", "audio"], needs=needs)
    assert not holds("capability", "stream")


def health_board() -> Scoreboard:
    board = Scoreboard()
    board.register(Target(name="a", provider="p", model="m"), BreakerSettings(failures=1, recovery_s=60))
    return board


def test_a_target_is_available_while_no_breaker_is_open_and_it_does_not_cool_down():
    board = health_board()
    assert holds("health", {"target": "a", "available": True}, board=board)
    board.operate("a", Word.FORCE_OPEN, 0.0)
    assert holds("health", {"target": "a", "available": False}, board=board, now_s=1e6)
    board.operate("a", Word.RELEASE, 0.0)
    board.observe(BreakerChanged("a", board._tracks[0].breakers[0].label, State.OPEN, 5.0, 0.0), 0.0)
    assert holds("health", {"target": "a", "available": False}, board=board, now_s=4.0)
    assert holds("health", {"target": "a", "available": True}, board=board, now_s=6.0)
    board.observe(CoolDownSet("a", Implicates.TARGET, FailureKind.RATE_LIMIT, 9.0, 0.0), 0.0)
    assert holds("health", {"target": "a", "available": False}, board=board, now_s=8.0)


def test_nothing_known_is_neither_slow_nor_failing():
    assert not holds("health", {"target": "a", "error_rate_at_least": 0.0}, board=health_board())
    assert not holds("health", {"target": "a", "latency_ms_at_least": 0}, board=health_board())
    condition = made("health", {"target": "a", "error_rate_at_least": 0.1, "latency_ms_at_least": 100})
    assert condition.holds((True, 0.1, 100.0))
    assert not condition.holds((True, 0.1, 99.0))
    assert [key for key, _ in condition.extents()] == ["error rate a", "latency a"]


@pytest.mark.no_cover
def test_a_share_takes_its_part_of_the_sessions_and_the_same_each_time():
    sessions = [f"s{number}" for number in range(2000)]
    inside = [one for one in sessions if holds("share", 0.2, session=one)]
    assert 0.17 < len(inside) / len(sessions) < 0.23
    assert inside == [one for one in sessions if holds("share", {"of": 0.2, "by": "session"}, session=one, seed=99)]
    assert inside != [one for one in sessions if holds("share", {"of": 0.2, "salt": "other"}, session=one)]


def test_who_is_in_a_growing_share_stays_in_it():
    ramp = {"of": 0.8, "from": 0.1, "begin": "2026-03-07T12:00:00Z", "end": "2026-03-07T22:00", "by": "label team"}
    before: set[int] = set()
    sizes = []
    for hours in (-1, 0, 2, 5, 9, 10, 50):
        inside = {
            number
            for number in range(400)
            if holds("share", ramp, labels=(("team", str(number)),), wall_s=NOON + hours * 3600)
        }
        assert before <= inside
        before = inside
        sizes.append(len(inside) / 400)
    assert sizes[0] == sizes[1] == pytest.approx(0.1, abs=0.05)
    assert sizes[-1] == sizes[-2] == pytest.approx(0.8, abs=0.05)
    assert sizes[3] == pytest.approx(0.45, abs=0.07)


def test_who_says_nothing_of_itself_is_drawn_anew_each_time():
    for by in ("session", "principal", "request", "label team"):
        drawn = [holds("share", {"of": 0.5, "by": by}, seed=seed) for seed in range(200)]
        assert 60 < sum(drawn) < 140
    assert len({holds("share", {"of": 0.5, "by": "principal"}, principal="app", seed=seed) for seed in range(50)}) == 1


WRONG = [
    ("hour_of_day", {"from": 5, "to": 5}, "same hour"),
    ("hour_of_day", {"from": 25, "to": 5}, "no time of day"),
    ("hour_of_day", {"from": "5 o'clock", "to": 5}, "no time of day"),
    ("hour_of_day", {"from": 0, "to": 24}, "same hour"),
    ("hour_of_day", {"from": 1, "to": 5, "zone": "Middle/Earth"}, "no time zone"),
    ("hour_of_day", {"from": 1, "to": 5, "zone": "../etc/passwd"}, "no time zone"),
    ("hour_of_day", 5, "mapping of settings"),
    ("day", "someday", "no day"),
    ("load", {}, "say how many"),
    ("tokens", {}, "say how many"),
    ("cost_so_far", {}, "say how much"),
    ("budget_left", {"budget": "b"}, "say how much"),
    ("quality", {}, "say how good"),
    ("task", "cookery", "no kind of task"),
    ("complexity", "hard", "no complexity"),
    ("labels", {}, "at least one label"),
    ("header", {}, "at least one header"),
    ("header", {"Authorization": "x"}, "credential"),
    ("capability", [], "at least one"),
    ("capability", "flight", "no capability"),
    ("health", {"target": "a"}, "say what"),
    ("share", 1.5, "between 0 and 1"),
    ("share", {"of": 0.5, "from": -1}, "between 0 and 1"),
    ("share", {"of": 0.5, "by": "moon"}, "is none of"),
    ("share", {"of": 0.5, "begin": "2026-01-01"}, "both or neither"),
    ("share", {"of": 0.5, "begin": "2026-01-02", "end": "2026-01-01"}, "before it begins"),
    ("share", {"of": 0.5, "begin": "soon", "end": "later"}, "no time"),
]


@pytest.mark.parametrize(("name", "given", "told"), WRONG, ids=[f"{name}-{told}" for name, _, told in WRONG])
def test_settings_that_mean_nothing_are_refused(name, given, told):
    with pytest.raises(BadSettings, match=re.escape(told)):
        made(name, given)


GOOD: dict[str, object] = {
    "hour_of_day": {"from": 9, "to": 17},
    "day": "mon",
    "load": {"at_least": 4},
    "tokens": {"at_least": 4, "answer": True},
    "cost_so_far": {"at_least_usd": 4},
    "budget_left": {"budget": "b", "below": 0.5},
    "quality": {"at_least": 0.5},
    "task": "code",
    "complexity": "simple",
    "model": "m",
    "principal": "p",
    "labels": {"a": "b"},
    "header": {"a": "b"},
    "capability": "tools",
    "health": {"target": "a", "available": True},
    "share": 0.5,
}


def test_every_condition_is_tested_here():
    assert set(GOOD) == set(CONDITIONS)


@pytest.mark.parametrize("name", GOOD)
def test_a_condition_covers_itself_and_can_hold(name):
    one, again = made(name, GOOD[name]), made(name, GOOD[name])
    extents = dict(again.extents())
    for key, extent in one.extents():
        assert not extent.empty()
        assert extent.covers(extents[key])
        assert not extent.apart(extents[key])


def test_ramps_are_compared_along_one_ramp_only():
    flat, ramp = made("share", 0.5), made("share", {"of": 0.1, "from": 0.9, "begin": "2026-01-01", "end": "2026-01-02"})
    assert flat.extents()[0][0] != ramp.extents()[0][0]
    assert ramp.extents()[0][1].pieces == ((0.0, 0.9),)  # type: ignore[union-attr]
