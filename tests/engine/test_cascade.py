"""Cascades as they are performed: whole and streamed, nothing before the judgement, everything booked."""

from __future__ import annotations

import json

import pytest

from understudy.config.canonical import text_of
from understudy.config.load import loads
from understudy.core.prompts.heads import FORMAT
from understudy.errors import ConfigurationError
from understudy.library.router import Router

TEXT = """
targets:
  ann: {provider: %s, price: {input: 1, output: 1}}
  bob: {provider: %s, price: {input: 1, output: 1}}
  eve: {provider: simulated, text: "the strong one says 9", headers_s: 0, first_content_s: 0, word_s: 0, price: {input: 10, output: 10}}
routes:
  default: {tiers: {primary: [ann, bob, eve]}, policy: {cascade: {ask: [ann, bob]}}}
"""


def router(one: str, other: str) -> Router:
    def played(text):
        return f'simulated, text: "{text}", headers_s: 0, first_content_s: 0, word_s: 0'

    return Router(configuration=loads(TEXT % (played(one), played(other)), env={}))


async def test_drafts_that_agree_answer_and_both_are_paid_for():
    async with router("Answer: 42", "42") as play:
        answer = await play.chat("default", "What is six times seven?")
        assert (answer.text, answer.target, answer.result.cascade) == ("Answer: 42", "ann", "agreed")
        assert sorted(one.target for one in answer.attempts) == ["ann", "bob"]
        assert all(one.good and one.cost_nusd for one in answer.attempts)
        assert answer.cost == play.costs().cost
        assert all(one.in_flight == 0 for one in play.health().values())


async def test_drafts_that_do_not_are_followed_by_the_strong_one_and_all_three_are_paid_for():
    async with router("Answer: 42", "41") as play:
        answer = await play.chat("default", "What is six times seven?")
        assert (answer.target, answer.result.cascade) == ("eve", "disagreed")
        assert sorted(one.target for one in answer.attempts) == ["ann", "bob", "eve"]
        assert answer.cost == play.costs().cost


@pytest.mark.parametrize(("other", "text"), [("42", "Answer: 42"), ("41", "the strong one says 9")])
async def test_a_stream_begins_after_the_judgement(other, text):
    async with router("Answer: 42", other) as play:
        stream = play.stream("default", "What is six times seven?")
        said = "".join([chunk.text async for chunk in stream])
        assert said == text == stream.answer.text


def test_the_configuration_says_what_is_wrong_with_a_cascade():
    for ask, words in (
        ("[ann]", "needs two targets"),
        ("[ann, ann]", "twice"),
        ("[ann, bob, eve]", "leaves nobody"),
        ("[ann, zoe]", "no tier"),
    ):
        text = TEXT % ("simulated", "simulated")
        with pytest.raises(ConfigurationError, match=words):
            loads(text.replace("ask: [ann, bob]", f"ask: {ask}"), env={})


async def test_the_configuration_survives_being_written_out(tmp_path):
    heads = {
        "names": ["a", "b", "c", "d"],
        "mean": [0] * 4,
        "scale": [1] * 4,
        "weak": [0] * 5,
        "strong": [0] * 5,
        "reach": 9,
    }
    gate = {"format": FORMAT, "reads": "drafts", "weak": "ann", "besides": ["bob"], "strong": "eve", "quality": 0.9}
    (tmp_path / "gate.json").write_text(json.dumps(gate | {"heads": heads, "thresholds": [[0.9, 0.1]]}))
    text = (TEXT % ("simulated", "simulated")).replace("ask: [ann, bob]", "ask: [ann, bob], gate: gate.json")
    made = loads(text, source=str(tmp_path / "understudy.yaml"), env={})
    again = loads(text_of(made), env={})
    assert again.version == made.version
    assert again.routes["default"].policy.cascade.gate.threshold() == 0.1
    async with Router(configuration=made) as play:
        answer = await play.chat("default", "Anything?")
        assert (answer.target, answer.result.cascade) == ("ann", "trusted")
