"""What a stream loses in a wire format, noted event by event."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from strategies import answers, told
from understudy.core.assembly import assemble
from understudy.core.projection import Unsaid, project_answer
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
