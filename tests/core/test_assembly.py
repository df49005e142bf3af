"""A stream's events, put together: what is one part, what the grammar forbids, how arguments are read."""

from __future__ import annotations

import pytest
from hypothesis import given

from strategies import alternatives, answers, told, usages, values
from understudy.core.answer import (
    Answer,
    Begin,
    Choice,
    End,
    Failed,
    Field,
    Finish,
    PartBegin,
    PartDelta,
    PartEnd,
    PartExtra,
    Stop,
    UsageSeen,
)
from understudy.core.assembly import Assembly, Ungrammatical, assemble, merged, read_arguments, write_arguments
from understudy.core.conversation import Extra, Opaque, Reasoning, Refusal, Text, ToolCall
from understudy.core.failure import Failure, FailureKind
from understudy.core.usage import Usage

BEGIN = Begin(id="i", model="m", created=5)
DONE = (Finish(choice=0, stop=Stop.END), End())


def put_together(*events) -> Answer:
    return assemble([BEGIN, *events])


def parts_of(*events):
    return put_together(*events, *DONE).choices[0].parts


@given(answers)
def test_a_told_answer_is_the_answer_again(answer):
    plain = [choice for choice in answer.choices if choice.stop is not None]
    answer = Answer(id=answer.id, model=answer.model, choices=tuple(plain), usage=answer.usage, created=answer.created)
    for interleaved in (False, True):
        assert assemble(told(answer, interleaved=interleaved)) == answer


def test_pieces_of_a_part_are_added_up():
    assert parts_of(
        PartBegin(0, 0, Reasoning("a", signed_by="x")),
        PartDelta(0, 0, Field.TEXT, "b"),
        PartDelta(0, 0, Field.SIGNATURE, "s1"),
        PartDelta(0, 0, Field.SIGNATURE, "s2"),
        PartDelta(0, 0, Field.DATA, "d"),
        PartEnd(0, 0),
        PartBegin(0, 1, Text("c")),
        PartDelta(0, 1, Field.TEXT, "d"),
        PartBegin(0, 2, Refusal("e")),
        PartDelta(0, 2, Field.TEXT, "f"),
        PartBegin(0, 3, ToolCall("1", "f", '{"a"')),
        PartDelta(0, 3, Field.ARGUMENTS, ": 1}"),
    ) == (Reasoning("ab", "s1s2", "d", "x"), Text("cd"), Refusal("ef"), ToolCall("1", "f", {"a": 1}))


def test_thinking_whose_seal_never_came_is_unsealed():
    assert parts_of(PartBegin(0, 0, Reasoning("a", signed_by="x"))) == (Reasoning("a"),)


def test_arguments_that_came_whole_stay_as_they_are():
    assert parts_of(PartBegin(0, 0, ToolCall("1", "f", {"a": 1}))) == (ToolCall("1", "f", {"a": 1}),)
    assert parts_of(PartBegin(0, 0, ToolCall("1", "f", ""))) == (ToolCall("1", "f", {}),)
    assert parts_of(PartBegin(0, 0, Opaque("x", "k", 3))) == (Opaque("x", "k", 3),)


def test_fields_that_come_later_lie_on_top():
    opened = Text("a", extra=Extra("x", {"citations": [1], "n": 1}))
    more = PartExtra(0, 0, Extra("x", {"citations": [2], "n": 2}))
    assert parts_of(PartBegin(0, 0, opened), more)[0].extra == Extra("x", {"citations": [1, 2], "n": 2})
    assert merged(None, [Extra("x", {"a": 1})]) == Extra("x", {"a": 1})
    assert merged(Extra("x", {"a": 1}), [Extra("y", {"b": 1})]) == Extra("y", {"b": 1})


def test_the_last_usage_counts():
    answer = put_together(UsageSeen(Usage(input=1)), UsageSeen(Usage(input=2)), *DONE)
    assert answer.usage == Usage(input=2)


def test_an_error_is_kept_beside_what_was_said():
    assembly = Assembly()
    failure = Failure(FailureKind.OVERLOADED, "too much")
    for event in (BEGIN, PartBegin(0, 0, Text("half")), Failed(failure)):
        assembly.add(event)
    assert assembly.failure == failure
    assert assembly.answer().choices == (Choice(parts=(Text("half"),)),)


@pytest.mark.parametrize(
    "events",
    [
        (),
        (PartBegin(0, 0, Text("")),),
        (BEGIN, BEGIN),
        (BEGIN, PartBegin(0, 0, Text("")), PartBegin(0, 0, Text(""))),
        (BEGIN, PartDelta(0, 0, Field.TEXT, "a")),
        (BEGIN, PartBegin(0, 0, Text("")), PartEnd(0, 0), PartDelta(0, 0, Field.TEXT, "a")),
        (BEGIN, *DONE, PartBegin(0, 0, Text(""))),
        (BEGIN, DONE[0], DONE[0]),
    ],
)
def test_what_the_grammar_forbids_is_refused(events):
    with pytest.raises(Ungrammatical):
        assemble(events)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("", {}),
        ("  ", {}),
        ("null", {}),
        ('{"a": 1}', {"a": 1}),
        ('"{\\"a\\": 1}"', {"a": 1}),
        ('{"INVALID_JSON": "{broken"}', "{broken"),
        ('{"INVALID_JSON": {}}', {"INVALID_JSON": {}}),
        ("{broken", "{broken"),
        ("[1]", [1]),
        ("3", 3),
        ('{"a": NaN}', '{"a": NaN}'),
        ('{"a": 1e999}', '{"a": 1e999}'),
        ('{"a": 1.5}', {"a": 1.5}),
        ('"\\ud83d"', '"\\ud83d"'),
        ('"\\ud83c\\udfad"', "🎭"),
        ("[" * 100_000, "[" * 100_000),
    ],
)
def test_arguments_are_read_leniently_and_never_encoded_twice(written, read):
    assert read_arguments(written) == read
    assert read_arguments(write_arguments(read)) == read


@given(values)
def test_arguments_survive_being_written(value):
    canonical = read_arguments(write_arguments(value))
    assert read_arguments(write_arguments(canonical)) == canonical


@given(usages)
def test_usage_classes_never_overlap(usage):
    assert usage.prompt + usage.completion == usage.total


@given(alternatives)
def test_alternatives_are_drawn_with_parts_that_compare(choice):
    assert choice == Choice(
        parts=choice.parts,
        stop=choice.stop,
        stop_native=choice.stop_native,
        stop_sequence=choice.stop_sequence,
        extra=choice.extra,
    )
