"""Fits tools and settings to a wire format."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from understudy.core.conversation import Format, OpaqueTool, ReasoningSettings, Settings, Tool, ToolChoice
from understudy.core.projection.carries import COSMETIC, EFFORT_BUDGETS, EFFORTS, LOSSY, SETTINGS, Carries
from understudy.core.projection.nodes import Losses, cache_mark, carried_fields, own_extra


def fit_tools(tools: tuple[Tool | OpaqueTool, ...], carries: Carries, losses: Losses) -> tuple[Tool | OpaqueTool, ...]:
    """The tools that can be offered."""
    projected: list[Tool | OpaqueTool] = []
    for tool in tools:
        if isinstance(tool, OpaqueTool):
            if tool.dialect == carries.dialect and carries.server_tools:
                projected.append(tool)
            else:
                losses.add(f"tools.{tool.kind}", LOSSY)
            continue
        parameters = tool.parameters
        if parameters is None and carries.needs_parameters:
            parameters = {"type": "object", "properties": {}}
        fitted = replace(
            tool,
            parameters=parameters,
            cache=cache_mark(tool.cache, "tool", "tools", carries, losses),
            extra=own_extra(tool.extra, "tools.", carries, losses),
        )
        projected.append(carried_fields(fitted, "tool", "tools", carries, losses))
    return tuple(projected)


_ABOUT_TOOLS = ("parallel_tools", "tool_choice")
"""They mean nothing without tools."""


def fit_settings(
    settings: Settings, tools: tuple[Tool | OpaqueTool, ...], carries: Carries, losses: Losses
) -> Settings:
    """The settings that survive, within the format's bounds."""
    kept: dict[str, Any] = {}
    for name, (weight, silent) in SETTINGS.items():
        held = getattr(settings, name)
        if held is None or held == () or (name in _ABOUT_TOOLS and not tools):
            continue
        if name in carries.settings:
            kept[name] = _bounded(name, held, carries, losses)
        elif held != silent:
            losses.add(name, weight)
    if "format" in kept:
        kept["format"] = _format(kept["format"], carries, losses)
    if "reasoning" in kept:
        kept["reasoning"] = _reasoning(kept["reasoning"], carries, losses)
    if tools:
        _choose_tools(kept, tools, carries, losses)
    elif settings.tool_choice is not None and settings.tool_choice.mode in {"required", "named"}:
        losses.add("tool_choice", LOSSY)
    for name, default in carries.defaults.items():
        if kept.get(name) is None:
            kept[name] = default
    return Settings(**kept)


def _bounded(name: str, held: Any, carries: Carries, losses: Losses) -> Any:
    if name in carries.maxima and held > carries.maxima[name]:
        losses.add(name, LOSSY)
        return carries.maxima[name]
    if name in carries.lengths and len(held) > carries.lengths[name]:
        losses.add(name, LOSSY)
        return held[: carries.lengths[name]]
    return held


def _format(format_: Format, carries: Carries, losses: Losses) -> Format | None:
    if format_.kind == "json_schema" and format_.schema is None:
        format_ = Format("json_object")  # any object at all
    if format_.kind not in carries.formats:
        if format_.kind != "text":
            losses.add("response_format", LOSSY)
        return None
    if format_.kind != "json_schema":
        return Format(format_.kind)
    fitted = carried_fields(format_, "format", "response_format", carries, losses)
    if fitted.name is None and carries.format_name is not None:
        fitted = replace(fitted, name=carries.format_name)
    return fitted


def _choose_tools(kept: dict[str, Any], tools: tuple[Tool | OpaqueTool, ...], carries: Carries, losses: Losses) -> None:
    """Settle which tools may be called, and whether several at once."""
    choice: ToolChoice | None = kept.get("tool_choice")
    if choice is not None:
        choice = _tool_choice(choice, tools, carries, losses)
    if carries.parallel_needs_choice and "parallel_tools" in kept:
        choice = choice or ToolChoice("auto")
        if choice.mode == "none":
            del kept["parallel_tools"]  # nothing is called, so nothing in parallel
    kept["tool_choice"] = choice


def _tool_choice(
    choice: ToolChoice, tools: tuple[Tool | OpaqueTool, ...], carries: Carries, losses: Losses
) -> ToolChoice | None:
    mode, names = choice.mode, choice.names
    offered = tuple(tool.name for tool in tools if isinstance(tool, Tool))
    lost = any(name not in offered for name in names) and len(offered) == len(tools)
    if mode == "named" and (lost or mode not in carries.tool_choices or len(names) > carries.choice_names_max):
        losses.add("tool_choice", LOSSY)
        mode, names = "required", ()
    if mode in {"auto", "required"} and names and (lost or not carries.tool_subsets):
        losses.add("tool_choice", LOSSY)
        names = ()
    if mode == "required" and mode not in carries.tool_choices:
        losses.add("tool_choice", LOSSY)
        mode = "auto"
    if mode not in carries.tool_choices:
        if mode != "auto":
            losses.add("tool_choice", LOSSY)
        return None
    return ToolChoice(mode, names)


def _reasoning(asked: ReasoningSettings, carries: Carries, losses: Losses) -> ReasoningSettings | None:
    """How much to think, in the terms that the format has."""
    effort, budget, mode, display = asked.effort, asked.budget_tokens, asked.mode, asked.display
    if budget is not None and "budget_tokens" not in carries.reasoning:
        losses.add("reasoning.budget_tokens", LOSSY)
        effort = effort or effort_of(budget)
        budget = None
    if mode is not None and "mode" not in carries.reasoning:
        # adaptive is what a model does that was told nothing
        effort = {"disabled": "none", "enabled": effort or "medium"}.get(mode, effort)
        mode = None
    if effort is not None and "effort" not in carries.reasoning:
        losses.add("reasoning.effort", LOSSY)
        if effort == "none":
            mode = mode or ("disabled" if "mode" in carries.reasoning else None)
        elif "budget_tokens" in carries.reasoning:
            budget = budget or budget_of(effort)
            mode = mode or ("enabled" if "mode" in carries.reasoning else None)
        effort = None
    if effort is not None and carries.efforts and effort not in carries.efforts:
        losses.add("reasoning.effort", LOSSY)
        effort = nearest_effort(effort, carries.efforts)
    if display is not None and "display" not in carries.reasoning:
        losses.add("reasoning.display", COSMETIC)
        display = None
    fitted = ReasoningSettings(effort, budget, mode, display)
    return None if fitted == ReasoningSettings() else fitted


def effort_of(budget_tokens: int) -> str:
    """The effort whose thinking a budget allows: the strongest one that it covers, the weakest below that."""
    return next((name for name, least in reversed(EFFORT_BUDGETS) if budget_tokens >= least), EFFORT_BUDGETS[0][0])


def budget_of(effort: str) -> int:
    """The thinking tokens that an effort stands for; an unknown name counts as medium."""
    return dict(EFFORT_BUDGETS).get(effort, dict(EFFORT_BUDGETS)["medium"])


def nearest_effort(effort: str, names: tuple[str, ...]) -> str:
    """The name on the format's scale nearest to `effort`, the weaker of two; an unknown one counts as medium.

    Little thinking never becomes none: that is another thing.
    """
    wanted = EFFORTS.index(effort if effort in EFFORTS else "medium")
    names = tuple(name for name in names if name != "none") or names
    return min(names, key=lambda name: (abs(EFFORTS.index(name) - wanted), EFFORTS.index(name)))
