"""What a wire format can carry, as data, and the functions that fit a conversation or an answer to it.

`render` is always given what `project_...` returned: so what a caller is told was dropped is exactly what is missing from
the bytes. For every dialect d and every x: `parse_d(render_d(project_d(x))) == project_d(x)`, and projecting twice changes
nothing more.

Three things happen to a value that a dialect cannot take as it is. It is *removed*, and reported as a `Loss`. It is
*folded* into a neighbour that says less exactly the same (an effort for a budget of thinking tokens): reported too. Or it is
*normalised* (roles renamed, parts regrouped, neighbours merged, texts joined, an explicit default left out, a tool or a call
named otherwise until the answer is back): the words are all there, so nothing is reported. A rule that data cannot say is a named function in `request_rules` or `answer_rules`.
"""

from __future__ import annotations

from understudy.core.answer import Answer
from understudy.core.conversation import Conversation
from understudy.core.projection.answers import fit_choice, fit_usage, settled_stop
from understudy.core.projection.carries import COSMETIC, ESSENTIAL, LOSSY, Carries, Loss, RequestRule
from understudy.core.projection.names import AS_THEY_ARE, Names, own_name, own_names, with_tool_names
from understudy.core.projection.narrowing import NO_SEALS, narrowed, with_seals, with_thinking, without_seals
from understudy.core.projection.nodes import Losses, own_extra
from understudy.core.projection.parts import fit_messages, replaced_id, says_something
from understudy.core.projection.settings import budget_of, effort_of, fit_settings, fit_tools, nearest_effort
from understudy.core.projection.unsaid import Unsaid
from understudy.core.projection.weighing import weight_of

__all__ = [
    "AS_THEY_ARE",
    "COSMETIC",
    "ESSENTIAL",
    "LOSSY",
    "NO_SEALS",
    "Carries",
    "Loss",
    "Names",
    "RequestRule",
    "Unsaid",
    "budget_of",
    "effort_of",
    "fit_request",
    "narrowed",
    "nearest_effort",
    "own_name",
    "own_names",
    "project_answer",
    "project_request",
    "replaced_id",
    "says_something",
    "settled_stop",
    "weight_of",
    "with_seals",
    "with_thinking",
    "without_seals",
]


def project_request(conversation: Conversation, carries: Carries) -> tuple[Conversation, tuple[Loss, ...]]:
    """The nearest conversation that the dialect can carry, and what it lacks."""
    projected, losses, _ = fit_request(conversation, carries)
    return projected, losses


def fit_request(conversation: Conversation, carries: Carries) -> tuple[Conversation, tuple[Loss, ...], Names]:
    """The same, and what tools that had to be named otherwise are called by the caller: for the answer."""
    losses = Losses()
    tools = fit_tools(conversation.tools, carries, losses)
    projected = Conversation(
        model=conversation.model,
        messages=fit_messages(conversation.messages, carries, losses),
        tools=tools,
        settings=fit_settings(conversation.settings, tools, carries, losses),
        stream=conversation.stream,
        include_usage=True if conversation.stream and carries.usage_switch else None,
        extra=own_extra(conversation.extra, "", carries, losses),
    )
    for rule in carries.request_rules:
        projected, more = rule(projected)
        for loss in more:
            losses.add(loss.name, loss.weight)
    projected, names = with_tool_names(projected, carries)
    return projected, losses.report(), names


def project_answer(answer: Answer, carries: Carries) -> tuple[Answer, tuple[Loss, ...]]:
    """The nearest answer that the dialect can carry, and what it lacks."""
    losses = Losses()
    choices = answer.choices
    if carries.choices_max is not None and len(choices) > carries.choices_max:
        choices = choices[: carries.choices_max]
        losses.add("choices", LOSSY)
    if answer.created is not None and not carries.created:
        losses.add("created", COSMETIC)
    projected = Answer(
        id=answer.id,
        model=answer.model,
        choices=tuple(fit_choice(choice, carries, losses) for choice in choices),
        usage=fit_usage(answer.usage, carries, losses),
        created=answer.created if carries.created else None,
        extra=own_extra(answer.extra, "", carries, losses),
    )
    for rule in carries.answer_rules:
        projected, more = rule(projected)
        for loss in more:
            losses.add(loss.name, loss.weight)
    return projected, losses.report()
