"""Performs a cascade: drafts are asked side by side and heard to their end before the caller sees anything of one."""

from __future__ import annotations

import asyncio

from understudy.core.action import Drafted, Failed, Ready, Start, Timer, Walk
from understudy.core.agreement import gist
from understudy.core.answer import Answer
from understudy.core.cascade import cascade
from understudy.core.failure import Failure, FailureKind
from understudy.core.outcome import Outcome, Purpose
from understudy.core.usage import Usage
from understudy.dialects import BadAnswer
from understudy.engine.attempt import Attempt, WholeAttempt
from understudy.engine.perform import TOLD, Performance
from understudy.engine.streamed import TOO_LARGE, StreamAttempt
from understudy.engine.streaming import read_stream
from understudy.framing.sse import EventTooLarge
from understudy.ports import Header, HeaderLines, HeaderMap, TransportFailure
from understudy.transport.wire import field_lines

HEARD_BYTES_MAX = 1 << 20
"""What is held of a streamed draft. A longer one cannot be compared, and is given to the caller only when nobody else answers."""


class WholeDraft(WholeAttempt):
    """A draft for a caller who wants it whole."""

    def read(self) -> Answer | None:
        """The answer, in the caller's dialect and back."""
        return self.show.dialect.parse_answer(self._body)


class StreamedDraft(StreamAttempt):
    """A draft for a caller who wants a stream: heard to its end, and streamed when it is chosen."""

    async def open(self) -> Failure | None:
        """Ask, and read all of it."""
        failure = await super().open()
        while failure is None and not self._ended and len(self._held) <= HEARD_BYTES_MAX:
            failure = await self._hear()
        self.usage = self._carrier.usage or self.usage
        return failure

    async def _hear(self) -> Failure | None:
        stream = self._stream
        assert stream is not None
        until_s = min(self.start.until_s, self._progress_s + self.show.plan.policy.timeouts.idle_s)
        try:
            data = await stream.read(until_s)
            failure = self._take(data)
        except TransportFailure as trouble:
            return self.failed(trouble.kind, trouble.message)
        except BadAnswer as trouble:
            return self.failed(FailureKind.MALFORMED, str(trouble))
        except EventTooLarge:
            return self.failed(FailureKind.ANSWER_TOO_LARGE, TOO_LARGE)
        if failure is None and not data:
            failure = self._end()
            self._ended = failure is None
        if failure is None and not self._ended and self.show.engine.now_s() >= until_s:
            return self.failed(FailureKind.IDLE_TIMEOUT, "the draft took too long")
        return failure

    def read(self) -> Answer | None:
        """What was heard, put together; None when that is not all of it."""
        return read_stream(self.show.dialect, self._held) if self._ended else None


class CascadePerformance(Performance):
    """One request on its way along a route with a cascade."""

    def _steps(self) -> Walk:
        self._heard: set[int] = set()  # handles of drafts whose whole answer waits for a judgement
        self._played: dict[int, Answer | None] = {}  # by handle: what is played in memory
        return cascade(self.plan, self.decision, self.engine.board, self.decision.started_s, self.deadline_s)

    def _attempt(self, start: Start, now_s: float) -> Attempt:
        settings = self.plan.policy.cascade
        assert settings is not None
        drafts = start.purpose in (Purpose.DRAFT, Purpose.TEST) and start.entry.target.name in settings.ask
        if drafts and self._reply is not None:
            said = self._reply.whole()[1]
            self._played[self._last_handle] = said if isinstance(said, Answer) else None
        if not drafts or self._prepared is None:
            return super()._attempt(start, now_s)
        return (StreamedDraft if self.needs.stream else WholeDraft)(self, start, now_s, self._prepared)

    def _alone(self, until_s: float) -> Attempt | None:  # noqa: ARG002  the signature of every performance
        """Nobody is: drafts stay open beside whoever is asked after them."""
        return None

    async def _race(self, until_s: float) -> Ready | Failed | Timer:
        """The first thing that happens to an attempt that has not been heard yet."""
        tasks = self._tasks
        for handle, attempt in self._handles.items():
            if handle not in tasks and handle not in self._heard:
                tasks[handle] = asyncio.create_task(attempt.open())
        left_s = max(0.0, until_s - self.engine.now_s())
        if not tasks:
            await asyncio.sleep(left_s)
            return Timer(self.engine.now_s())
        await asyncio.wait(tasks.values(), timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
        for handle, task in tasks.items():
            if task.done():
                del tasks[handle]
                return self._opened(self._handles[handle], task.result())
        return Timer(self.engine.now_s())

    def _opened(self, attempt: Attempt, failure: Failure | None) -> Ready | Failed:
        opened = super()._opened(attempt, failure)
        played = opened.handle in self._played
        if isinstance(opened, Failed) or not (played or isinstance(attempt, WholeDraft | StreamedDraft)):
            return opened
        self._heard.add(opened.handle)
        settings = self.plan.policy.cascade
        assert settings is not None
        try:
            answer = attempt.read() if isinstance(attempt, WholeDraft | StreamedDraft) else self._played[opened.handle]
        except BadAnswer:
            answer = None  # good enough to be passed on, not to be compared
        said = None if answer is None else gist(answer, settings.field)
        usage = attempt.usage
        if usage is None:
            usage = attempt.usage = Usage(input=self.needs.tokens_in, output=attempt.pieces, estimated=True)
        return Drafted(opened.now_s, opened.handle, said, usage.completion)

    def _let_go(self, besides: int = 0) -> tuple[Outcome, ...]:
        """Drafts that nobody was given did what was asked of them: they are booked as good, with their cost."""
        kind, now_s = self._why_dropped(), self.engine.now_s()
        lost = []
        for handle in [handle for handle in self._handles if handle != besides]:
            failure = None if handle in self._heard else Failure(kind, TOLD[kind])
            lost.append(self._book(handle, failure, now_s))
        return tuple(lost)

    def headers(self, attempt: Attempt, answered: HeaderMap, *more: Header) -> HeaderLines:
        """Beside the usual, whether a draft was kept; and how many were asked at all."""
        told = b"draft" if attempt.handle in self._heard else b"passed_on"
        head = [
            (name, b"%d" % self._last_handle if name == b"x-understudy-attempts" else text)
            for name, text in super().headers(attempt, answered, *more)
        ]
        return HeaderLines(field_lines([*head, (b"x-understudy-cascade", told)]))
