"""What a caller of the library is given: answers, pieces of streams, and who played."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from understudy.core.answer import Answer, Stop
from understudy.core.conversation import Part, Reasoning, Text, ToolCall
from understudy.core.decision import Decision
from understudy.core.failure import Failure
from understudy.core.money import NANO_PER_DOLLAR
from understudy.core.outcome import Outcome, Result
from understudy.core.usage import Usage
from understudy.core.value import JsonObject, keyword_value

Rate = Callable[[str, float], None]


def dollars_of(nusd: int | None) -> Decimal | None:
    """Nano-dollars as dollars, exactly; None stays None: the price is unknown, not zero."""
    return None if nusd is None else Decimal(nusd) / NANO_PER_DOLLAR


def cost_of(attempts: tuple[Outcome, ...]) -> Decimal | None:
    """Dollars for some attempts together; None when there is nothing to pay for, or a price is unknown."""
    costs = [outcome.cost_nusd for outcome in attempts if outcome.usage is not None]
    known = [cost for cost in costs if cost is not None]
    return dollars_of(sum(known)) if costs and len(known) == len(costs) else None


class Played:
    """How a request went: who answered, after which attempts, and why it was them.

    `target`, `tier`: of whoever answered. `degraded`: a stand-in or a degraded tier answered. `attempts`: every one, in
    order, failed ones too. `decision`: the choices, with `explain()`. `seconds`: from the call to the last byte.
    """

    def __init__(self, result: Result, decision: Decision | None, rate: Rate) -> None:
        self._rate = rate
        self.result = result
        self.decision = decision
        self.attempts: tuple[Outcome, ...] = result.attempts
        self.degraded = result.degraded
        self.target = result.winner.target if result.winner else None
        self.tier = result.winner.tier if result.winner else None
        self.seconds = result.ended_s - result.started_s

    def record(self) -> JsonObject | None:
        """Its decision as plain data for keeping: `understudy explain FILE` explains it and makes it again. None when it is not kept."""
        from understudy.engine.record import written  # few decisions are ever kept

        return None if self.decision is None else written(self.decision)

    def rate(self, score: float) -> None:
        """Say how good it was, from 0 (useless) to 1 (perfect). Raises `ValueError` outside."""
        self._rate(self.result.decision, score)


class ChatAnswer(Played):
    """A whole answer. `raw`: it as it was told in the intermediate form, with every alternative."""

    def __init__(self, answer: Answer, result: Result, decision: Decision | None, rate: Rate) -> None:
        super().__init__(result, decision, rate)
        self.raw = answer

    def __repr__(self) -> str:
        return f"ChatAnswer({self.text!r}, target={self.target!r}, degraded={self.degraded})"

    @property
    def parts(self) -> tuple[Part, ...]:
        """What the first alternative says: text, reasoning, tool calls, in order."""
        return self.raw.choices[0].parts if self.raw.choices else ()

    @property
    def text(self) -> str:
        """Its text, without reasoning."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def reasoning(self) -> str:
        """What it thought, where the provider shows that."""
        return "".join(part.text for part in self.parts if isinstance(part, Reasoning))

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls that it asks for."""
        return tuple(part for part in self.parts if isinstance(part, ToolCall))

    @property
    def stop(self) -> Stop | None:
        """Why it ended."""
        return self.raw.choices[0].stop if self.raw.choices else None

    @property
    def model(self) -> str:
        """What the provider says it ran."""
        return self.raw.model

    @property
    def usage(self) -> Usage | None:
        """The tokens that it took, as the provider counted; estimated ones say so."""
        winner = self.result.winner
        return winner.usage if winner is not None and winner.usage is not None else self.raw.usage

    @property
    def cost(self) -> Decimal | None:
        """Dollars for all attempts together; None when a price that would be needed is unknown."""
        return cost_of(self.attempts)


class RunResult(Played):
    """What a client of your own returned: `value`, with who was asked."""

    def __init__(
        self,
        value: Any,
        result: Result,
        decision: Decision | None,
        rate: Callable[[str, float], None],
        report: Callable[[Usage], None],
    ) -> None:
        super().__init__(result, decision, rate)
        self.value = value
        self._report = report

    def report(self, usage: Usage) -> None:
        """Tell what it took, for costs: your client knows, the router does not."""
        self._report(usage)


@keyword_value
class Compared:
    """One target's part in a comparison. `answer`: None when it failed, and `failure` says why.

    `attempts`: its Outcomes, failed ones and retries too. `seconds`: from the question to the last byte. `cost`: dollars, None
    when a price that would be needed is unknown.
    """

    target: str
    answer: ChatAnswer | None
    failure: Failure | None
    attempts: tuple[Outcome, ...]
    seconds: float
    cost: Decimal | None


@keyword_value
class Chunk:
    """A piece of a stream. Exactly one of `text`, `reasoning` and `arguments` is not empty, or a tool call begins.

    `call`: the tool call that begins, or that `arguments` go on; its own arguments are empty. `choice`: of which
    alternative.
    """

    text: str = ""
    reasoning: str = ""
    arguments: str = ""
    call: ToolCall | None = None
    choice: int = 0
