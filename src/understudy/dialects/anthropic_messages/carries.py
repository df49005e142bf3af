"""What Messages can carry, and the rules of its API that data cannot say.

The rules make valid what is valid elsewhere. Where two wishes of the caller exclude each other, what was asked for
expressly wins: a forced tool over thinking, thinking over temperature.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

from understudy.core.answer import Answer, Choice, Stop
from understudy.core.conversation import (
    Conversation,
    Extra,
    Format,
    Message,
    Opaque,
    Reasoning,
    ReasoningSettings,
    Role,
    Text,
    Tool,
    ToolCall,
)
from understudy.core.projection import COSMETIC, LOSSY, Carries, Loss, budget_of
from understudy.core.value import JsonObject
from understudy.dialects.anthropic_messages.wire import NAME, own

MAX_TOKENS = 8192
"""The bound on an answer when the caller gave none: the API insists on one, and every current model allows this."""

BUDGET_MIN = 1024
"""The smallest budget of thinking tokens that the API takes."""

Ruled = tuple[Conversation, tuple[Loss, ...]]


def results_first(conversation: Conversation) -> Ruled:
    """Tool results stand before the words of their user turn: the API looks for them right behind the calls."""
    messages = conversation.messages
    if not any(left.role is Role.USER and right.role is Role.TOOL for left, right in pairwise(messages)):
        return conversation, ()
    ordered: list[Message] = []
    turn: list[Message] = []
    for message in messages:
        if message.role in {Role.USER, Role.TOOL} and message.extra is None:
            turn.append(message)
        else:
            ordered += [*_turn_in_order(turn), message]
            turn = []
    ordered += _turn_in_order(turn)
    return replace(conversation, messages=tuple(ordered)), ()


def _turn_in_order(turn: list[Message]) -> list[Message]:
    gathered = []
    for role in (Role.TOOL, Role.USER):
        parts = tuple(part for message in turn if message.role is role for part in message.parts)
        if parts:
            gathered.append(Message(role, parts))
    return gathered


def someone_speaks(conversation: Conversation) -> Ruled:
    """A conversation of system turns alone becomes a user's turn: the API wants at least one message."""
    messages = conversation.messages
    if len(messages) != 1 or messages[0].role is not Role.SYSTEM:
        return conversation, ()
    only = messages[0]
    if not all(isinstance(part, Text) for part in only.parts):
        return conversation, ()
    return replace(conversation, messages=(replace(only, role=Role.USER),)), (Loss("messages.role", LOSSY),)


def words_to_read(conversation: Conversation) -> Ruled:
    """Texts of white space alone are left out: the API refuses them, and they say nothing."""
    if not any(_blank(part) for message in conversation.messages for part in message.parts):
        return conversation, ()
    kept: list[Message] = []
    for message in conversation.messages:
        parts = tuple(part for part in message.parts if not _blank(part))
        if parts or message.extra is not None:
            joins = kept and kept[-1].role is message.role and kept[-1].extra is None and message.extra is None
            if joins:
                kept[-1] = replace(message, parts=kept[-1].parts + parts)
            else:
                kept.append(replace(message, parts=parts))
    return replace(conversation, messages=tuple(kept)), (Loss("messages.text", COSMETIC),)


def _blank(part: Any) -> bool:
    return isinstance(part, Text) and not part.text.strip() and part.extra is None


def stop_sequences_with_words(conversation: Conversation) -> Ruled:
    """A stop sequence of white space alone is refused by the API."""
    stop = conversation.settings.stop
    kept = tuple(sequence for sequence in stop if sequence.strip())
    if kept == stop:
        return conversation, ()
    return _with(conversation, stop=kept), (Loss("stop", LOSSY),)


# Schemas

# Keywords that narrow a value without changing its shape: the API refuses them, the description still may tell the model.
_UNSUPPORTED = (
    "exclusiveMaximum",
    "exclusiveMinimum",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "uniqueItems",
)
_DEPTH_MAX = 100  # no schema that means anything is nested deeper


def schemas_the_api_takes(conversation: Conversation) -> Ruled:
    """Schemas that bind the model: objects closed, bounds removed. Tool schemas: at least an object."""
    losses: dict[str, None] = {}
    format_ = conversation.settings.format
    if isinstance(format_, Format) and format_.schema is not None:
        fitted = _fit(format_.schema, "response_format", losses)
        if fitted != format_.schema:
            conversation = _with(conversation, format=replace(format_, schema=fitted))
    tools = tuple(_fit_tool(tool, losses) for tool in conversation.tools)
    if tools != conversation.tools:
        conversation = replace(conversation, tools=tools)
    return conversation, tuple(Loss(name, LOSSY) for name in losses)


def _fit_tool(tool: Any, losses: dict[str, None]) -> Any:
    if not isinstance(tool, Tool) or tool.parameters is None:
        return tool
    parameters = tool.parameters if "type" in tool.parameters else {"type": "object", **tool.parameters}
    if tool.strict:
        parameters = _fit(parameters, "tools.parameters", losses)
    return tool if parameters == tool.parameters else replace(tool, parameters=parameters)


def _fit(schema: Any, where: str, losses: dict[str, None], depth: int = 0) -> Any:
    """A schema in the part of JSON Schema that the API compiles. What fits it fits the original but for what is reported."""
    if depth > _DEPTH_MAX:
        return schema
    if isinstance(schema, list):
        return [_fit(inner, where, losses, depth + 1) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    fitted: JsonObject = {}
    for name, inner in schema.items():
        if name in _UNSUPPORTED or (name == "minItems" and inner not in (0, 1)):
            losses[f"{where}.{name}"] = None
        elif name in {"properties", "$defs", "definitions"} and isinstance(inner, dict):
            fitted[name] = {key: _fit(one, where, losses, depth + 1) for key, one in inner.items()}
        elif name in {"enum", "const", "default", "examples", "required"}:
            fitted[name] = inner
        else:
            fitted[name] = _fit(inner, where, losses, depth + 1)
    if "object" in _types(fitted) or "properties" in fitted:
        if fitted.get("additionalProperties", False) is not False:
            losses[f"{where}.additionalProperties"] = None
        fitted["additionalProperties"] = False
    return fitted


def _types(schema: JsonObject) -> tuple[Any, ...]:
    types = schema.get("type")
    return tuple(types) if isinstance(types, list) else (types,)


# Thinking and what it excludes


def thinking_the_api_takes(conversation: Conversation) -> Ruled:
    """Thinking in the terms of the API (a mode, a budget below `max_tokens`), or none where it cannot be."""
    asked = conversation.settings.reasoning
    if asked is None:
        return conversation, ()
    thinking, losses = _thinking(asked)
    if thinking.mode == "enabled" and _thinking_is_impossible(conversation):
        thinking = ReasoningSettings()
        losses = (*losses, Loss("reasoning", LOSSY))
    conversation = _with(conversation, reasoning=None if thinking == ReasoningSettings() else thinking)
    bound, budget = conversation.settings.max_tokens, thinking.budget_tokens
    if bound is not None and budget is not None and bound <= budget:
        # thinking counts against the bound: without more room nothing would be left for the answer
        conversation = _with(conversation, max_tokens=bound + budget)
        losses = (*losses, Loss("max_tokens", LOSSY))
    return conversation, losses


def _thinking(asked: ReasoningSettings) -> tuple[ReasoningSettings, tuple[Loss, ...]]:
    """Effort and budget as modes. An effort beside a mode is the API's own, and stays."""
    effort, budget, mode, display = asked.effort, asked.budget_tokens, asked.mode, asked.display
    losses: tuple[Loss, ...] = ()
    if mode is None and effort is not None and budget is None:
        losses = (Loss("reasoning.effort", LOSSY),)
        mode, budget = ("disabled", None) if effort == "none" else ("enabled", budget_of(effort))
        effort = None
    if mode is None and budget is not None:
        mode = "enabled" if budget > 0 else "disabled"
    if mode == "enabled":
        wanted = budget if budget is not None else budget_of(effort or "medium")
        if wanted < BUDGET_MIN:
            losses = (*losses, Loss("reasoning.budget_tokens", LOSSY))
        budget = max(BUDGET_MIN, wanted)
    elif budget is not None:
        losses = (*losses, Loss("reasoning.budget_tokens", COSMETIC if mode == "disabled" else LOSSY))
        budget = None
    if effort in {"none", "minimal"}:
        losses = (*losses, Loss("reasoning.effort", LOSSY))
        effort = "low" if effort == "minimal" else None
    if mode not in {"enabled", "adaptive"}:
        display = None
    return ReasoningSettings(effort, budget, mode, display), losses


def _thinking_is_impossible(conversation: Conversation) -> bool:
    """Thinking by budget goes with neither a forced tool, nor with a turn to be continued whose own thinking is missing.

    Adaptive thinking knows neither rule.
    """
    choice = conversation.settings.tool_choice
    if choice is not None and choice.mode in {"required", "named"}:
        return True
    turns = conversation.messages
    last = next((turn for turn in reversed(turns) if turn.role is Role.ASSISTANT), None)
    if last is None or _begins_with_thinking(last):
        return False
    if turns[-1] is last:
        return True
    return turns[-1].role is Role.TOOL and any(isinstance(part, ToolCall) for part in last.parts)


def _begins_with_thinking(message: Message) -> bool:
    first = message.parts[0] if message.parts else None
    return (isinstance(first, Reasoning) and first.signed_by == NAME) or isinstance(first, Opaque)


def sampling_the_api_takes(conversation: Conversation) -> Ruled:
    """Thinking fixes the temperature, and current models take a temperature or `top_p`, not both."""
    settings = conversation.settings
    reasoning = settings.reasoning
    losses = []
    refused: dict[str, None] = {}
    if reasoning is not None and reasoning.mode in {"enabled", "adaptive"}:
        if settings.temperature is not None and settings.temperature != 1:
            losses.append(Loss("temperature", LOSSY))
            refused["temperature"] = None
        if settings.top_k is not None:
            losses.append(Loss("top_k", LOSSY))
            refused["top_k"] = None
        if settings.top_p is not None and settings.top_p < 0.95:
            losses.append(Loss("top_p", LOSSY))
            refused["top_p"] = None
    elif settings.temperature is not None and settings.top_p is not None:
        losses.append(Loss("top_p", COSMETIC if settings.top_p == 1 else LOSSY))
        refused["top_p"] = None
    return (_with(conversation, **refused) if refused else conversation), tuple(losses)


# Answers


def one_message(answer: Answer) -> tuple[Answer, tuple[Loss, ...]]:
    """A Message is answer and choice at once: there is exactly one, and it holds every field."""
    choice = answer.choices[0] if answer.choices else Choice(parts=())
    if answer.choices and answer.extra is None:
        return answer, ()
    fields = {**own(answer.extra), **own(choice.extra)}
    choice = replace(choice, extra=Extra(NAME, fields) if fields else None)
    return replace(answer, choices=(choice,), extra=None), ()


def _with(conversation: Conversation, **settings: Any) -> Conversation:
    return replace(conversation, settings=replace(conversation.settings, **settings))


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
        words_to_read,
        results_first,
        someone_speaks,
        stop_sequences_with_words,
        schemas_the_api_takes,
        thinking_the_api_takes,
        sampling_the_api_takes,
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
