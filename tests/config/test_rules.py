"""Rules as they are written: every mistake with its line, and what can never do anything."""

from __future__ import annotations

import json
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.config.canonical import text_of
from understudy.config.load import loads
from understudy.config.registries import CONDITIONS, EFFECTS
from understudy.config.rulebook import rulebook_of
from understudy.errors import ConfigurationError

DIGEST = "a" * 64
WORLD = f"""\
targets:
  a: {{provider: openai, model: m}}
  b: {{provider: openai, model: n}}
  c: {{provider: openai, model: o}}
routes:
  default: {{tiers: {{primary: [a, b]}}}}
  other: {{tiers: {{primary: [b, c]}}}}
principals: [{{name: app, key_sha256: "{DIGEST}"}}]
rules:
"""


def read(*rules: str):
    return loads(WORLD + "".join(f"  - {rule}\n" for rule in rules), env={})


def problems(*rules: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        read(*rules)
    return [problem.removeprefix("understudy.yaml:") for problem in caught.value.problems]


def test_rules_are_read_as_they_are_written():
    made = read(
        "{name: nights, priority: 10, when: {hour_of_day: {from: 22, to: 6}}, then: {strategy: priority}, enabled: true}"
    )
    [rule] = made.rules
    assert (rule.name, rule.priority, rule.enabled) == ("nights", 10, True)
    assert rule.when == {"hour_of_day": {"from": 22, "to": 6}}
    assert made.warnings == ()


def test_what_is_printed_loads_back_to_the_same():
    made = read(
        "{name: one, when: {share: 0.05, any: [{task: code}, {not: {labels: {team: x}}}]}, then: {targets: {preferred: [c]}}}",
        "{name: two, then: {policy: {deadline_s: 5.5}}, enabled: false}",
    )
    again = loads(text_of(made), env={})
    assert again.rules == made.rules
    assert again.version == made.version
    assert read("{name: two, then: {policy: {deadline_s: 6}}}").version != made.version


MISTAKES = [
    ("{when: {task: code}, then: {strategy: priority}}", '10:5: rules[0]: "name" must be given'),
    ("{name: x y, then: {strategy: priority}}", "10:12: rules[0].name: a name is"),
    ("{name: x, then: {strategy: priority}, whne: {}}", '10:43: rules[0].whne: unknown key; did you mean "when"?'),
    ("{name: x, then: {}}", "10:21: rules[0].then: changes nothing"),
    ("{name: x, when: {hour: 5}, then: {strategy: priority}}", "10:22: rules[0].when.hour: there is no condition 'hour'"),
    ("{name: x, then: {strategie: priority}}", "10:22: rules[0].then.strategie: there is no effect 'strategie'; did you mean 'strategy'?"),
    ("{name: x, then: {strategy: best}}", '10:32: rules[0].then.strategy: unknown strategy "best"'),
    ("{name: x, then: {balancer: {weighted: {a: 1}}}}", "10:47: rules[0].then.balancer.weighted.a: there is no setting 'a'"),
    ("{name: x, then: {targets: {preferred: [d]}}}", '10:43: rules[0].then.targets.preferred: unknown target "d"'),
    ("{name: x, then: {targets: {prefered: [c]}}}", "10:42: rules[0].then.targets.prefered: there is no setting 'prefered'"),
    ("{name: x, then: {route: nowhere}}", '10:29: rules[0].then.route: nothing is called "nowhere"'),
    ("{name: x, then: {policy: {deadline_s: soon}}}", "10:43: rules[0].then.policy.deadline_s: expected `float"),
    ("{name: x, then: {policy: {retry: {mox: 1}}}}", "10:44: rules[0].then.policy.retry.mox: there is no setting 'retry.mox'"),
    ("{name: x, then: {refuse: no, strategy: priority}}", "10:21: rules[0].then: refuses the request, so that nothing else"),
    ("{name: x, when: {hour_of_day: {from: 5, to: 5}}, then: {strategy: priority}}", "10:49: rules[0].when.hour_of_day.to: the same hour"),
    ("{name: x, when: {hour_of_day: {from: 5}}, then: {strategy: priority}}", '10:35: rules[0].when.hour_of_day: "to" must be given'),
    ("{name: x, when: {model: nope}, then: {strategy: priority}}", '10:29: rules[0].when.model: nothing is called "nope"'),
    ("{name: x, when: {principal: [app, bap]}, then: {strategy: priority}}", '10:33: rules[0].when.principal: there is no principal "bap"'),
    ("{name: x, when: {health: {target: d, available: true}}, then: {strategy: priority}}", '10:39: rules[0].when.health.target: unknown target "d"'),
    ("{name: x, when: {budget_left: {budget: t, below: 0.5}}, then: {strategy: priority}}", '10:44: rules[0].when.budget_left.budget: there is no budget "t"'),
    ("{name: x, when: {task: cookery}, then: {strategy: priority}}", "10:28: rules[0].when.task: there is no kind of task 'cookery'"),
    ("{name: x, when: {any: {task: code}}, then: {strategy: priority}}", "10:27: rules[0].when.any: must be a list of conditions"),
    ("{name: x, when: {any: [{task: cod}]}, then: {strategy: priority}}", "10:35: rules[0].when.any[0].task: there is no kind"),
    ("{name: x, when: {not: code}, then: {strategy: priority}}", "10:27: rules[0].when.not: must be a mapping of conditions"),
    ("{name: x, when: {tokens: {at_least: 9, below: 5}}, then: {strategy: priority}}", "10:21: rules[0].when: can never hold"),
    ("{name: x, when: {task: code, not: {task: [code, analysis]}}, then: {strategy: priority}}", "10:21: rules[0].when: can never hold"),
    ("{name: x, when: {day: [], task: code}, then: {strategy: priority}}", "10:21: rules[0].when: can never hold"),
    ("{name: x, when: {share: 0}, then: {strategy: priority}}", "10:21: rules[0].when: can never hold"),
    ("{name: x, when: {cost_so_far: {of: me, at_least_usd: 1}}, then: {strategy: priority}}", "10:40: rules[0].when.cost_so_far.of: must be one of everything, principal, session, route, not 'me'"),
    ("{name: x, when: {load: {at_least: .nan}}, then: {strategy: priority}}", "10:21: rules[0].when: can never hold"),
    ("{name: x, when: {model: default}, then: {targets: {allowed: [c]}}}", "10:55: rules[0].then.targets: leaves nobody to ask"),
    ("{name: x, then: {policy: {retry: {kind: quadratic}}}}", "10:45: rules[0].then.policy.retry.kind: must be one of"),
    ("5", "10:5: rules[0]: must be a mapping"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "told"), MISTAKES, ids=[told for _, told in MISTAKES])
def test_a_mistake_is_told_once_with_its_place(rule, told):
    [found] = problems(rule)
    assert found.startswith(told)


LEAVES = st.sampled_from(
    [
        5,
        0.5,
        -1,
        "a",
        "code",
        "simple",
        "sat",
        "22:30",
        "session",
        "",
        "*",
        None,
        True,
        [],
        {},
        ["a", "b"],
        ["code"],
        [5],
        {"a": "b"},
    ]
)
SETTINGS = (
    "of",
    "from",
    "to",
    "by",
    "zone",
    "at_least",
    "below",
    "target",
    "targets",
    "available",
    "salt",
    "begin",
    "end",
    "answer",
)
CHANGES = ("to", "allowed", "preferred", "message", "deadline_s", "retry", "timeouts", "hedge", "strict", "a")
INSIDE = LEAVES | st.dictionaries(st.sampled_from(SETTINGS), LEAVES, max_size=3)
WHENS = st.recursive(
    st.dictionaries(st.sampled_from([*CONDITIONS, "hour"]), INSIDE, max_size=3),
    lambda inner: st.fixed_dictionaries(
        {}, optional={"any": st.lists(inner, max_size=3) | LEAVES, "not": inner | LEAVES}
    ),
    max_leaves=5,
)
THENS = st.dictionaries(
    st.sampled_from([*EFFECTS, "fly"]),
    LEAVES | st.dictionaries(st.sampled_from(CHANGES), LEAVES, max_size=3),
    max_size=3,
)


@given(
    st.lists(
        st.fixed_dictionaries({"name": st.sampled_from("abc"), "when": WHENS | LEAVES, "then": THENS | LEAVES}),
        max_size=3,
    )
)
def test_any_rules_are_read_or_told_of_with_their_place(rules):
    text = WORLD.replace("rules:\n", "rules: " + json.dumps(rules))
    told: list[str] = []
    try:
        made = loads(text, env={})
    except ConfigurationError as refused:
        told = refused.problems
    else:
        assert len(rulebook_of(made.rules).rules) == len(rules)
    assert all(problem.startswith("understudy.yaml:9:") for problem in told)


def test_rules_are_a_list():
    with pytest.raises(ConfigurationError, match=r"rules: must be a list"):
        loads(WORLD.replace("rules:", "rules: {a: b}"), env={})


def test_there_may_not_be_more_rules_than_can_be_compared():
    [told] = problems(
        *(
            f"{{name: r{number}, when: {{labels: {{a: x{number}}}}}, then: {{strategy: priority}}}}"
            for number in range(501)
        )
    )
    assert "rules: more than 500" in told


def test_a_name_means_one_rule():
    [told] = problems(
        "{name: x, when: {task: code}, then: {strategy: priority}}", "{name: x, then: {balancer: weighted}}"
    )
    assert told.startswith('11:12: rules[1].name: there is a rule "x" already')


FIRST = "{name: first, when: {tokens: {at_least: 10}}, then: {strategy: priority, balancer: weighted}}"
SHADOWED = [
    "{name: late, when: {tokens: {at_least: 100}, task: code}, then: {strategy: failover}}",
    "{name: late, when: {any: [{tokens: {at_least: 50, below: 60}}, {tokens: {at_least: 20}}]}, then: {balancer: round_robin}}",
]
ALIVE = [
    "{name: late, when: {tokens: {at_least: 5}}, then: {strategy: failover}}",
    "{name: late, when: {tokens: {at_least: 10}}, then: {strategy: failover, policy: {strict: true}}}",
    "{name: late, when: {tokens: {at_least: 10}}, then: {strategy: failover, targets: {allowed: [b]}}}",
    "{name: late, priority: 1, when: {tokens: {at_least: 10}}, then: {strategy: failover}}",
    "{name: late, enabled: false, when: {tokens: {at_least: 10}}, then: {strategy: failover}}",
    "{name: late, when: {tokens: {at_least: 10}}, then: {refuse: too long}}",
]


@pytest.mark.parametrize("rule", SHADOWED)
def test_a_rule_that_an_earlier_one_leaves_nothing_to_do_is_an_error(rule):
    [told] = problems(FIRST, rule)
    assert told.startswith('11:5: rules[1]: "late" never has an effect: "first" comes first')


@pytest.mark.parametrize("rule", ALIVE)
def test_a_rule_that_still_does_something_is_none(rule):
    assert len(read(FIRST, rule).rules) == 2


def test_after_a_refusal_nothing_has_an_effect():
    [told] = problems(
        "{name: no, when: {task: code}, then: {refuse: no code}}",
        "{name: late, when: {task: code}, then: {policy: {strict: true}}}",
    )
    assert '"late" never has an effect: "no"' in told


def test_two_earlier_rules_may_leave_nothing_together():
    [told] = problems(
        "{name: one, when: {task: code}, then: {strategy: priority}}",
        "{name: two, when: {task: [code, analysis]}, then: {balancer: weighted}}",
        "{name: late, when: {task: code}, then: {strategy: shuffle, balancer: round_robin}}",
    )
    assert told.startswith('12:5: rules[2]: "late" never has an effect: "one", "two"')


def test_a_route_left_empty_among_others_is_a_warning():
    [warning] = read("{name: x, then: {targets: {allowed: [c]}}}").warnings
    assert "leaves nobody to ask on default" in warning
    assert warning.startswith("understudy.yaml:10:")


def test_a_target_that_only_a_rule_prefers_is_no_stray():
    text = WORLD.replace("[b, c]", "[b]")
    assert loads(text + "  - {name: x, when: {share: 0.05}, then: {targets: {preferred: [c]}}}", env={}).warnings == ()


def test_targets_that_need_no_declaration_may_be_named():
    made = read("{name: x, when: {task: code}, then: {targets: {preferred: [stale_cache]}}}")
    assert "stale_cache" in made.targets


def test_the_examples_rules_load(request):
    path = request.config.rootpath / "examples" / "by-complexity.yaml"
    made = loads(path.read_text(encoding="utf-8"), env={})
    assert made.warnings == ()
    assert len(made.rules) >= 3
    assert textwrap.dedent(made.rules[0].name)
