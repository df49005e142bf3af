"""Rules at the doors: what a caller says, sees and is refused; and that every decision can be made again."""

from __future__ import annotations

import time

import pytest

from stage import CALLERS, Raise, Stage
from understudy.config.registries import STRATEGIES
from understudy.core.catalogue.task import NOTHING
from understudy.core.decision import Decision
from understudy.core.request import Call, Needs, Operation
from understudy.core.rules.ruling import Ruling
from understudy.core.select import replay
from understudy.core.strategies.failover import Failover
from understudy.core.value import value
from understudy.engine.ruling import read_task, stated
from understudy.mock import Mock

DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"  # of "test"


def three(mocks: tuple[Mock, Mock], *rules: str, more: str = "") -> str:
    lead, other = (mock.base_url for mock in mocks)
    return f"""
targets:
  lead: {{provider: openai_compatible, model: m, base_url: "{lead}", key: env:KEY, price: {{input: 1, output: 1}}}}
  second: {{provider: openai_compatible, model: m2, base_url: "{other}", key: env:KEY, price: {{input: 1, output: 1}}}}
  fresh: {{provider: openai_compatible, model: m3, base_url: "{other}", key: env:KEY, price: {{input: 1, output: 1}}}}
routes:
  default: {{tiers: {{primary: [lead, second]}}, policy: {{retry: {{kind: none}}, wait_max_s: 0}}}}
  calm: {{tiers: {{primary: [second]}}, policy: {{retry: {{kind: none}}, wait_max_s: 0}}}}
{more}
rules:
""" + "".join(f"  - {rule}\n" for rule in rules)


def decided(stage: Stage, id_: str) -> tuple[Decision, Ruling]:
    found = stage.engine.decisions.get(id_)
    assert found is not None
    assert found[0].ruling is not None
    return found[0], found[0].ruling


def replayed(stage: Stage, decision: Decision) -> list[str]:
    snapshot = stage.engine.snapshot
    plan = snapshot.plan_of(decision)
    assert plan is not None
    assert decision.ruling is not None
    return replay(decision, plan) + snapshot.replay_rules(decision.ruling)


PREFER = "{name: easy, when: {complexity: simple}, then: {targets: {preferred: [fresh]}}}"


async def test_a_rule_brings_in_a_target_and_the_decision_can_be_made_again(
    raise_curtain: Raise, mocks: tuple[Mock, Mock]
):
    stage = await raise_curtain(three(mocks, PREFER))
    answered = await stage.ask(messages=[{"role": "user", "content": "Hello!"}])
    assert (answered.headers["x-understudy-target"], answered.headers["x-understudy-tier"]) == ("fresh", "preferred")
    decision, ruling = decided(stage, answered.headers["x-understudy-decision"])
    assert ruling.fired == ("easy",)
    assert decision.needs.task is not None
    assert decision.needs.task.complexity == "simple"
    assert "rule easy applies: complexity simple" in str(decision.explain())
    assert replayed(stage, decision) == []


async def test_the_caller_may_say_how_hard_it_is(raise_curtain: Raise, mocks: tuple[Mock, Mock]):
    stage = await raise_curtain(three(mocks, PREFER))
    said = {"x-understudy-complexity": "complex"}
    hard = await stage.ask(messages=[{"role": "user", "content": "Hello!"}], headers=said)
    assert hard.headers["x-understudy-target"] == "lead"
    decision, _ = decided(stage, hard.headers["x-understudy-decision"])
    assert decision.needs.task is None  # nobody had to read it
    refused = await stage.ask(headers={"x-understudy-complexity": "tricky"})
    assert refused.status == 400
    assert "one of simple, medium, complex" in refused.json["error"]["message"]


@pytest.mark.parametrize("dialect", CALLERS)
@pytest.mark.parametrize("stream", [False, True])
async def test_a_refusal_comes_in_the_callers_dialect(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], dialect: str, stream: bool
):
    stage = await raise_curtain(three(mocks, "{name: closed, then: {refuse: We are closed.}}"))
    answered = await stage.ask(dialect, stream=stream)
    assert answered.status == 403
    assert answered.error is not None
    assert "We are closed." in answered.error["message"]
    assert not mocks[0].requests
    assert stage.ended[0].attempts == ()


async def test_a_switch_takes_effect_at_once_and_is_recorded(raise_curtain: Raise, mocks: tuple[Mock, Mock]):
    stage = await raise_curtain(three(mocks, "{name: flag, then: {route: calm}, enabled: false}"))
    targets = []
    for enabled in (None, True, False, None):
        stage.engine.switch("flag", enabled)
        answered = await stage.ask()
        targets.append(answered.headers["x-understudy-target"])
        decision, ruling = decided(stage, answered.headers["x-understudy-decision"])
        assert decision.route == ("calm" if enabled else "default")
        assert ruling.off == (() if enabled else ("flag",))
        assert replayed(stage, decision) == []
    assert targets == ["lead", "second", "lead", "lead"]
    assert stage.engine.fired == {"flag": 1}
    with pytest.raises(KeyError):
        stage.engine.switch("flags", True)


async def test_a_canary_keeps_each_session_on_its_arm(raise_curtain: Raise, mocks: tuple[Mock, Mock]):
    stage = await raise_curtain(
        three(mocks, "{name: canary, when: {share: 0.5}, then: {targets: {preferred: [fresh]}}}")
    )
    arms: dict[str, set[str]] = {}
    for _ in range(3):
        for session in "abcdefgh":
            answered = await stage.ask(headers={"x-understudy-session": session})
            arms.setdefault(session, set()).add(answered.headers["x-understudy-target"])
    assert all(len(arm) == 1 for arm in arms.values())
    assert set().union(*arms.values()) == {"lead", "fresh"}


async def test_rules_look_at_headers_labels_and_who_asks(raise_curtain: Raise, mocks: tuple[Mock, Mock]):
    principals = f"principals: [{{name: app, key_sha256: {DIGEST}}}]"
    rules = (
        "{name: header, when: {header: {user-agent: 'robot/*'}}, then: {refuse: no robots}}",
        "{name: label, when: {labels: {team: search}, principal: app}, then: {route: calm}}",
    )
    stage = await raise_curtain(three(mocks, *rules, more=principals))
    key = {"authorization": "Bearer test"}
    assert (await stage.ask(headers=key | {"user-agent": "robot/1"})).status == 403
    assert (await stage.ask(headers=key)).headers["x-understudy-target"] == "lead"
    labelled = await stage.ask(headers=key | {"x-understudy-labels": "team=search"})
    assert labelled.headers["x-understudy-target"] == "second"


async def test_what_was_spent_counts(raise_curtain: Raise, mocks: tuple[Mock, Mock]):
    rule = "{name: dear, when: {cost_so_far: {at_least_usd: 0.000001, of: session, per: start}}, then: {route: calm}}"
    stage = await raise_curtain(three(mocks, rule))
    asked = [await stage.ask(headers={"x-understudy-session": session}) for session in ("a", "a", "b")]
    assert [one.headers["x-understudy-target"] for one in asked] == ["lead", "second", "lead"]
    everybody = "{name: dear, when: {cost_so_far: {at_least_usd: 0.000001}}, then: {route: calm}}"
    stage = await raise_curtain(three(mocks, everybody))
    asked = [await stage.ask() for _ in range(2)]
    assert [one.headers["x-understudy-target"] for one in asked] == ["lead", "second"]


async def test_nobody_left_to_ask_is_told_with_the_rules_that_did_it(raise_curtain: Raise, mocks: tuple[Mock, Mock]):
    rules = (
        "{name: one, when: {labels: {a: b}}, then: {targets: {allowed: [lead]}}}",
        "{name: two, when: {labels: {c: d}}, then: {targets: {allowed: [second]}}}",
    )
    stage = await raise_curtain(three(mocks, *rules))
    answered = await stage.ask(headers={"x-understudy-labels": "a=b,c=d"})
    assert answered.status == 503
    assert "the rules (one, two) leave nobody to ask on default" in answered.json["error"]["message"]


async def test_a_callers_strategy_comes_before_a_rules_and_is_recorded(raise_curtain: Raise, mocks: tuple[Mock, Mock]):
    stage = await raise_curtain(three(mocks, "{name: flat, then: {strategy: priority}}"))
    answered = await stage.ask(headers={"x-understudy-strategy": "failover"})
    decision, _ = decided(stage, answered.headers["x-understudy-decision"])
    plan = stage.engine.snapshot.plan_of(decision)
    assert plan is not None
    assert isinstance(plan.strategy, Failover)
    assert replayed(stage, decision) == []


async def test_rules_about_other_names_cost_nothing_here(raise_curtain: Raise, mocks: tuple[Mock, Mock]):
    stage = await raise_curtain(three(mocks, "{name: other, when: {model: calm}, then: {refuse: not here}}"))
    answered = await stage.ask()
    found = stage.engine.decisions.get(answered.headers["x-understudy-decision"])
    assert found is not None
    assert found[0].ruling is None
    assert (await stage.ask(model="calm")).status == 403


async def test_a_body_that_only_its_own_server_can_read_is_unknown_and_passed_on(
    raise_curtain: Raise, mocks: tuple[Mock, Mock]
):
    stage = await raise_curtain(three(mocks, PREFER))
    odd = await stage.ask(messages=[{"role": "user", "content": [{"type": "text", "text": 5}]}])
    _, ruling = decided(stage, odd.headers["x-understudy-decision"])
    assert ruling.readings[0].seen == (("complexity", "unknown"),)


async def test_variants_are_made_once_and_bounded(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("understudy.engine.snapshot.VARIANTS_MAX", 1)
    rules = (
        "{name: one, when: {labels: {a: b}}, then: {strategy: priority}}",
        "{name: two, when: {labels: {c: d}}, then: {balancer: round_robin}}",
    )
    stage = await raise_curtain(three(mocks, *rules))
    snapshot = stage.engine.snapshot
    for labels in ("a=b", "c=d", "a=b,c=d", "c=d"):
        assert (await stage.ask(headers={"x-understudy-labels": labels})).status == 200
    assert list(snapshot._ruled) == [("default", ("two",), None, False)]
    assert snapshot.ruled("default", ("two",), None) is snapshot.ruled("default", ("two",), None)


async def test_rules_that_are_gone_are_missed_when_a_decision_is_made_again(
    raise_curtain: Raise, mocks: tuple[Mock, Mock]
):
    stage = await raise_curtain(three(mocks, PREFER))
    answered = await stage.ask(messages=[{"role": "user", "content": "Hello!"}])
    decision, ruling = decided(stage, answered.headers["x-understudy-decision"])
    other = await raise_curtain(three(mocks, "{name: other, when: {model: calm}, then: {refuse: no}}"))
    assert other.engine.snapshot.plan_of(decision) is None
    assert other.engine.snapshot.replay_rules(ruling) == ["no rule is about default any more"]


async def test_a_strategy_that_reads_the_task_gets_it(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], monkeypatch: pytest.MonkeyPatch
):
    seen = []

    @value
    class Curious(Failover):
        reads = ("task",)

        def scores(self, candidates, ask):
            seen.append(ask.needs.task)
            return super().scores(candidates, ask)

    monkeypatch.setitem(STRATEGIES._exports, "failover", Curious)
    stage = await raise_curtain(three(mocks, "{name: other, when: {model: calm}, then: {refuse: no}}"))
    await stage.ask(messages=[{"role": "user", "content": "Hello!"}], headers={"x-understudy-complexity": "complex"})
    assert (seen[0].kind, seen[0].complexity) == ("conversation", "complex")


async def test_other_operations_than_talk_are_about_nothing(raise_curtain: Raise, mocks: tuple[Mock, Mock]):
    stage = await raise_curtain(three(mocks, PREFER))
    call = Call("openai_embeddings", Needs(model="default", operation=Operation.EMBED), b"{}", complexity="simple")
    assert read_task(stage.engine.snapshot, call) == NOTHING
    assert stated(NOTHING, call).complexity == "simple"


async def test_time_is_that_of_the_wall(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], monkeypatch: pytest.MonkeyPatch
):
    stage = await raise_curtain(
        three(mocks, "{name: nights, when: {hour_of_day: {from: 22, to: 6}}, then: {route: calm}}")
    )
    midnight_s = time.time() // 86_400 * 86_400
    for hour, target in ((23, "second"), (12, "lead")):
        monkeypatch.setattr(stage.engine, "wall_s", lambda hour=hour: midnight_s + 3600 * hour)
        assert (await stage.ask()).headers["x-understudy-target"] == target
