"""What is left of a wire format where one provider, or one of its models, takes less than the book says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from understudy.core.conversation import Conversation, Message, Part, Reasoning, ReasoningSettings, Role, Settings
from understudy.core.projection.carries import LOSSY, Carries, Loss, RequestRule
from understudy.core.projection.settings import effort_of

NO_SEALS = r"(?!)"
"""The pattern of no seal at all."""


def narrowed(
    carries: Carries,
    *,
    drop: tuple[str, ...] = (),
    cache_marks: bool = True,
    renames: Mapping[str, str] | None = None,
    late_system: str | None = None,
    reasoning: bool = False,
    tool_ids: tuple[str, int] | None = None,
    efforts: tuple[str, ...] = (),
) -> Carries:
    """What is left when a provider refuses some of its dialect, and what it takes beyond the book.

    `drop`: top-level fields that it refuses, as the wire names them. `renames`: roles that it knows by another name.
    `late_system`: the role of a system turn behind another role's, where it knows none there.
    `reasoning`: whether an assistant's turn takes its own thoughts back. `tool_ids`: the pattern of the only ids it takes for
    tool calls, and the length of those that replace others. `efforts`: the only ones it knows, weakest first.
    """
    refused = tuple(carries.wire_names.get(name, name) for name in drop)
    parts = carries.parts
    if reasoning:
        kinds = parts.get(Role.ASSISTANT, ())
        parts = {**parts, Role.ASSISTANT: kinds if "reasoning" in kinds else ("reasoning", *kinds)}
    pattern, length = tool_ids or (carries.tool_ids, carries.tool_id_length)
    return replace(
        carries,
        parts=parts,
        settings=tuple(name for name in carries.settings if name not in refused),
        cache=carries.cache if cache_marks else (),
        renames={**carries.renames, **(renames or {})},
        late_system=late_system or carries.late_system,
        unsigned_reasoning=carries.unsigned_reasoning or reasoning,
        tool_ids=pattern,
        tool_id_length=length,
        efforts=efforts or carries.efforts,
    )


def with_thinking(
    carries: Carries, *, adaptive: bool, budgets: bool = False, refuses: tuple[str, ...], unasked: bool
) -> Carries:
    """The same for a model with its own mind about thinking.

    `adaptive`: it takes no budget, and decides itself how much to think. `budgets`: it takes nothing else. `refuses`: settings that it refuses while it thinks;
    `unasked`: it thinks unless it is told not to.
    """
    rules = carries.request_rules
    if adaptive:
        rules = (thinks_as_it_likes, *rules)
    if refuses:
        names = tuple(carries.wire_names.get(name, name) for name in refuses)
        rules = (*rules, _without_while_thinking(names, unasked=unasked))
    kinds = tuple(name for name in carries.reasoning if name != "effort") if budgets else carries.reasoning
    return replace(carries, request_rules=rules, reasoning=kinds)


def thinks_as_it_likes(conversation: Conversation) -> tuple[Conversation, tuple[Loss, ...]]:
    """A budget becomes the effort that it allows: the model takes nothing else."""
    asked = conversation.settings.reasoning
    if asked is None or asked.mode == "disabled" or asked.effort == "none":
        return conversation, ()
    budget = asked.budget_tokens
    if asked.mode == "adaptive" and budget is None:
        return conversation, ()
    effort = asked.effort or (None if budget is None else effort_of(budget))
    settled = ReasoningSettings(effort, None, "adaptive", asked.display)
    losses = () if budget is None else (Loss("reasoning.budget_tokens", LOSSY),)
    return replace(conversation, settings=replace(conversation.settings, reasoning=settled)), losses


def _without_while_thinking(names: tuple[str, ...], *, unasked: bool) -> RequestRule:
    silent: dict[str, Any] = {name: getattr(Settings(), name) for name in names}

    def left_out(conversation: Conversation) -> tuple[Conversation, tuple[Loss, ...]]:
        settings = conversation.settings
        effort = None if settings.reasoning is None else settings.reasoning.effort
        if effort == "none" or (effort is None and not unasked):
            return conversation, ()
        found = {name: unsaid for name, unsaid in silent.items() if getattr(settings, name) != unsaid}
        if not found:
            return conversation, ()
        without = replace(settings, **found)
        return replace(conversation, settings=without), tuple(Loss(name, LOSSY) for name in found)

    return left_out


def with_seals(carries: Carries, pattern: str) -> Carries:
    """The same for a provider that shares its dialect with others, but not their seals: `pattern` is that of all it can read."""

    def readable(conversation: Conversation) -> tuple[Conversation, tuple[Loss, ...]]:
        return without_seals(conversation, carries.dialect, pattern)

    return replace(carries, request_rules=(*carries.request_rules, readable))


def without_seals(
    conversation: Conversation, dialect: str, pattern: str = NO_SEALS
) -> tuple[Conversation, tuple[Loss, ...]]:
    """A conversation without the thinking of a dialect's providers, but for what `pattern` says can be read."""
    fits = re.compile(pattern, re.DOTALL).fullmatch

    def is_theirs(part: Part) -> bool:
        return isinstance(part, Reasoning) and part.signed_by == dialect and fits(part.data or "") is None

    if not any(is_theirs(part) for message in conversation.messages for part in message.parts):
        return conversation, ()
    kept = (
        Message(message.role, tuple(part for part in message.parts if not is_theirs(part)), message.extra)
        for message in conversation.messages
    )
    left = tuple(message for message in kept if message.parts or message.extra is not None)
    return replace(conversation, messages=left), (Loss("messages.reasoning", LOSSY),)
