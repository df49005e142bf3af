"""Token counting, made of a form and a dialect: the question is a conversation, the answer a number."""

from __future__ import annotations

import json

import pytest

from understudy.core.failure import FailureKind
from understudy.core.projection import project_request
from understudy.core.request import Call, Operation
from understudy.dialects import BadAnswer, BadBody, CountForm, ErrorReport, Quirks
from understudy.dialects._counting import Counting
from understudy.engine.crossing import CROSSINGS
from understudy.wiring import make_dialects

DIALECTS = make_dialects()
COUNT = DIALECTS["anthropic_count_tokens"]
BODY = json.dumps(
    {
        "model": "m",
        "system": "Be brief.",
        "messages": [{"role": "user", "content": "Why is the sky blue?"}],
        "tools": [{"name": "look", "input_schema": {"type": "object"}}],
    }
).encode()


def test_it_needs_what_the_conversation_would_need():
    needs, whole = COUNT.needs(BODY), DIALECTS["anthropic_messages"].needs(BODY)
    assert needs.operation is Operation.COUNT
    assert (needs.model, needs.tokens_in, needs.features) == (whole.model, whole.tokens_in, ("tools",))
    with pytest.raises(BadBody):
        COUNT.needs(b"{}")


def test_what_concerns_the_answer_is_no_part_of_the_question():
    call = Call(dialect=COUNT.name, needs=COUNT.needs(BODY), body=BODY)
    fitted, dropped = COUNT.retarget(call, "theirs", Quirks(fields=(("max_tokens", 9),), max_tokens_field="max_tokens"))
    assert json.loads(fitted) == json.loads(BODY) | {"model": "theirs"}
    assert dropped == ()
    written = json.loads(COUNT.render_request(COUNT.parse_request(BODY)))
    assert set(written) == {"model", "system", "messages", "tools"}


def test_a_question_crosses_between_formats_like_a_conversation():
    form = CountForm(
        of="openai_chat",
        inbound=(),
        keeps=("model", "messages", "tools"),
        field="tokens",
        besides=(("object", "count"),),
    )
    other = Counting("other", form, DIALECTS["openai_chat"])  # type: ignore[arg-type]
    crossing = CROSSINGS[Operation.COUNT]
    asked, _, _ = crossing.project(COUNT.parse_request(BODY), other.request_carries)
    written = json.loads(other.render_request(asked))
    assert set(written) == {"model", "messages", "tools"}
    assert written["messages"][0] == {"role": "system", "content": "Be brief."}
    back, _ = project_request(other.parse_request(json.dumps(written).encode()), COUNT.request_carries)
    assert json.loads(COUNT.render_request(back))["messages"][0]["role"] == "user"
    counted, lost = crossing.fit(other.parse_answer(b'{"tokens": 7}'), None, None)
    assert lost == ()
    assert json.loads(COUNT.render_answer(counted)) == {"input_tokens": 7}
    assert json.loads(other.render_answer(7)) == {"tokens": 7, "object": "count"}


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"\xff", b"{}", b'{"input_tokens": -1}', b'{"input_tokens": true}', b'{"input_tokens": "7"}']
)
def test_what_holds_no_count_is_a_bad_answer(body):
    for read in (COUNT.parse_answer, COUNT.glance):
        with pytest.raises(BadAnswer):
            read(body)


def test_an_error_in_a_200_is_seen():
    failure = COUNT.glance(b'{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}').failure
    assert failure is not None
    assert failure.kind is FailureKind.OVERLOADED


def test_errors_are_told_in_the_dialects_envelope():
    failure = COUNT.glance(b'{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}').failure
    assert failure is not None
    told = json.loads(COUNT.render_error(ErrorReport(failure=failure)))
    assert (told["type"], told["error"]["type"]) == ("error", "overloaded_error")
