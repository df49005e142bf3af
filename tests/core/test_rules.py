"""Rules together: what can be proved of them, which apply, what they change, and that it can be judged again."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.config.registries import EFFECTS
from understudy.config.rulebook import rulebook_of
from understudy.core.catalogue.task import Task
from understudy.core.policy import Policy, Retry
from understudy.core.request import Call, Needs
from understudy.core.route import Named, Route, Tier
from understudy.core.rules import spending as spending_module
from understudy.core.rules.extent import Names, Ranges, at_least
from understudy.core.rules.logic import alternatives, always_with, never
from understudy.core.rules.rule import Extents, Rule, preferred_of
from understudy.core.rules.rulebook import Rulebook
from understudy.core.rules.ruling import Reading, Ruling
from understudy.core.rules.scene import Scene
from understudy.core.rules.spending import Spending
from understudy.core.rules.when import All, Is, Not, Some, When, cheapest_first
from understudy.core.scoreboard import Scoreboard

# Extents


def test_ranges_cover_and_exclude():
    night = Ranges(((22, 24), (0, 6)))
    assert night.covers(Ranges(((1, 2), (23, 24))))
    assert not night.covers(Ranges(((5, 7),)))
    assert night.apart(Ranges(((6, 22),)))
    assert not night.apart(Ranges(((6, 23),)))
    assert Ranges(((3, 3),)).empty()
    assert not night.empty()
    assert night.covers(Ranges(((8, 8),)))  # nothing is in it
    assert at_least(None, 5) == Ranges(((-inf, 5),))
    assert at_least(5, None) == Ranges(((5, inf),))


def test_names_cover_and_exclude():
    some = Names(("gpt-*", "claude"))
    assert some.covers(Names(("gpt-5*", "claude")))
    assert not some.covers(Names(("gpt*",)))
    assert some.apart(Names(("llama", "cl")))
    assert not some.apart(Names(("*e",)))
    assert not some.apart(Names(("g*",)))
    assert Names(()).empty()
    assert not some.empty()
    assert not some.covers(Ranges(()))
    assert not some.apart(Ranges(()))
    assert not Ranges(()).covers(some)
    assert not Ranges(()).apart(some)


# Logic. Worlds of two numbers; conditions are ranges of one of them.


@dataclass
class Between:
    axis: str
    low: int
    high: int
    costly: bool = False
    fixed: bool = False

    def look(self, scene: object) -> int:
        return scene[self.axis]  # type: ignore[index]

    def holds(self, seen: int) -> bool:
        return self.low <= seen < self.high

    def extents(self) -> Extents:
        return ((self.axis, Ranges(((self.low, self.high),))),)


def between(axis: str, low: int, high: int) -> Is:
    return Is(axis, Between(axis, low, high))


leaves = st.builds(between, st.sampled_from("xy"), st.integers(0, 4), st.integers(0, 4))
whens = st.recursive(
    leaves,
    lambda inner: (
        st.builds(lambda kind, parts: kind(tuple(parts)), st.sampled_from([All, Some]), st.lists(inner, max_size=3))
        | st.builds(Not, inner)
    ),
    max_leaves=6,
)
WORLDS = [dict(zip("xy", pair, strict=True)) for pair in product(range(-1, 5), repeat=2)]


def true_in(when: When) -> list[bool]:
    return [when.holds(lambda _name, condition, world=world: condition.look(world)) for world in WORLDS]


@given(whens)
def test_what_is_proved_never_to_hold_holds_nowhere(when):
    if never(when):
        assert not any(true_in(when))


@given(whens, whens)
def test_what_is_proved_to_hold_with_another_does(when, other):
    if always_with(when, other):
        assert all(mine or not theirs for mine, theirs in zip(true_in(when), true_in(other), strict=True))


@given(whens)
def test_alternatives_and_the_order_of_asking_say_the_same(when):
    told = alternatives(when)
    assert told is not None
    again = Some(
        tuple(
            All(tuple(Is("", one.condition) if one.wanted else Not(Is("", one.condition)) for one in each))
            for each in told
        )
    )
    assert true_in(again) == true_in(when) == true_in(cheapest_first(when))


def test_plain_contradictions_and_coverings_are_found():
    x = between("x", 0, 3)
    assert never(All((x, between("x", 3, 4))))
    assert never(All((x, Not(between("x", 0, 4)))))
    assert never(All((Not(between("x", 0, 4)), x)))
    assert never(between("x", 3, 3))
    assert never(Some(()))
    assert not never(All(()))
    assert always_with(between("x", 0, 4), All((x, between("y", 0, 1))))
    assert always_with(All(()), x)
    assert always_with(Not(between("x", 3, 4)), x)
    assert always_with(Not(x), Not(between("x", 0, 4)))
    assert always_with(x, Some((between("x", 0, 1), between("x", 1, 2))))
    assert not always_with(x, between("y", 0, 1))
    assert not always_with(x, Not(between("x", 0, 1)))


def test_nothing_is_proved_of_what_nobody_could_read():
    pair = Some((between("x", 0, 1), between("y", 0, 1)))
    huge = All((pair,) * 9)
    assert alternatives(huge) is None
    assert alternatives(Not(Not(All((huge,))))) is None
    assert alternatives(Some((between("x", 0, 1),) * 300)) is None
    assert not never(huge)
    assert not always_with(huge, pair)
    assert not always_with(pair, huge)


def test_what_is_costly_is_asked_last():
    dear = Is("dear", Between("x", 0, 1, costly=True))
    cheap = between("y", 0, 1)
    assert cheapest_first(All((dear, cheap))) == All((cheap, dear))
    assert cheapest_first(Some((Not(dear), Some((dear,)), All((dear,)), cheap))).parts[0] == cheap  # type: ignore[union-attr]


# Rulebook


ROUTE = Route(
    name="default", tiers=(Tier(name="primary", targets=("a", "b")), Tier(name="local", targets=("c",), degraded=True))
)
OTHER = Route(name="other", tiers=(Tier(name="primary", targets=("d",)),))
ROUTES = {"default": ROUTE, "other": OTHER}


def rule(
    name: str, when: dict[str, object] | None = None, then: dict[str, object] | None = None, **more: object
) -> Rule:
    return Rule(name=name, when=when or {}, then=then or {"strategy": "priority"}, **more)  # type: ignore[arg-type]


def seen_by(asked: str = "default", tokens: int = 10, complexity: str | None = None) -> Scene:
    return Scene(
        Call("openai_chat", Needs(model=asked, tokens_in=tokens), b"", complexity=complexity),
        asked=asked,
        board=Scoreboard(),
        now_s=0.0,
        wall_s=0.0,
        seed=1,
        workers=1.0,
        spent=lambda _of, _per: 0,
        read_task=Task,
    )


def fired(book: Rulebook, scene: Scene, **switched: bool) -> tuple[str, ...]:
    return book.decide(scene, switched).fired


def test_lower_priorities_come_first_and_equals_as_written():
    book = rulebook_of([rule("late", priority=5), rule("one"), rule("two"), rule("first", priority=-1)])
    assert fired(book, seen_by()) == ("first", "late", "one", "two")


def test_a_rule_is_asked_until_something_does_not_hold():
    book = rulebook_of([rule("both", {"complexity": "simple", "tokens": {"at_least": 50}})])
    [reading] = book.decide(seen_by(), {}).readings
    assert reading == Reading("both", False, (("tokens", 10),))
    [reading] = book.decide(seen_by(tokens=60, complexity="simple"), {}).readings
    assert reading == Reading("both", True, (("tokens", 60), ("complexity", "simple")))


def test_an_operators_word_comes_before_what_is_written():
    book = rulebook_of([rule("on"), rule("off", enabled=False)])
    assert fired(book, seen_by()) == ("on",)
    assert fired(book, seen_by(), on=False, off=True) == ("off",)
    assert book.decide(seen_by(), {}).off == ("off",)


def test_a_refusal_ends_it():
    book = rulebook_of([rule("a"), rule("no", then={"refuse": "not now"}), rule("b")])
    ruling = book.decide(seen_by(), {})
    assert (ruling.fired, ruling.refusal) == (("a", "no"), "not now")
    assert book.replay(ruling) == []


def test_names_are_judged_once_and_rules_about_others_are_left_out():
    book = rulebook_of([rule("all"), rule("only", {"model": "oth*"}), rule("inside", {"any": [{"model": "default"}]})])
    mine, others = book.for_name("default"), book.for_name("other")
    assert mine is not None
    assert others is not None
    assert list(mine.by_name) == ["all", "inside"]
    assert fired(mine, seen_by()) == ("all", "inside")
    assert others.decide(seen_by("other"), {}).readings[1] == Reading("only", True, ())
    assert others.decide(seen_by("other"), {}).asked == "other"
    plain = rulebook_of([rule("all")])
    assert plain.for_name("default") is plain.for_name("other") is plain
    assert rulebook_of([rule("only", {"model": "x"})]).for_name("default") is None


def test_a_ruling_can_be_judged_again_and_tells_what_is_different():
    rules = [
        rule("small", {"tokens": {"below": 50}}),
        rule("not_big", {"not": {"tokens": {"at_least": 90}}}),
        rule("off", enabled=False),
    ]
    ruling = rulebook_of(rules).decide(seen_by(), {})
    assert rulebook_of(rules).replay(ruling) == []
    changed = [rule("small", {"tokens": {"below": 5}}), rule("not_big", {"not": {"task": "code"}})]
    assert rulebook_of(changed).replay(ruling) == [
        "rule small: then it applied, now it does not",
        "rule not_big: what task saw was not kept",
    ]
    assert rulebook_of([rule("new")]).replay(ruling) == [
        "rules: not the same were held against it",
        "rule small: it is gone",
        "rule not_big: it is gone",
    ]
    never_applied = rulebook_of([rule("small", {"tokens": {"below": 5}})]).decide(seen_by(), {})
    assert rulebook_of([rule("small", {"tokens": {"below": 50}})]).replay(never_applied) == [
        "rule small: then it did not apply, now it does"
    ]
    more = rulebook_of([rule("small", {"tokens": {"below": 50}, "model": "*"})]).replay(ruling)
    assert "rule small: what model saw was not kept" in more


def test_a_ruling_is_told_in_words():
    ruling = Ruling(
        "default",
        ("a",),
        (Reading("a", True, (("share", (0.123456789, 0.5)), ("labels", ("x", None)))), Reading("b", False, ())),
        ("c",),
        "no",
    )
    assert ruling.told() == [
        "rule a applies: share 0.123457/0.5, labels x/unknown",
        "rule b does not apply: asks nothing",
        "rule c is switched off",
        "refused: no",
    ]


# Effects


def changed(*then: dict[str, object], route: str = "default") -> Route:
    rules = [rule(f"r{number}", then=one) for number, one in enumerate(then)]
    book = rulebook_of(rules)
    return book.change(tuple(one.name for one in rules), ROUTES[route], ROUTES.__getitem__)


def tiers(route: Route) -> list[tuple[str, tuple[str, ...], bool]]:
    return [(tier.name, tier.targets, tier.degraded) for tier in route.tiers]


def test_what_one_rule_has_settled_no_later_one_does():
    made = changed({"strategy": "shuffle"}, {"strategy": "priority", "balancer": {"weighted": {}}})
    assert (made.strategy, made.balancer) == (Named("shuffle", {}), Named("weighted", {}))
    assert changed({"strategy": {"shuffle": None}}).strategy == Named("shuffle", {})


def test_the_route_changes_before_what_belongs_to_it():
    made = changed({"strategy": "shuffle"}, {"route": "other"})
    assert (made.name, made.strategy.name) == ("other", "shuffle")


def test_preferred_targets_are_asked_first_wherever_they_stood():
    made = changed({"targets": {"preferred": ["x", "c"]}}, {"targets": {"preferred": ["a"]}})
    assert tiers(made) == [("preferred", ("x", "c"), False), ("primary", ("a", "b"), False)]


def test_only_what_every_rule_allows_is_asked():
    assert tiers(changed({"targets": {"allowed": ["a", "c"]}})) == [("primary", ("a",), False), ("local", ("c",), True)]
    both = changed({"targets": {"allowed": ["a", "c"]}}, {"targets": {"allowed": ["c", "x"], "preferred": ["x"]}})
    assert tiers(both) == [("local", ("c",), True)]
    later = changed({"targets": {"preferred": ["x"]}}, {"targets": {"allowed": ["b", "y"], "preferred": ["y"]}})
    assert tiers(later) == [("primary", ("b",), False)]


def test_policy_fields_are_settled_one_by_one():
    made = changed(
        {"policy": {"deadline_s": 5, "retry": {"max": 0}}},
        {"policy": {"deadline_s": 9, "attempts_max": 2, "strict": True, "regions": ["eu"]}},
    )
    assert made.policy == Policy(
        deadline_s=5, wait_max_s=5, attempts_max=2, retry=Retry(max=0), strict=True, regions=("eu",)
    )


def test_a_refusal_changes_nothing():
    assert changed({"refuse": "no"}) == ROUTE


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("strategy", {"a": {}, "b": {}}),
        ("balancer", {}),
        ("targets", {}),
        ("targets", {"allowed": ["a"], "preferred": ["b"]}),
        ("policy", {}),
        ("policy", {"deadline_s": 0}),
        ("policy", {"attempts_max": 0}),
        ("policy", {"wait_max_s": -1}),
        ("policy", {"breaker": {}}),
        ("refuse", " "),
        ("route", 5),
    ],
)
def test_effects_that_mean_nothing_are_refused(name, given):
    with pytest.raises(ValueError):
        rulebook_of([rule("r", then={name: given})])


def test_every_effect_is_tested_here():
    assert set(EFFECTS) == {"balancer", "policy", "refuse", "route", "strategy", "targets"}


def test_who_may_come_into_a_route_is_known_without_building_anything():
    assert preferred_of(rule("a", then={"targets": {"preferred": ["x"]}})) == ("x",)
    assert preferred_of(rule("a", then={"targets": {"allowed": ["x"]}})) == ()
    assert preferred_of(rule("a", then={"targets": 5})) == ()
    assert preferred_of(rule("a", then={"targets": {"preferred": 5}})) == ()


# Spending


def test_spending_is_summed_by_whom_and_when():
    purse = Spending([("everything", "day"), ("session", "start"), ("principal", "hour"), ("everything", "day")])
    purse.add({"session": "s", "principal": ""}, 5, 0.0)
    purse.add({"session": "s", "principal": "p"}, 7, 4000.0)
    assert purse.spent("everything", "day", "whoever", 4000.0) == 12
    assert purse.spent("session", "start", "s", 1e9) == 12
    assert purse.spent("principal", "hour", "p", 4001.0) == 7
    assert purse.spent("principal", "hour", "p", 7200.0) == 0
    assert purse.spent("principal", "hour", "q", 4001.0) == 0
    purse.add({"principal": "p"}, 1, 7200.0)
    assert purse.spent("principal", "hour", "p", 7201.0) == 1


def test_who_has_not_spent_for_longest_is_forgotten_first(monkeypatch):
    monkeypatch.setattr(spending_module, "KEYS_MAX", 2)
    purse = Spending([("session", "start")])
    for name in ("a", "b", "a", "c"):
        purse.add({"session": name}, 1, 0.0)
    assert [purse.spent("session", "start", name, 0.0) for name in "abc"] == [2, 0, 1]
