"""What Claude models take, whichever API carries the request: rules for the `request_rules` of formats and models.

Where two wishes of the caller exclude each other, what was asked for expressly wins: a forced tool over thinking, thinking over
temperature.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from understudy.core.conversation import (
    Conversation,
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
from understudy.core.projection import COSMETIC, LOSSY, Loss, budget_of
from understudy.core.value import JsonObject

BUDGET_MIN = 1024
"""The smallest budget of thinking tokens that Claude takes."""

Ruled = tuple[Conversation, tuple[Loss, ...]]


def stop_sequences_with_words(conversation: Conversation) -> Ruled:
    """A stop sequence of white space alone is refused by the API."""
    stop = conversation.settings.stop
    kept = tuple(sequence for sequence in stop if sequence.strip())
    if kept == stop:
        return conversation, ()
    return _with(conversation, stop=kept), (Loss("stop", LOSSY),)


def last_words_without_space(conversation: Conversation) -> Ruled:
    """The API refuses a turn for the model to go on with that ends in white space."""
    last = conversation.messages[-1] if conversation.messages else None
    if last is None or last.role is not Role.ASSISTANT or not last.parts:
        return conversation, ()
    said = last.parts[-1]
    words = said.text.rstrip() if isinstance(said, Text) else ""
    if not isinstance(said, Text) or words in {"", said.text}:  # white space alone is another rule's
        return conversation, ()
    ended = replace(last, parts=(*last.parts[:-1], replace(said, text=words)))
    return replace(conversation, messages=(*conversation.messages[:-1], ended)), (Loss("messages.text", COSMETIC),)


# Schemas: Anthropic compiles them, and so does Bedrock, in the same part of JSON Schema

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


def schemas_claude_takes(conversation: Conversation) -> Ruled:
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


def thinking_claude_takes(conversation: Conversation) -> Ruled:
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
    return (isinstance(first, Reasoning) and first.signed_by is not None) or isinstance(first, Opaque)


def sampling_claude_takes(conversation: Conversation) -> Ruled:
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


def _with(conversation: Conversation, **settings: Any) -> Conversation:
    return replace(conversation, settings=replace(conversation.settings, **settings))


CLAUDE_RULES = (stop_sequences_with_words, last_words_without_space, thinking_claude_takes, sampling_claude_takes)
"""For a format that carries other models as well."""
