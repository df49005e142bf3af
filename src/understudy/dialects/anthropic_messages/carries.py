"""What Messages can carry, and the rules of its API that data cannot say: they make valid what is valid elsewhere."""

from __future__ import annotations

from dataclasses import replace

from understudy.core.answer import Answer, Choice, Stop
from understudy.core.conversation import Extra, Role
from understudy.core.projection import Carries, Loss
from understudy.dialects._claude import (
    last_words_without_space,
    sampling_claude_takes,
    schemas_claude_takes,
    stop_sequences_with_words,
    thinking_claude_takes,
)
from understudy.dialects._turns import ids_of_their_own, results_first, someone_speaks
from understudy.dialects.anthropic_messages.wire import NAME, own

MAX_TOKENS = 8192
"""The bound on an answer when the caller gave none: the API insists on one, and every current model allows this."""

# Answers


def one_message(answer: Answer) -> tuple[Answer, tuple[Loss, ...]]:
    """A Message is answer and choice at once: there is exactly one, and it holds every field."""
    choice = answer.choices[0] if answer.choices else Choice(parts=())
    if answer.choices and answer.extra is None:
        return answer, ()
    fields = {**own(answer.extra), **own(choice.extra)}
    choice = replace(choice, extra=Extra(NAME, fields) if fields else None)
    return replace(answer, choices=(choice,), extra=None), ()


REQUEST_CARRIES = Carries(
    dialect=NAME,
    parts={
        Role.SYSTEM: ("text",),
        Role.USER: ("document", "image", "text"),
        Role.ASSISTANT: ("reasoning", "text", "tool_call"),
        Role.TOOL: ("tool_result",),
    },
    sources={"document": ("inline", "plain", "remote", "stored"), "image": ("inline", "remote", "stored")},
    media_types={
        "document": ("application/pdf",),
        "image": ("image/gif", "image/jpeg", "image/png", "image/webp"),
    },
    fields={
        "document": ("citations", "context", "title"),
        "tool": ("strict",),
        "tool_result": ("is_error",),
    },
    cache=("document", "image", "text", "tool", "tool_call", "tool_result"),
    result_parts=("document", "image", "text"),
    blank_texts=False,
    tool_names=r"[a-zA-Z0-9_-]{1,128}",
    settings=(
        "format",
        "max_tokens",
        "parallel_tools",
        "reasoning",
        "stop",
        "temperature",
        "tool_choice",
        "top_k",
        "top_p",
        "user",
    ),
    wire_names={
        "metadata": "user",
        "output_config": "format",
        "output_format": "format",
        "stop_sequences": "stop",
        "thinking": "reasoning",
    },
    renames={Role.DEVELOPER: Role.SYSTEM},
    merges=(Role.ASSISTANT, Role.SYSTEM, Role.USER),
    tool_choices=("auto", "named", "none", "required"),
    parallel_needs_choice=True,
    needs_parameters=True,
    formats=("json_schema",),
    reasoning=("budget_tokens", "display", "effort", "mode"),
    maxima={"temperature": 1},
    defaults={"max_tokens": MAX_TOKENS},
    request_rules=(
        last_words_without_space,
        ids_of_their_own,
        results_first,
        someone_speaks,
        stop_sequences_with_words,
        schemas_claude_takes,
        thinking_claude_takes,
        sampling_claude_takes,
    ),
)

ANSWER_CARRIES = Carries(
    dialect=NAME,
    parts={Role.ASSISTANT: ("reasoning", "text", "tool_call")},
    unsigned_reasoning=True,
    foreign_reasoning="keep",
    choices_max=1,
    stops={Stop.CONTENT_FILTER: Stop.REFUSAL},
    stop_sequence=True,
    usage_folds={"audio_in": "input", "audio_out": "output"},
    usage_required=True,
    answer_rules=(one_message,),
)
