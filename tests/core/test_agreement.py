"""When two answers come to the same."""

from __future__ import annotations

import pytest

from understudy.core.agreement import TEXT_MAX, agreed, evidence, evidence_names, gist, gist_of_text
from understudy.core.answer import Answer, Choice, Stop
from understudy.core.conversation import Refusal, Text, ToolCall


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Thinking it over...\nThe answer is **42**.", "42.0"),
        ("so\n#### 1,200", "$1200"),
        ("hence \\boxed{7}", "Answer: 7"),
        ("Answer: (B) because", "b"),
        ('{"label": "Spam", "n": 1.0}', '```json\n{"n": 1, "label": "Spam "}\n```'),
        ("Positive.", "positive"),
        ("50%", "50"),
    ],
)
def test_answers_that_mean_the_same_agree(one, other):
    assert gist_of_text(one) == gist_of_text(other) is not None


@pytest.mark.parametrize(
    ("one", "other"), [("41", "42"), ("A", "B"), ('{"a": 1}', '{"a": 2}'), ("yes", "no"), ("-3", "3")]
)
def test_answers_that_differ_do_not(one, other):
    assert gist_of_text(one) != gist_of_text(other)


@pytest.mark.parametrize(
    "prose", ["", "x" * (TEXT_MAX + 1), "It depends on a great many things that I cannot list here.", "one\ntwo", "..."]
)
def test_prose_cannot_be_compared(prose):
    assert gist_of_text(prose) is None


def test_one_field_of_a_json_answer_may_be_what_counts():
    assert gist_of_text('{"result": {"label": "A"}, "why": "x"}', "result.label") == gist_of_text(
        '{"result": {"label": "a"}, "why": "y"}', "result.label"
    )
    assert gist_of_text('{"n": [1, 2.0]}', "n") == "json [1,2]"
    assert gist_of_text('{"other": 1}', "n") is None
    assert gist_of_text("[1]", "n") is None
    assert gist_of_text("no JSON", "n") is None
    assert gist_of_text("{broken") is None or "{" in str(gist_of_text("{broken"))


def answer(*parts, stop=Stop.END) -> Answer:
    return Answer(id="a", model="m", choices=(Choice(parts=parts, stop=stop),))


def test_tool_calls_are_compared_by_name_and_arguments():
    one = gist(answer(ToolCall("1", "look", {"b": 1, "a": 2.0}), Text("let me see"), stop=Stop.TOOL_CALLS))
    assert one == gist(answer(ToolCall("9", "look", {"a": 2, "b": 1})))
    assert one != gist(answer(ToolCall("1", "look", {"a": 3, "b": 1})))


def test_what_was_cut_off_or_refused_is_never_compared():
    assert gist(answer(Text("42"))) == "42"
    assert gist(answer(Text("42"), stop=Stop.LENGTH)) is None
    assert gist(answer(Refusal("no"))) is None
    assert gist(Answer(id="a", model="m", choices=())) is None


def test_two_that_agree_are_found():
    assert agreed(["x", None, "y", "x"]) == 0
    assert agreed([None, None]) is None
    assert evidence(["x", "x"], [0, 0]) == (1.0, 1.0, 0.0, 0.0)
    assert evidence(["x", None], [0, 0])[:2] == (0.0, 0.0)
    assert len(evidence_names(2)) == 4
