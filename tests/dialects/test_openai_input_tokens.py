"""OpenAI's token counting: what of a request of Responses is part of the question."""

from __future__ import annotations

import json

import pytest

from understudy.core.request import Call, Operation
from understudy.core.target import Target
from understudy.dialects import BadBody
from understudy.providers import endpoint, facts
from understudy.wiring import make_dialects

COUNT = make_dialects()["openai_input_tokens"]
BODY = json.dumps({"model": "m", "input": "Why is the sky blue?", "instructions": "Be brief."}).encode()


def test_a_question_is_passed_on_as_it_came():
    needs = COUNT.needs(BODY)
    assert needs.operation is Operation.COUNT
    target = Target(name="t", provider="openai", model="gpt-5", base_url="http://x/v1", counts=(COUNT.name,))
    quirks = endpoint(target, COUNT.name).quirks
    fitted, dropped = COUNT.retarget(Call(dialect=COUNT.name, needs=needs, body=BODY), "gpt-5", quirks)
    assert json.loads(fitted) == {**json.loads(BODY), "model": "gpt-5"}
    assert not dropped
    with pytest.raises(BadBody):
        COUNT.needs(b"{}")


def test_what_concerns_the_answer_is_no_part_of_the_question():
    asked = COUNT.parse_request(json.dumps({**json.loads(BODY), "temperature": 1, "max_output_tokens": 20}).encode())
    quirks = next(wire for wire in facts("openai").wires if wire.dialect == COUNT.name).quirks_for("gpt-5")
    assert set(json.loads(COUNT.render_request(asked, quirks))) == {"model", "input", "instructions"}


def test_the_answer_says_what_it_is():
    assert json.loads(COUNT.render_answer(18)) == {"input_tokens": 18, "object": "response.input_tokens"}
    assert COUNT.parse_answer(b'{"input_tokens":18,"object":"response.input_tokens"}') == 18
