"""Of what a choice was made, how sure it is, and what would have changed it: held against choices really made otherwise."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import Any

import pytest

from choosing import NEEDS, NOW_S, House, target
from understudy.core.candidate import Tried
from understudy.core.catalogue.profile import Profile
from understudy.core.decision import Decision
from understudy.core.explanation import search
from understudy.core.explanation.told import Chosen, Explanation, Flip, plain
from understudy.core.explanation.words import figure_words
from understudy.core.failure import FailureKind
from understudy.core.money import Price
from understudy.core.outcome import Purpose
from understudy.core.prompts.heads import FORMAT, Heads, Trained
from understudy.core.request import Operation
from understudy.core.resilience.breaker import Event
from understudy.core.rules.ruling import Reading, Ruling
from understudy.core.scales import tokens_out
from understudy.core.select import choose, dice_of, replay
from understudy.core.sessions import Warm
from understudy.core.strategies.composite import Composite
from understudy.core.strategies.cost import Cost
from understudy.core.strategies.prompt_router import PromptRouter
from understudy.core.strategies.speed import Speed
from understudy.core.target import Limits

CHEAP, DEAR = Price(input=1_000_000, output=5_000_000), Price(input=3_000_000, output=15_000_000)


def decide(house: House, seed: int = 1, **changes: Any) -> Decision:
    ask = house.ask(**changes)
    decision = Decision(1, "d1", "r", "v1", ask.needs, "d", seed, NOW_S, ask.session, ask.principal, ask.budget_left)
    choose(house.tier, house.plan, replace(ask, dice=dice_of(decision, 0)), house.board.standings, decision)
    return decision


def explained(house: House, **changes: Any) -> Chosen:
    return decide(house, **changes).explain().choices[0]


def flip(told: Chosen, name: str) -> Flip:
    [found] = [one for one in told.flips if one.input == name]
    return found


def by_cost(factor: float = 1.0) -> House:
    price = Price(input=round(3_000_000 * factor), output=round(15_000_000 * factor))
    return House(target("a", price=CHEAP), target("b", price=price), strategy=Cost())


def test_a_price_that_would_turn_the_choice_turns_it_where_it_is_written_so():
    told = flip(explained(by_cost()), "price")
    assert (told.then, told.was) == ("b", (1.0, 5.0) if told.about == "a" else (3.0, 15.0))
    factor = told.factor if told.about == "b" else 1 / told.factor
    assert factor == pytest.approx(1 / 3, rel=0.02)
    assert by_cost(factor).order() == ["b", "a"]
    assert by_cost(factor * 1.03).order() == ["a", "b"], "and nothing much smaller does"


def by_speed(a_s: float, b_s: float) -> House:
    house = House(target("a"), target("b"), strategy=Speed(explore=0.0))
    house.attempt("a", a_s, count=300)
    house.attempt("b", b_s, count=300)
    return house


def test_a_latency_that_would_turn_the_choice_turns_it_when_it_is_measured_so():
    told = flip(explained(by_speed(1.0, 1.5)), "latency")
    assert (told.about, told.unit) == ("a", "ms")
    assert told.factor == pytest.approx(1.5, rel=0.03)
    assert by_speed(1.02 * told.factor, 1.5).order() == ["b", "a"]
    assert by_speed(0.97 * told.factor, 1.5).order() == ["a", "b"]


def test_a_weight_that_would_turn_the_choice_turns_it_where_it_is_set_so():
    def house(cost: float) -> House:
        good, poor = Profile(quality=0.9), Profile(quality=0.5)
        strategy = Composite(cost=cost, quality=0.5, speed=0.0, reliability=0.0, explore=0.0)
        return House(target("a", price=CHEAP, profile=poor), target("b", price=DEAR, profile=good), strategy=strategy)

    assert house(0.5).order() == ["b", "a"]
    told = flip(explained(house(0.5)), "setting")
    settings = {"strategy.cost": 0.5, "strategy.quality": 0.5}
    assert told.about in settings
    cost = 0.5 * told.factor if told.about == "strategy.cost" else 0.5 / told.factor
    assert house(cost).order() == ["a", "b"]


def test_a_breaker_that_would_turn_the_choice_turns_it_when_it_opens():
    house = House(target("a"), target("b"), strategy="failover")
    told = flip(explained(house), "breaker")
    assert (told.about, told.becomes, told.then) == ("a", "open", "b")
    house.board.operate("a", Event.FORCE_OPEN, NOW_S)
    assert house.order() == ["b"]
    closed = flip(explained(house), "breaker")
    assert (closed.about, closed.becomes, closed.then) in (("a", "available", "a"), ("b", "open", None))
    house.board.operate("a", Event.RELEASE, NOW_S)


def test_a_limit_that_holds_back_the_best_is_what_would_turn_the_choice():
    house = House(target("a", limits=Limits(in_flight=1)), target("b"), strategy="failover")
    house.hold("a")
    told = explained(house)
    assert (told.first, [out.target for out in told.excluded]) == ("b", ["a"])
    assert flip(told, "breaker").was == "limits: 1 of 1 in flight"
    assert flip(told, "breaker").then == "a"


@pytest.mark.parametrize(
    ("house", "changes", "name", "then"),
    [
        (lambda: House(target("a", context_tokens=600), target("b"), strategy="failover"), {}, "tokens", "b"),
        (lambda: House(target("a", lacks=("tools",)), target("b"), strategy="failover"), {}, "feature", "b"),
        (
            lambda: House(target("a", lacks=("tools",)), target("b"), strategy="failover"),
            {"needs": replace(NEEDS, features=("tools",))},
            "feature",
            "a",
        ),
        (lambda: House(target("a"), target("b", priority=2), strategy="priority"), {}, "priority", "b"),
        (lambda: House(target("a"), target("b"), strategy="priority"), {}, "turn", "b"),
        (lambda: House(target("a"), target("b"), strategy="shuffle"), {}, "chance", None),
        (
            lambda: House(target("a"), target("b", weight=0.5), strategy="priority", balancer="least_in_flight"),
            {"turn": 0},
            "turn",
            "b",
        ),
    ],
)
def test_each_input_has_its_say(house, changes, name, then):
    made = house()
    told = flip(explained(made, **changes), name)
    assert told.then is not None
    assert told.then != explained(made, **changes).first
    assert then in (None, told.then)


def test_a_stream_a_budget_and_a_session_have_theirs():
    house = House(target("a"), target("b"), strategy=Speed(explore=0.0))
    house.attempt("a", 1.0, first_s=0.9, count=100)
    house.attempt("b", 2.0, first_s=0.2, count=100)
    assert flip(explained(house), "stream").then == "b"
    kept = House(
        target("a", price=DEAR, profile=Profile(quality=1.0)),
        target("b", price=CHEAP, profile=Profile(quality=0.3)),
        strategy="frugal",
    )
    assert explained(kept, budget_left=0.9).first == "a"
    told = flip(explained(kept, budget_left=0.9), "budget")
    assert (told.was, told.then) == (0.9, "b")
    assert kept.order(budget_left=told.to) == ["b", "a"]
    price = Price(input=1_000_000, output=1_000_000, cache_read=0)
    warm = House(target("a", price=price), target("b", price=price), strategy="arbitrage")
    was = Warm(warm.slots["b"], 400, NOW_S + 100)
    told = flip(explained(warm, session="s", warm=was), "session")
    assert (told.then, warm.order(session="s")[0]) == ("a", "a")


def test_an_answers_bound_has_its_say():
    a, b = Price(input=1_000_000, output=9_000_000), Price(input=3_000_000, output=3_000_000)
    house = House(target("a", price=a), target("b", price=b), strategy="cost")
    short = explained(house, needs=replace(NEEDS, max_tokens=100))
    told = flip(short, "answer")
    assert (short.first, told.then, told.was) == ("a", "b", 100)
    assert house.order(needs=replace(NEEDS, max_tokens=told.becomes)) == ["b", "a"]


def test_ratings_count_as_quality_and_of_unknown_figures_nothing_is_turned():
    house = House(target("a"), target("b"), target("c", profile=Profile(), price=None, weight=0.0), strategy="quality")
    house.board.rate("a", 0.9, NOW_S)
    told = explained(house)
    assert told.candidates[0].parts[0].known == "rated"
    assert told.candidates[2].score == inf
    assert flip(told, "quality").was in (0.9, 0.7)
    scored = House(
        target("a", profile=Profile(quality=0.1, scores=(("coding", 0.9),))), target("b"), strategy=house_of("coding")
    )
    assert explained(scored).candidates[0].parts[0].figure == pytest.approx(0.9)


def house_of(name: str):
    from understudy.core.strategies.quality import Quality

    return Quality(of=name)


# How sure


def test_who_is_alone_is_first_without_a_doubt():
    told = explained(House(target("a"), strategy="composite"))
    assert (told.confidence.by, told.confidence.known, told.confidence.next) == ("alone", "settled", None)
    assert [one.input for one in told.flips] == ["breaker"]
    assert told.candidates[0].parts == ()


def test_prices_are_settled_times_are_known_well_little_or_not_at_all():
    settled = explained(by_cost()).confidence
    assert (settled.known, settled.attempts, settled.by) == ("settled", None, "score")
    assert settled.lead_share == pytest.approx(2 / 3)
    house = House(target("a"), target("b"), strategy=Speed(explore=0.0))
    assumed = explained(house).confidence
    assert (assumed.known, assumed.age_s, assumed.by, assumed.lead_share) == ("assumed", None, "balancer", 0.0)
    assert ("a", "speed", "prior") in assumed.assumed
    house.attempt("a", 1.0, count=5)
    house.attempt("b", 2.0, count=20)
    assert explained(house).confidence.known == "little"
    house.attempt("a", 1.0, count=20)
    well = explained(house, now_s=NOW_S + 10).confidence
    assert (well.known, well.age_s) == ("well", 10.0)
    assert explained(house, now_s=NOW_S + 301).confidence.known == "little"


def test_nobody_eligible_is_nobody_first():
    house = House(target("a", context_tokens=1), strategy="cost")
    told = explained(house)
    assert (told.first, told.confidence, told.candidates) == (None, None, ())
    assert "nobody eligible" in str(decide(house).explain())


def test_a_look_at_a_stale_target_is_called_one():
    house = House(target("a"), target("b"), strategy=Speed(explore=1.0))
    house.attempt("a", 1.0, ended_s=NOW_S + 99)
    house.attempt("b", 9.0)
    told = explained(house, now_s=NOW_S + 100)
    assert (told.first, told.confidence.by) == ("b", "look")
    assert told.candidates[0].parts[-1].known == "chance"


def test_chance_and_equals_are_called_so():
    assert explained(House(target("a"), target("b"), strategy="shuffle")).confidence.by == "chance"
    told = explained(House(target("a"), target("b"), strategy="priority", balancer="weighted"))
    assert (told.confidence.by, told.confidence.lead) == ("balancer", 0.0)
    assert [part.name for part in told.candidates[0].among_equals] == ["weight", "draw"]


def test_who_has_just_recovered_waits_its_turn():
    house = House(target("a"), target("b"), strategy="failover")
    for _ in range(5):
        house.attempt("a", failure=FailureKind.SERVER_ERROR)
    later_s = NOW_S + 61
    for _ in range(2):
        hold = house.board.hold(house.slots["a"], 10, later_s)
        house.board.settle(hold, good(later_s), later_s)
    told = explained(house, now_s=later_s + 1)
    assert (told.first, told.confidence.by) == ("b", "recovery")
    assert told.candidates[1].recovering
    assert "; recovering" in str(decide(house, now_s=later_s + 1).explain(flips=False))


def good(ended_s: float):
    from understudy.core.outcome import Outcome

    return Outcome(number=1, target="a", tier="primary", purpose=Purpose.TEST, started_s=ended_s - 1, ended_s=ended_s)


# Strategies and balancers that tell more than others


def test_arbitrage_tells_what_the_cache_saves_and_what_is_another_model():
    price = Price(input=1_000_000, output=1_000_000, cache_read=100_000)
    other = target("c", price=price, profile=Profile(same_as="n"))
    house = House(
        target("a", price=price), target("b", price=price), other, target("d", price=None), strategy="arbitrage"
    )
    told = explained(house, session="s", warm=Warm(house.slots["b"], 400, NOW_S + 100))
    parts = {one.target: {part.name: part for part in one.parts} for one in told.candidates}
    assert told.first == "b"
    assert parts["b"]["cached"].figure == 400
    assert parts["b"]["cached"].adds == pytest.approx(-400 * 900)
    assert "another model" in parts["c"]
    assert parts["d"]["price"].known == "unknown"


def test_cost_tells_who_is_not_good_enough_and_what_is_not_known():
    house = House(
        target("a"), target("b", profile=Profile(quality=0.1)), target("c", price=None), strategy=Cost(min_quality=0.5)
    )
    told = {one.target: {part.name: part for part in one.parts} for one in explained(house).candidates}
    assert told["b"]["not good enough"].figure == 0.1
    assert told["c"]["price"].adds == inf
    assert told["a"]["prompt"].figure == pytest.approx(500 * 1e-6)


def test_a_router_without_training_tells_positions():
    told = explained(House(target("a"), target("b"), strategy=PromptRouter()))
    assert [one.parts[0].name for one in told.candidates] == ["position", "position"]


def test_a_router_that_is_unsure_says_so():
    heads = Heads(("one",), (0.0,), (1.0,), (0.0, -1.0), (0.0, 1.0), 4.0)
    trained = Trained(
        format=FORMAT, reads="prompt", weak="a", strong="b", quality=0.9, thresholds=((0.9, 0.1),), heads=heads
    )
    house = House(target("a"), target("b"), target("c"), strategy=PromptRouter(trained=trained))
    unsure = explained(house)  # nothing is known of the prompt
    assert [one.parts[0].name for one in unsure.candidates] == ["unsure", "weak", "neither"]
    sure = explained(house, needs=replace(NEEDS, traits=(0.5,)))
    assert [part.name for part in sure.candidates[0].parts] == ["threshold", "gain"]


# The whole


def test_decisions_without_choices_and_with_rules_say_so():
    decision = Decision(1, "d1", "", "v1", NEEDS, "d", 1, NOW_S)
    decision.ruling = Ruling("r", ("x",), (Reading("x", True, (("model", "r"),)),), ("y",), "closed")
    decision.strategy = "cost"
    told = decision.explain()
    assert told.choices == ()
    words = str(told)
    for part in ("reached no route", "asked for the strategy cost", "rule x applies", "y is switched off", "refused"):
        assert part in words


def test_rules_of_which_nobody_knows_any_more_are_not_looked_at():
    house = House(target("a"), target("b"), strategy="failover")
    decision = decide(house)
    decision.ruling = Ruling("r", (), (Reading("x", False, ()),))
    assert ("rule", "the configuration that they belong to is gone") in decision.explain().choices[0].unsearched
    decision.ruling = Ruling("r", (), ())
    assert decision.explain().choices[0].unsearched == ()


class World:
    """An origin of the test's own: rule x brings in others."""

    def __init__(self, *houses: House | None) -> None:
        self.left = list(houses)

    def figure_source(self, name: str, figure: str) -> str | None:
        return f"catalogue: {name}" if figure == "price" else None

    def left_by(self, asked, fired, strategy, operation):
        house = self.left.pop(0)
        return None if house is None else (house.plan, house.board.standings)


def test_rules_that_leave_nobody_or_read_the_prompt_or_change_nothing():
    house = House(target("a"), target("b"), strategy="cost")
    same = House(target("a"), target("b"), strategy="cost")
    blind = House(target("b"), strategy=PromptRouter())
    shut = House(target("z", context_tokens=1), strategy="cost")
    world = World(None, blind, same, shut)
    house.plan.origin = lambda: world
    decision = decide(house, session="s", warm=Warm(house.slots["b"], 10, NOW_S + 9))
    decision.ruling = Ruling("r", ("x",), tuple(Reading(name, name == "x", ()) for name in "xyzw"))
    told = decision.explain().choices[0]
    assert [(one.about, one.then) for one in told.flips if one.input == "rule"] == [("x", None), ("w", None)]
    assert told.unsearched == (("rule", "y: its strategy reads what was not kept of the request"),)
    assert told.candidates[0].sources == (("price", "catalogue: a"),)
    world.left = [None, blind, same, shut]
    assert "if rule x: applies -> does not apply: nobody would be left" in str(decision.explain())
    world.left = [same] * 4
    assert "rule" in decision.explain().choices[0].held


def test_nobody_looks_where_nobody_is_asked_to_and_where_it_took_too_long(monkeypatch):
    house = by_cost()
    told = decide(house).explain(flips=False).choices[0]
    assert (told.flips, told.unsearched) == ((), (("all", "nobody looked"),))
    monkeypatch.setattr("understudy.core.explanation.explain.LOOKS_MAX", 60)
    told = decide(house).explain().choices[0]
    assert told.unsearched
    assert "not looked at: breaker: too many" in str(decide(house).explain())


def test_explaining_changes_nothing_that_is_alive():
    house = by_speed(1.0, 1.5)
    decision = decide(house)
    house.attempt("b", 0.2, count=300)
    before = house.order()
    standings = list(house.board.standings)
    decision.explain()
    assert replay(decision, house.plan) == []
    assert house.board.standings == standings
    [(candidates, _)] = house.tier._fits.values()
    assert all(one.standing is standings[one.entry.slot] for one in candidates), "what live choices look at"
    assert house.order() == before == ["b", "a"]


def test_embeddings_are_not_turned_by_what_only_conversations_need():
    house = House(target("a", embeds="s"), target("b", embeds="s"), strategy="failover")
    told = explained(house, needs=replace(NEEDS, operation=Operation.EMBED))
    assert "feature" not in (*told.held, *(one.input for one in told.flips))


def test_later_choices_of_a_request_are_explained_too():
    house = House(target("a"), target("b"), strategy="cost")
    decision = decide(house)
    tried = {house.slots["a"]: Tried(1, NOW_S, True, FailureKind.SERVER_ERROR)}
    ask = house.ask(tried=tried)
    choose(house.tier, house.plan, replace(ask, dice=dice_of(decision, 1)), house.board.standings, decision)
    told = decision.explain()
    assert [one.first for one in told.choices] == ["a", "b"]
    assert told.choices[1].excluded[0].reason == "tried"
    assert "without a: tried: server_error" in str(told)


def test_words_for_figures():
    assert figure_words(0.25, "share") == "25 %"
    assert figure_words(12345.6, "ms") == "12346 ms"
    assert figure_words(0.001, "$") == "$0.001"
    assert figure_words(None, "") == "none"
    assert figure_words(True, "") == "true"
    assert figure_words((1.0, 2.0), "$") == "1/2 $"
    assert plain({1: (inf, FailureKind.DEADLINE)}) == {"1": ["inf", "deadline"]}
    assert isinstance(decide(by_cost()).explain(), Explanation)
    assert search.BOUNDS.startswith("each input alone")


def test_a_bound_on_the_answer_beyond_any_float_is_explained_too() -> None:
    assert tokens_out(-(10**4000)) == 0
    house = House(target("a"), target("b"), strategy=Cost())
    for bound in (10**4000, -(10**4000)):
        decision = Decision(1, "d-1", "r", "v1", replace(NEEDS, max_tokens=bound), "openai_chat", 7, NOW_S)
        choose(house.plan.tiers[0], house.plan, house.ask(needs=decision.needs), house.board.standings, decision)
        assert str(decision.explain())
