"""One question to several targets at once: all answers, what they took, and nobody's failure raised."""

from __future__ import annotations

import pytest

from understudy import BadRequest, Router, SyncRouter

QUICK = {"provider": "simulated", "headers_s": 0, "first_content_s": 0, "word_s": 0, "price": {"input": 1, "output": 2}}
TARGETS = {
    "ann": {**QUICK, "text": "it scatters"},
    "bob": {**QUICK, "text": "it is painted"},
    "ill": {**QUICK, "faults": ["outage"]},
    "sorry": {"provider": "static", "text": "later"},
}
ROUTES = {"default": {"tiers": {"primary": ["ann", "bob"], "emergency": ["sorry"]}}}


async def test_all_targets_of_a_route_answer_side_by_side():
    async with Router(targets=TARGETS, routes=ROUTES) as router:
        ann, bob = await router.compare("default", "Why is the sky blue?")
        assert (ann.target, ann.answer.text) == ("ann", "it scatters")
        assert (bob.target, bob.answer.text) == ("bob", "it is painted")
        assert ann.cost > 0
        assert ann.seconds >= 0
        assert router.costs().cost == ann.cost + bob.cost


async def test_a_failure_stands_in_its_place():
    async with Router(targets=TARGETS, routes=ROUTES) as router:
        ill, bob = await router.compare(["ill", "bob"], "Why?", deadline_s=0.5)
        assert ill.answer is None
        assert ill.failure is not None
        assert ill.attempts
        assert bob.answer.text == "it is painted"


@pytest.mark.parametrize("asked", [["ann", "zoe"], [], "zoe"])
async def test_an_unknown_name_is_the_callers_mistake(asked):
    async with Router(targets=TARGETS, routes=ROUTES) as router:
        with pytest.raises(BadRequest, match="there are: ann, bob"):
            await router.compare(asked, "Why?")


def test_it_works_without_a_loop_too():
    with SyncRouter(targets=TARGETS, routes=ROUTES) as router:
        assert [one.target for one in router.compare(["bob", "ann"], "Why?")] == ["bob", "ann"]
