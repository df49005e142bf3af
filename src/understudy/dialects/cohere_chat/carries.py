"""What Cohere's chat can carry, and the rules of its API that data cannot say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from understudy.core.answer import Answer, Choice
from understudy.core.conversation import (
    Conversation,
    Message,
    Part,
    Reasoning,
    ReasoningSettings,
    Role,
    Settings,
    Text,
    Tool,
    ToolCall,
)
from understudy.core.projection import COSMETIC, LOSSY, Carries, Loss, settled_stop
from understudy.dialects._turns import someone_speaks
from understudy.dialects.cohere_chat.wire import FOLDS, NAME

Ruled = tuple[Conversation, tuple[Loss, ...]]
_Lost = dict[Loss, None]


def plans_before_calls(conversation: Conversation) -> Ruled:
    """Words of a turn that calls tools are its plan, one text right before the calls; nobody seals a thought here."""
    lost: _Lost = {}
    messages = tuple(
        replace(message, parts=_spoken(message.parts, "messages", lost)) if message.role is Role.ASSISTANT else message
        for message in conversation.messages
    )
    kept = tuple(message for message in messages if message.parts or message.extra is not None)
    if kept == conversation.messages:
        return conversation, tuple(lost)
    return replace(conversation, messages=_without_seams(kept)), tuple(lost)


def _without_seams(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """The same with results together that an empty turn stood between."""
    settled: list[Message] = []
    for message in messages:
        last = settled[-1] if settled else None
        if last is not None and last.role is message.role is Role.TOOL:
            settled[-1] = Message(Role.TOOL, last.parts + message.parts)
        else:
            settled.append(message)
    return tuple(settled)


def _spoken(parts: tuple[Part, ...], where: str, lost: _Lost) -> tuple[Part, ...]:
    thoughts, said = "", []
    for part in parts:
        if isinstance(part, Reasoning):
            if part.signed_by is not None:
                lost[Loss(f"{where}.reasoning.signature", COSMETIC)] = None
            thoughts += part.text
        else:
            said.append(part)
    thought: tuple[Part, ...] = (Reasoning(thoughts),) if thoughts else ()
    calls = [part for part in said if isinstance(part, ToolCall)]
    if not calls:
        return (*thought, *said)
    plan = "".join(part.text for part in said if isinstance(part, Text))
    others = [part for part in said if not isinstance(part, Text | ToolCall)]
    return (*thought, *others, *((Text(plan),) if plan else ()), *calls)


def thinking_with_a_switch(conversation: Conversation) -> Ruled:
    """A budget belongs to thinking that is on. To think as it likes is what a model does that was told nothing."""
    asked = conversation.settings.reasoning
    if asked is None:
        return conversation, ()
    budget = asked.budget_tokens or None
    mode = asked.mode
    if asked.budget_tokens == 0 or mode == "disabled":
        budget, mode = None, "disabled"
    elif budget is not None:
        mode = "enabled"
    elif mode == "adaptive":
        mode = None
    settled = ReasoningSettings(budget_tokens=budget, mode=mode)
    return _with(conversation, reasoning=None if settled == ReasoningSettings() else settled), ()


def strict_all_or_none(conversation: Conversation) -> Ruled:
    """One switch holds for all tools, and wants each of them to require something (docs.cohere.com/docs/structured-outputs)."""
    tools = [tool for tool in conversation.tools if isinstance(tool, Tool)]
    asked = [tool.strict for tool in tools]
    if not any(held is not None for held in asked):
        return conversation, ()
    if all(asked) and all(tool.parameters and tool.parameters.get("required") for tool in tools):
        return conversation, ()
    loose = tuple(replace(tool, strict=None) if isinstance(tool, Tool) else tool for tool in conversation.tools)
    return replace(conversation, tools=loose), (Loss("tools.strict", LOSSY),) if any(asked) else ()


def no_shape_beside_tools(conversation: Conversation) -> Ruled:
    """The API refuses `response_format` beside tools (docs.cohere.com/reference/chat)."""
    form = conversation.settings.format
    if form is None or not conversation.tools:
        return conversation, ()
    lost = () if form.kind == "text" else (Loss("response_format", LOSSY),)
    return _with(conversation, format=None), lost


_LEAST = {"frequency_penalty": 0, "presence_penalty": 0, "seed": 0, "top_p": 0.01}


def within_its_bounds(conversation: Conversation) -> Ruled:
    """Nothing below the least that the API takes."""
    settings = conversation.settings
    below = {
        name: least for name, least in _LEAST.items() if (held := getattr(settings, name)) is not None and held < least
    }
    if not below:
        return conversation, ()
    return _with(conversation, **below), tuple(Loss(name, LOSSY) for name in below)


def _with(conversation: Conversation, **settings: Any) -> Conversation:
    held: Settings = replace(conversation.settings, **settings)
    return replace(conversation, settings=held)


# Answers


def answers_in_its_words(answer: Answer) -> tuple[Answer, tuple[Loss, ...]]:
    """Plans before calls, reasons in the API's words; which model it was the API does not say."""
    lost: _Lost = {}
    choices = tuple(_in_its_words(choice, lost) for choice in answer.choices)
    if answer.model:
        lost[Loss("model", COSMETIC)] = None
    return replace(answer, model="", choices=choices), tuple(lost)


def _in_its_words(choice: Choice, lost: _Lost) -> Choice:
    parts = _spoken(choice.parts, "content", lost)
    stop = None if choice.stop is None else settled_stop(FOLDS.get(choice.stop, choice.stop), parts)
    return replace(choice, parts=parts, stop=stop)


_ORDER = (("reasoning",), ("text",), ("tool_call",))

REQUEST_CARRIES = Carries(
    dialect=NAME,
    parts={
        Role.SYSTEM: ("text",),
        Role.USER: ("image", "text"),
        Role.ASSISTANT: ("reasoning", "text", "tool_call"),
        Role.TOOL: ("tool_result",),
    },
    sources={"image": ("inline", "remote")},
    media_types={"image": ("image/gif", "image/jpeg", "image/png", "image/webp")},
    fields={"image": ("detail",), "tool": ("strict",)},
    moves_result_media=True,
    unsigned_reasoning=True,
    order=_ORDER,
    joins=("reasoning", "text"),
    bare_texts=True,
    tool_ids=r"(?s:.+)",
    tool_names=r"[a-zA-Z_][a-zA-Z0-9_]{0,63}",
    settings=(
        "format", "frequency_penalty", "max_tokens", "presence_penalty", "reasoning", "seed", "stop", "temperature",
        "tool_choice", "top_k", "top_p",
    ),
    wire_names={
        "k": "top_k",
        "p": "top_p",
        "response_format": "format",
        "stop_sequences": "stop",
        "thinking": "reasoning",
    },
    renames={Role.DEVELOPER: Role.SYSTEM},
    tool_choices=("none", "required"),
    server_tools=False,
    needs_parameters=True,
    formats=("json_object", "json_schema", "text"),
    reasoning=("budget_tokens", "mode"),
    maxima={"frequency_penalty": 1, "presence_penalty": 1, "top_k": 500, "top_p": 0.99},
    lengths={"stop": 5},
    request_rules=(
        plans_before_calls,
        someone_speaks,
        thinking_with_a_switch,
        strict_all_or_none,
        no_shape_beside_tools,
        within_its_bounds,
    ),
)  # fmt: skip

ANSWER_CARRIES = Carries(
    dialect=NAME,
    parts={Role.ASSISTANT: ("reasoning", "text", "tool_call")},
    unsigned_reasoning=True,
    foreign_reasoning="unseal",
    order=_ORDER,
    joins=("reasoning", "text"),
    bare_texts=True,
    tool_ids=r"(?s:.+)",
    choices_max=1,
    usage_folds={
        "audio_in": "input",
        "audio_out": "output",
        "cache_read": "input",
        "cache_write_1h": "input",
        "cache_write_5m": "input",
    },
    answer_rules=(answers_in_its_words,),
)
