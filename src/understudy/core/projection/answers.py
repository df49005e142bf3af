"""Fits an answer to a wire format."""

from __future__ import annotations

from dataclasses import replace

from understudy.core.answer import Choice, Stop
from understudy.core.conversation import Part, Refusal, Role, ToolCall
from understudy.core.projection.carries import COSMETIC, Carries
from understudy.core.projection.nodes import Losses, own_extra
from understudy.core.projection.parts import arranged, fit_part
from understudy.core.usage import Usage


def settled_stop(stop: Stop | None, parts: tuple[Part, ...]) -> Stop | None:
    """Why the model stopped, judged by what it said before what was said about it.

    Several providers report a plain end after tool calls (Gemini, Ollama; OpenAI when the choice named a tool) and after a
    refusal.
    """
    if stop is Stop.END:
        if any(isinstance(part, ToolCall) for part in parts):
            return Stop.TOOL_CALLS
        if any(isinstance(part, Refusal) for part in parts):
            return Stop.REFUSAL
    return stop


def fit_choice(choice: Choice, carries: Carries, losses: Losses) -> Choice:
    """One alternative, as the format says it."""
    stop = settled_stop(choice.stop, choice.parts)
    kinds = carries.parts.get(Role.ASSISTANT, ())
    survivors = [fit_part(part, kinds, "content", carries, losses) for part in choice.parts]
    parts = tuple(arranged([part for part in survivors if part is not None], carries))
    native = choice.stop_native
    if stop is not None and stop in carries.stops:
        native = native or str(stop)
        stop = settled_stop(carries.stops[stop], parts)
    if native is not None and not carries.stop_native:
        losses.add("stop_native", COSMETIC)
        native = None
    sequence = choice.stop_sequence
    if sequence is not None and not carries.stop_sequence:
        losses.add("stop_sequence", COSMETIC)
        sequence = None
    return Choice(
        parts=parts,
        stop=stop,
        stop_native=native,
        stop_sequence=sequence,
        extra=own_extra(choice.extra, "choices.", carries, losses),
    )


def fit_usage(usage: Usage | None, carries: Carries, losses: Losses) -> Usage | None:
    """The same tokens in the classes that the format tells apart."""
    if usage is None:
        return Usage() if carries.usage_required else None
    for name, neighbour in carries.usage_folds.items():
        tokens = getattr(usage, name)
        if tokens:
            usage = replace(usage, **{name: 0, neighbour: getattr(usage, neighbour) + tokens})
    if usage.estimated:
        losses.add("usage.estimated", COSMETIC)
        usage = replace(usage, estimated=False)
    return usage
