"""Decisions made at the doors, kept as JSON, and made again where nothing but the configuration is the same."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from stage import Raise, Stage
from understudy import wiring
from understudy.config.load import loads
from understudy.core.decision import Decision
from understudy.core.prompts.traits import TRAITS
from understudy.core.scoreboard import Scoreboard
from understudy.core.target import Target
from understudy.engine.record import MissingInput, read, replay_record, written
from understudy.engine.snapshot import Snapshot
from understudy.mock import Mock

NONE = "policy: {retry: {kind: none}, wait_max_s: 0}"


def prompt_router() -> str:
    size = len(TRAITS)
    heads = {
        "names": list(TRAITS),
        "mean": [0.0] * size,
        "scale": [1.0] * size,
        "weak": [0.5] + [0.01] * size,
        "strong": [1.5] + [0.02] * size,
        "reach": 1e9,
    }
    trained = {"format": 1, "reads": "prompt", "weak": "second", "strong": "lead", "quality": 0.98}
    return json.dumps({"prompt_router": {"trained": trained | {"heads": heads, "thresholds": [[0.98, 0.2]]}}})


ROUTES = {
    "prompt_router": f"{{tiers: {{primary: [second, lead]}}, strategy: {prompt_router()}, {NONE}}}",
    "adaptive": f"{{tiers: {{primary: [lead, second]}}, strategy: adaptive, balancer: weighted, {NONE}}}",
    "arbitrage": f"{{tiers: {{primary: [lead, second]}}, strategy: arbitrage, {NONE}}}",
    "canary": f"{{tiers: {{primary: [lead, second]}}, {NONE}}}",
    "cascade": "{tiers: {primary: [lead, second, fresh]}, policy: {retry: {kind: none}, cascade: {ask: [lead, second]}}}",
}


def configured(mocks: tuple[Mock, Mock], route: str) -> str:
    lead, other = (mock.base_url for mock in mocks)
    rules = "rules: [{name: canary, when: {share: 0.5}, then: {targets: {preferred: [fresh]}}}]"
    return f"""
targets:
  lead: {{provider: openai_compatible, model: m, base_url: "{lead}", key: env:KEY, price: {{input: 1, output: 1}}}}
  second: {{provider: openai_compatible, model: m2, base_url: "{other}", key: env:KEY, price: {{input: 2, output: 2}}}}
  fresh: {{provider: openai_compatible, model: m3, base_url: "{other}", key: env:KEY, limits: {{rpm: 1000}}}}
routes:
  default: {ROUTES[route]}
{rules if route == "canary" else ""}
"""


def elsewhere(text: str) -> Snapshot:
    """The same configuration in another process: its scoreboard has met others before, under other breakers."""
    board = Scoreboard()
    configuration = loads(text, env={"KEY": "sk-test"})
    breaker = configuration.routes["default"].policy.breaker
    for name in ("x", "lead", "y"):
        known = configuration.targets.get(name, Target(name=name, provider="p", model="m"))
        board.register(known, replace(breaker, failures=99))
    return wiring.make_snapshot(configuration, board, env={"KEY": "sk-test"})


def decided(stage: Stage, answered: Any) -> Decision:
    found = stage.engine.decisions.get(answered.headers["x-understudy-decision"])
    assert found is not None
    return found[0]


@pytest.mark.parametrize("route", ROUTES)
async def test_a_kept_decision_is_made_again_in_another_process(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], route: str
):
    text = configured(mocks, route)
    stage = await raise_curtain(text)
    pages, firsts = [], set()
    for number in range(6):
        if number == 3:
            mocks[0].set("outage")
        said = {"x-understudy-session": f"s{number // 2}"}
        answered = await stage.ask(messages=[{"role": "user", "content": "why? " * (1 + number)}], headers=said)
        decision = decided(stage, answered)
        assert stage.engine.snapshot.replay(decision) == []
        pages.append(json.loads(json.dumps(written(decision), allow_nan=False)))
        firsts.add(decision.choices[0].order[0])
    there = elsewhere(text)
    assert (
        there.plans["default"].tiers[0].entries[0].slot
        != stage.engine.snapshot.plans["default"].tiers[0].entries[0].slot
    )
    for page in pages:
        assert replay_record(page, there) == []
        told = read(page, there).explain()
        assert [chosen.first for chosen in told.choices] == [
            one["order"][0] if one["order"] else None for one in page["choices"]
        ]
    assert route != "cascade" or "a cascade: lead, second draft first" in str(told)


async def test_what_a_rule_changed_is_said_and_holds(raise_curtain: Raise, mocks: tuple[Mock, Mock]):
    stage = await raise_curtain(configured(mocks, "canary"))
    seen = set()
    for session in "abcdefgh":
        said = {"x-understudy-session": session}
        decision = decided(stage, await stage.ask(headers=said))
        told = decision.explain().choices[0]
        [flip] = [one for one in told.flips if one.input == "rule"]
        assert flip.about == "canary"
        if flip.becomes == "does not apply":  # an operator's switch does the same
            stage.engine.switch("canary", False)
            assert decided(stage, await stage.ask(headers=said)).choices[0].order[0] == flip.then
            stage.engine.switch("canary", None)
        else:
            assert (flip.then, flip.assumed) == ("fresh", ("fresh",))
        seen.add(flip.becomes)
    assert seen == {"applies", "does not apply"}


async def test_a_missing_input_is_named(raise_curtain: Raise, mocks: tuple[Mock, Mock]):
    text = configured(mocks, "canary")
    stage = await raise_curtain(text)
    page = written(decided(stage, await stage.ask()))

    def without(*path: str | int) -> str:
        lacking = json.loads(json.dumps(page))
        inner = lacking
        for step in path[:-1]:
            inner = inner[step]
        del inner[path[-1]]
        [problem] = replay_record(lacking, stage.engine.snapshot)
        return problem

    assert without("seed") == "missing: seed of the record"
    assert without("needs", "tokens_in") == "missing: tokens_in of needs"
    assert without("ruling", "readings", 0, "seen") == "missing: seen of readings of ruling"
    assert "missing: measures of choice 1: the standing of" in without("choices", 0, "standings", 0, "measures")
    assert "missing: choice 1: the standing of" in without("choices", 0, "standings", 0)
    assert "missing: choice 1: the breaker of" in without("choices", 0, "standings", 0, "breakers", 0)
    assert "missing: ramp_s of breakers of" in without("choices", 0, "standings", 0, "breakers", 0, "ramp_s")
    other = elsewhere(text.replace("input: 2", "input: 3"))
    assert f"missing: configuration {page['version']}" in replay_record(page, other)[0]
    for change, words in (
        ({"format": 2}, "format 1, not 2"),
        ({"seed": "zz"}, "the seed"),
        ({"choices": [page["choices"][0] | {"tier": 9}]}, "tier 9"),
        ({"choices": [page["choices"][0] | {"order": ["nobody"]}]}, "'nobody' is not on the route"),
        ({"choices": [page["choices"][0] | {"scores": ["much"]}]}, "scores"),
        ({"ruling": page["ruling"] | {"fired": ["gone"]}}, "as its rules left it"),
    ):
        with pytest.raises(MissingInput, match=words):
            read(page | change, stage.engine.snapshot)


async def test_what_differs_is_told_with_the_version_that_decided(raise_curtain: Raise, mocks: tuple[Mock, Mock]):
    stage = await raise_curtain(configured(mocks, "adaptive"))
    page = written(decided(stage, await stage.ask()))
    choice = page["choices"][0] | {"scores": [-9.0, 0.0]}
    first, second = replay_record(page | {"choices": [choice], "made_by": "0.0.1"}, stage.engine.snapshot)
    assert "choice 1: scores: now" in first
    assert "decided by version 0.0.1" in second


async def test_after_a_reload_the_choices_are_made_again_with_what_they_were_kept_with(
    raise_curtain: Raise, mocks: tuple[Mock, Mock]
):
    text = configured(mocks, "adaptive")
    stage = await raise_curtain(text)
    decision = decided(stage, await stage.ask())
    changed = loads(text.replace("strategy: adaptive", "strategy: cost"), env={"KEY": "sk-test"})
    stage.engine.snapshot = stage.engine.snapshot.renewed(changed)
    assert stage.engine.snapshot.replay(decision) == []
    assert decision.explain().choices[0].strategy == "adaptive"
    decision.version, decision.route = stage.engine.snapshot.version, "nowhere"
    assert stage.engine.snapshot.replay(decision) == ["missing: the route nowhere as its rules left it"]
    nothing = Decision(1, "d1", "default", "other", decision.needs, "d", 1, 0.0)
    assert "missing: configuration other" in stage.engine.snapshot.replay(nothing)[0]


async def test_rules_that_would_have_refused_or_left_nobody_are_flips_too(
    raise_curtain: Raise, mocks: tuple[Mock, Mock]
):
    text = configured(mocks, "canary")
    shut = "{name: shut, when: {labels: {team: x}}, then: {refuse: no}}"
    one = "{name: one, then: {targets: {allowed: [lead]}}}"
    gone = "{name: gone, when: {labels: {team: y}}, then: {targets: {allowed: [second]}}}"
    stage = await raise_curtain(text[: text.index("rules:")] + f"rules: [{shut}, {one}, {gone}]\n")
    decision = decided(stage, await stage.ask(headers={"x-understudy-strategy": "cost"}))
    told = decision.explain().choices[0]
    assert told.strategy == "cost"
    assert {one.about: one.then for one in told.flips if one.input == "rule"} == {"shut": None, "gone": None}
    page = json.loads(json.dumps(written(decision)))
    assert (page["strategy"], replay_record(page, stage.engine.snapshot)) == ("cost", [])
    refused = decided(stage, await stage.ask(headers={"x-understudy-labels": "team=x"}))
    page = json.loads(json.dumps(written(refused)))
    assert (page["choices"], replay_record(page, stage.engine.snapshot)) == ([], [])


async def test_figures_of_the_catalogue_are_named_as_such(raise_curtain: Raise, mocks: tuple[Mock, Mock]):
    stage = await raise_curtain(
        f"""
targets:
  claude: {{provider: anthropic, model: claude-sonnet-4-5, base_url: "{mocks[0].base_url}", key: env:KEY}}
  other: {{provider: openai_compatible, model: m, base_url: "{mocks[1].base_url}", key: env:KEY, price: {{input: 9, output: 9}}}}
routes:
  default: {{tiers: {{primary: [claude, other]}}, strategy: composite, {NONE}}}
"""
    )
    told = decided(stage, await stage.ask()).explain().choices[0]
    sources = {one.target: dict(one.sources) for one in told.candidates}
    assert "models.dev" in sources["claude"]["price"]
    assert "price" not in sources["other"], "it was written"


async def test_after_a_reload_rules_are_missing(raise_curtain: Raise, mocks: tuple[Mock, Mock]):
    text = configured(mocks, "canary")
    stage = await raise_curtain(text)
    decision = decided(stage, await stage.ask())
    stage.engine.snapshot = stage.engine.snapshot.renewed(loads(text.replace("0.5", "0.4"), env={"KEY": "sk-test"}))
    [problem] = stage.engine.snapshot.replay(decision)
    assert problem.startswith("missing: the rules of configuration")
    told = decision.explain().choices[0]
    assert ("rule", "the configuration that they belong to is gone") in told.unsearched


async def test_a_decision_is_explained_on_another_thread_while_others_are_made(
    raise_curtain: Raise, mocks: tuple[Mock, Mock]
):
    stage = await raise_curtain(configured(mocks, "adaptive"))
    decision = decided(stage, await stage.ask())
    explaining = [asyncio.to_thread(decision.explain) for _ in range(3)]
    asking = [stage.ask() for _ in range(10)]
    told, *_ = await asyncio.gather(*explaining, *asking)
    assert told.choices[0].first == decision.choices[0].order[0]
    assert stage.nothing_is_held()
