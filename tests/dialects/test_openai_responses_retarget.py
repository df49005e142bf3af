"""Requests of Responses that stay in Responses: what of the caller's own bytes a provider may be sent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from understudy.core.projection import NO_SEALS
from understudy.core.request import Call
from understudy.dialects import BadBody, Quirks
from understudy.dialects.openai_responses import DIALECT
from understudy.dialects.openai_responses.seals import announced

THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAAx"}
WORDS = {"role": "assistant", "content": "well"}


def sent(input_: Any = "hi", quirks: Quirks | None = None, **fields: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    body = json.dumps({"model": "r", "input": input_, **fields}).encode()
    call = Call(dialect=DIALECT.name, needs=DIALECT.needs(body), body=body)
    fitted, lost = DIALECT.retarget(call, "m", quirks or Quirks())
    return json.loads(fitted), lost


def test_a_body_goes_as_it_came_but_for_the_model():
    body, lost = sent([THOUGHT, WORDS], previous_response_id="resp_1", x_new=[1.50])
    assert body == {"model": "m", "input": [THOUGHT, WORDS], "previous_response_id": "resp_1", "x_new": [1.5]}
    assert not lost


def test_thinking_that_another_dialect_sealed_stays_behind_and_that_is_said():
    foreign = {**THOUGHT, "encrypted_content": announced("anthropic_messages") + "W251bGwsbnVsbF0="}
    body, lost = sent([foreign, THOUGHT, WORDS])
    assert body["input"] == [THOUGHT, WORDS]
    assert lost == ("input.reasoning",)


@pytest.mark.parametrize(
    ("seals", "kept"), [(r"gAAAA.*", True), (r"(?!gAAAA|rsn_).+", False), (NO_SEALS, False), (None, True)]
)
def test_a_provider_is_sent_no_seal_that_it_cannot_read(seals, kept):
    body, lost = sent([THOUGHT, WORDS], Quirks(seals=seals))
    assert (THOUGHT in body["input"]) == kept
    assert lost == (() if kept else ("input.reasoning",))


def test_thinking_without_a_seal_is_everybodys():
    bare = {"type": "reasoning", "id": "rs_1", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]}
    body, lost = sent([bare, THOUGHT], Quirks(seals=NO_SEALS))
    assert body["input"] == [bare]
    assert lost


def test_a_compaction_is_no_thinking():
    compaction = {"type": "compaction", "encrypted_content": "gAAAAx"}
    assert sent([compaction], Quirks(seals=NO_SEALS)) == ({"model": "m", "input": [compaction]}, ())


def test_ids_that_we_made_are_not_looked_up_by_the_provider():
    made = {"type": "message", "id": "msg_understudy_0123", "role": "assistant", "content": "well"}
    real = {"type": "message", "id": "msg_1", "role": "assistant", "content": "well"}
    body, lost = sent([made, real])
    assert body["input"] == [{name: held for name, held in made.items() if name != "id"}, real]
    assert not lost


def test_roles_are_written_as_the_provider_knows_them():
    body, _ = sent([{"role": "developer", "content": "a"}], Quirks(roles=(("developer", "system"),)))
    assert body["input"] == [{"role": "system", "content": "a"}]
    assert sent("hi", Quirks(roles=(("developer", "system"),)))[0]["input"] == "hi"


def test_an_effort_becomes_the_nearest_and_sampling_goes_while_it_thinks():
    quirks = Quirks(efforts=("low", "high"), refuses_thinking=("temperature",))
    body, lost = sent(reasoning={"effort": "xhigh", "summary": "auto"}, temperature=1, quirks=quirks)
    assert body["reasoning"] == {"effort": "high", "summary": "auto"}
    assert "temperature" not in body
    assert set(lost) == {"reasoning.effort", "temperature"}
    assert sent(temperature=1, quirks=quirks)[1] == ()


def test_fields_are_dropped_renamed_and_set():
    quirks = Quirks(drop=("store", "model"), names=(("user", "user_id"),), fields=(("x_set", 1),))
    body, lost = sent(store=True, user="u", quirks=quirks)
    assert body == {"input": "hi", "user_id": "u", "x_set": 1}
    assert lost == ("store",)


def test_an_entry_of_include_is_dropped_alone():
    quirks = Quirks(drop=("include.a", "include.b"))
    assert sent(include=["a", "c", "b"], quirks=quirks) == (
        {"model": "m", "input": "hi", "include": ["c"]},
        ("include.a", "include.b"),
    )
    assert sent(include=None, quirks=quirks)[1] == sent(quirks=quirks)[1] == ()


@pytest.mark.parametrize("input_", ['[{"encrypted_content": "understudy:"', "[" * 100_000])
def test_an_input_that_cannot_be_read_is_refused(input_):
    body = b'{"model": "r", "input": ' + input_.encode()
    with pytest.raises(BadBody):
        DIALECT.retarget(Call(dialect=DIALECT.name, needs=None, body=body), "m", Quirks())  # type: ignore[arg-type]
