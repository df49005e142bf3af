"""Tiers with a past and situations to choose in, drawn at random: for what every strategy and balancer promises."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from hypothesis import strategies as st

from choosing import NOW_S, House, target
from understudy.config.registries import BALANCERS, STRATEGIES
from understudy.core.candidate import Strategy, Tried
from understudy.core.catalogue.profile import Profile
from understudy.core.failure import FailureKind
from understudy.core.money import Price
from understudy.core.request import Needs
from understudy.core.sessions import Warm
from understudy.core.target import Limits

PAIRS = [(name, "round_robin") for name in STRATEGIES.names()] + [("priority", name) for name in BALANCERS.names()]


def built(name: str) -> Strategy:
    """The strategy without looks at stale targets, which are a choice's own affair."""
    known = {field.name for field in fields(STRATEGIES.entry(name))}
    return STRATEGIES.build(name, {"explore": 0.0} if "explore" in known and name != "adaptive" else None)


prices = st.none() | st.builds(lambda i, o: Price(input=i, output=o), st.integers(0, 10**8), st.integers(0, 10**8))
shares = st.none() | st.floats(0, 1)
profiles = st.builds(
    lambda quality, tier, same: Profile(quality=quality, tier=tier, same_as=same),
    shares,
    st.sampled_from([None, "flagship", "efficient", "specialised"]),
    st.sampled_from([None, "m", "n"]),
)
limits = st.builds(
    lambda rpm, tpm, most: Limits(rpm=rpm, tpm=tpm, in_flight=most),
    st.none() | st.floats(1, 1e4),
    st.none() | st.floats(1000, 1e6),
    st.none() | st.integers(1, 20),
)
needs = st.builds(
    lambda stream, tokens, most: Needs(model="r", stream=stream, tokens_in=tokens, max_tokens=most),
    st.booleans(),
    st.integers(0, 5000),
    st.none() | st.integers(1, 5000),
)
histories = st.lists(
    st.tuples(st.integers(0, 7), st.floats(0.01, 60), st.sampled_from([None, *FailureKind]), st.booleans()), max_size=25
)


@st.composite
def houses(draw: st.DrawFn, strategy: str | Strategy, balancer: str) -> House:
    """A tier with a past. A strategy given by name does not look at stale targets."""
    count = draw(st.integers(2, 8))
    targets = [
        target(
            f"t{number}",
            price=draw(prices),
            profile=draw(profiles),
            limits=draw(limits),
            priority=draw(st.integers(1, 2)),
            weight=draw(st.floats(0, 5)),
            local=draw(st.booleans()),
            context_tokens=draw(st.none() | st.integers(100, 10_000)),
        )
        for number in range(count)
    ]
    house = House(*targets, strategy=built(strategy) if isinstance(strategy, str) else strategy, balancer=balancer)
    for number, took_s, failure, stream in draw(histories):
        name = f"t{number % count}"
        house.attempt(
            name, took_s, failure=failure, first_s=took_s / 2 if stream else None, ended_s=NOW_S - 50 + number
        )
    for number in draw(st.lists(st.integers(0, 7), max_size=10)):
        house.hold(f"t{number % count}")
    if draw(st.booleans()):
        house.board.rate("t0", draw(st.floats(0, 1)), NOW_S)
    return house


@st.composite
def situations(draw: st.DrawFn, house: House) -> dict[str, Any]:
    """What else a choice depends on."""
    slots = sorted(house.slots.values())
    tried = draw(
        st.dictionaries(st.sampled_from(slots), st.just(Tried(1, NOW_S, True, FailureKind.SERVER_ERROR)), max_size=2)
    )
    return {
        "needs": draw(needs),
        "now_s": NOW_S + draw(st.floats(0, 1000)),
        "turn": draw(st.integers(0, 100)),
        "tried": tried,
        "session": draw(st.sampled_from(["", "s1", "s2"])),
        "principal": draw(st.sampled_from(["", "app"])),
        "warm": draw(st.none() | st.builds(Warm, st.sampled_from(slots), st.integers(0, 9000), st.just(NOW_S + 2000))),
        "budget_left": draw(st.none() | st.floats(-0.5, 1)),
        "seed": draw(st.integers(0, 2**64 - 1)),
    }
