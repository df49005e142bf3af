"""What every fault promises, ours and third parties'."""

from __future__ import annotations

import json
from dataclasses import fields
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.core.dice import Dice
from understudy.core.policy import Timeouts
from understudy.faults import FAULTS, Arrivals, Fault, Plan, Scene, plan_attempt, risk, up
from understudy.sim.specs import SPECS

pytestmark = pytest.mark.no_cover

ENDLESS = Timeouts(connect_s=1e9, headers_s=1e9, first_content_s=1e9, idle_s=1e9, answer_s=1e9)
REQUIRED: dict[str, dict[str, Any]] = {"cascading_outage": {"spreads": ["here"]}}
SPAN = {"from_s": 100.0, "to_s": 200.0}
NAMES = FAULTS.names()
SPANNED = [name for name in NAMES if name not in REQUIRED]


@cache
def once(name: str, settings: str) -> Fault:
    return FAULTS.build(name, REQUIRED.get(name, {}) | json.loads(settings))


def built(name: str, **settings: Any) -> Fault:
    return once(name, json.dumps(settings))


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    arrivals = Arrivals()
    for second in draw(st.lists(st.floats(0, 300), max_size=5).map(sorted)):
        arrivals.note(second, tokens=10)
    return Scene(
        now_s=draw(st.floats(0, 300)),
        target="here",
        provider="acme",
        stream=draw(st.booleans()),
        chunks=draw(st.integers(1, 20)),
        tokens=draw(st.integers(0, 50)),
        arrivals=arrivals,
    )


PROMISED = {
    "outage", "cascading_outage", "partial_degradation", "rate_limit_exhaustion", "silence", "truncated_stream", "flapping",
    "corrupt_answers", "partition", "latency", "clock_skew", "slow_death", "overload", "quota_exhaustion", "dns_failure",
    "certificate_expiry", "credential_revocation", "byzantine_answers", "giant_answers",
}  # fmt: skip


def test_the_promised_faults_exist_and_all_of_them_are_simulated() -> None:
    assert set(NAMES) >= PROMISED
    assert set(SPECS) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_reference_tells_the_fault_and_each_of_its_settings(name: str) -> None:
    page = FAULTS.describe(name)
    assert page.line.endswith(".")
    assert {setting.name for setting in page.settings} == {field.name for field in fields(FAULTS.entry(name))}
    for setting in page.settings:
        assert setting.text, f"{name}.{setting.name} is not described"


# One scene is given to every fault there is: drawing scenes takes ten times as long as what is asked of them.
SCENES = settings(max_examples=300)


@SCENES
@given(scene=scenes(), seed=st.integers(0, 2**64 - 1))
def test_the_same_scene_and_seed_give_the_same_plan(scene: Scene, seed: int) -> None:
    for name in NAMES:
        first, again = (plan_attempt(scene, [built(name)], Dice(seed)) for _ in range(2))
        assert first == again, name


@SCENES
@given(scene=scenes(), seed=st.integers(0, 2**64 - 1))
def test_outside_its_span_a_fault_does_nothing_to_what_ends_before_it(scene: Scene, seed: int) -> None:
    if 100.0 <= scene.now_s < 200.0:
        return
    untouched = Plan(stream=scene.stream, chunks=scene.chunks).dies(0.0).hushed(0.0)
    for name in SPANNED:
        plan = plan_attempt(scene, [built(name, **SPAN)], Dice(seed))
        assert plan.dies(0.0).hushed(0.0) == untouched, name
        assert scene.now_s + min(plan.dies_at_s, plan.hushed_at_s) >= 100.0, name


@SCENES
@given(scene=scenes(), seed=st.integers(0, 2**64 - 1))
def test_a_fault_strikes_only_those_that_it_names(scene: Scene, seed: int) -> None:
    untouched = Plan(stream=scene.stream, chunks=scene.chunks)
    for name in SPANNED:
        elsewhere = built(name, where=["there"])
        assert plan_attempt(scene, [elsewhere], Dice(seed)) == untouched, name
        assert elsewhere.risk(scene, scene.now_s + 1e6) == 0.0, name
        everywhere = plan_attempt(scene, [built(name)], Dice(seed))
        for place in ("here", "acme"):
            assert plan_attempt(scene, [built(name, where=["there", place])], Dice(seed)) == everywhere, name


@SCENES
@given(scene=scenes(), seed=st.integers(0, 2**64 - 1))
def test_the_truth_is_true(scene: Scene, seed: int) -> None:
    """What is called up succeeds; what is called certainly down fails."""
    for name in NAMES:
        for fault in (built(name), *([built(name, **SPAN), built(name, share=0.5)] if name in SPANNED else [])):
            seen = plan_attempt(scene, [fault], Dice(seed)).timeline(ENDLESS)
            at_risk = risk(scene, [fault], scene.now_s + seen.ended_s)
            assert 0.0 <= at_risk <= 1.0, name
            if up(scene, [fault], seen.ended_s):
                assert seen.failure is None, name
            if at_risk == 1.0:
                assert seen.failure is not None, name
