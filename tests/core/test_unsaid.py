"""What a stream loses in a wire format, noted event by event."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies import answers, told
from understudy.core.answer import Answer, Begin, Choice, PartBegin, PartEnd, PartExtra
from understudy.core.assembly import assemble
from understudy.core.conversation import Extra, Reasoning, Text, ToolCall
from understudy.core.projection import COSMETIC, LOSSY, Loss, Unsaid, project_answer
from understudy.core.projection.unsaid import LOSSES_MAX
from understudy.dialects import Dialect
from understudy.registry import Registry

DIALECTS: Registry[Dialect] = Registry("understudy.dialects", "DIALECT", kind="dialect")
NAMES = (
    "anthropic_messages",
    "bedrock_converse",
    "cohere_chat",
    "gemini",
    "ollama_chat",
    "openai_chat",
    "openai_responses",
)
BY_THE_WHOLE = ("created",)
"""Told of a whole answer alone."""


@given(st.sampled_from(NAMES), answers, st.booleans())
def test_a_stream_loses_what_the_whole_answer_would(name, answer, interleaved):
    carries = replace(DIALECTS.entry(name).answer_carries, answer_rules=())
    events = told(answer, interleaved=interleaved)
    unsaid = Unsaid(carries)
    for event in events:
        unsaid.see(event)
    _, losses = project_answer(assemble(events), carries)
    assert set(unsaid.report()) == {loss for loss in losses if loss.name not in BY_THE_WHOLE}


@pytest.mark.parametrize(
    ("part", "name"),
    [
        (Text(""), "content.citations"),
        (Reasoning(""), "content.reasoning.citations"),
        (ToolCall("i", "f", ""), "content.citations"),
    ],
)
def test_fields_that_come_late_are_lost_where_their_part_stands(part, name):
    unsaid = Unsaid(DIALECTS.entry("gemini").answer_carries)
    late = PartExtra(0, 0, Extra("cohere_chat", {"citations": [1]}))
    for event in (Begin(id="i", model="m"), PartBegin(0, 0, part), late, late, PartEnd(0, 0)):
        unsaid.see(event)
    assert unsaid.report() == (Loss(name, COSMETIC),)


def test_a_stream_that_invents_a_field_in_every_event_is_not_remembered_without_end():
    unsaid = Unsaid(DIALECTS.entry("gemini").answer_carries)
    unsaid.see(PartBegin(0, 0, Text("")))
    for number in range(5 * LOSSES_MAX):
        unsaid.see(PartExtra(0, 0, Extra("cohere_chat", {f"field{number}": 1})))
    assert len(unsaid.report()) == LOSSES_MAX


def test_what_stands_in_a_message_of_its_own_is_named_one_by_one():
    extra = Extra("openai_chat", {"message": {"audio": {"id": "x"}, "annotations": [1]}, "logprobs": {"content": [1]}})
    answer = Answer(id="i", model="m", choices=(Choice(parts=(), extra=extra),))
    _, losses = project_answer(answer, DIALECTS.entry("gemini").answer_carries)
    assert losses == (
        Loss("choices.message.audio", LOSSY),
        Loss("choices.message.annotations", COSMETIC),
        Loss("choices.logprobs", LOSSY),
    )
