from __future__ import annotations

from understudy.config.edges import edges
from understudy.config.load import loads

TEXT = """
targets:
  a: {provider: openai, model: a}
  b: {provider: openai, model: b}
  c: {provider: openai, model: c}
  s: {provider: static, text: Sorry}
routes:
  r: {tiers: {primary: [a, s, b], emergency: [stale_cache, c]}, policy: {attempts_max: %d}}
"""


def steps(attempts_max: int):
    return edges(loads(TEXT % attempts_max, env={}))


def test_the_steps_are_those_of_a_request_for_which_everything_fails():
    assert [(step.origin, step.target, step.tier, step.degraded) for step in steps(6)] == [
        (None, "a", "primary", False),
        ("a", "b", "primary", False),
        ("b", "s", "primary", True),
        ("s", "stale_cache", "emergency", True),
        ("stale_cache", "c", "emergency", True),
    ]
    assert all(step.reachable for step in steps(3))


def test_a_target_beyond_the_attempts_is_not_reachable_and_stand_ins_are_free():
    found = {step.target: step.reachable for step in steps(2)}
    assert found == {"a": True, "b": True, "s": True, "stale_cache": True, "c": False}
    assert next(step.why for step in steps(2) if step.target == "c").startswith("attempts_max is 2")
