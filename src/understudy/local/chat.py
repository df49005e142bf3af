"""The requests at a model server of ours: one answer is made at a time, a few wait for their turn, the rest are refused.

GET  /health                  {"status": "ok"}, to anybody
GET  /v1/models               the model
POST /v1/chat/completions     an answer, whole or as a stream
"""

from __future__ import annotations

import asyncio
import hmac
import itertools
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from understudy.core.answer import (
    Answer,
    Begin,
    Choice,
    End,
    Field,
    Finish,
    PartBegin,
    PartDelta,
    PartEnd,
    Stop,
    StreamEvent,
    UsageSeen,
)
from understudy.core.conversation import Text
from understudy.core.failure import Failure, FailureKind
from understudy.core.usage import Usage
from understudy.dialects import ErrorReport
from understudy.dialects.openai_chat import DIALECT
from understudy.local.asked import BadQuestion, Question, read_question
from understudy.local.speaker import CannotRead, CannotSpeak, Speaker, TooLong, Utterance
from understudy.local.stops import StopCutter
from understudy.ports import Exchange, Header

PATH = "/v1/chat/completions"
MODELS = "/v1/models"
HEALTH = "/health"

_JSON: tuple[Header, ...] = ((b"content-type", b"application/json"),)
_STREAM: tuple[Header, ...] = ((b"content-type", DIALECT.stream_type), (b"cache-control", b"no-cache"))
_TAKEN: tuple[Header, ...] = ((b"retry-after", b"1"),)


class Refused(Exception):
    """The request gets an error for an answer."""

    def __init__(self, kind: FailureKind, message: str, headers: tuple[Header, ...] = ()) -> None:
        super().__init__(message)
        self.failure = Failure(kind, message)
        self.headers = headers


class ChatServer:
    """Answers exchanges with one model. `secret`: what they must show; `queue`: how many may wait."""

    def __init__(self, speaker: Speaker, secret: str, queue: int) -> None:
        self._speaker = speaker
        self._credential = b"Bearer " + secret.encode()
        self._held_max = 1 + queue
        self._held = 0
        self._turn = asyncio.Lock()
        self._numbers = itertools.count(1)
        self._prefix = f"chatcmpl-{secrets.token_hex(6)}-"

    async def __call__(self, exchange: Exchange) -> None:
        """Answer one. It is cancelled when the client leaves, which ends the computing after the step under way."""
        try:
            await self._answer(exchange)
        except Refused as refused:
            headers = (*_JSON, *refused.headers)
            exchange.respond(refused.failure.row.status, headers, _error(refused.failure))

    def refusal(self, _path: str, kind: FailureKind, message: str) -> tuple[tuple[Header, ...], bytes]:
        """What is said to requests that are no HTTP, or too large."""
        return _JSON, _error(Failure(kind, message))

    async def _answer(self, exchange: Exchange) -> None:
        if exchange.path == HEALTH:
            exchange.respond(200, _JSON, b'{"status":"ok"}')
            return
        if not hmac.compare_digest(exchange.headers.get(b"authorization", b""), self._credential):
            raise Refused(FailureKind.UNAUTHENTICATED, "this server answers its own router only")
        if exchange.path == MODELS:
            exchange.respond(200, _JSON, DIALECT.render_models((self._speaker.name,)))
            return
        if exchange.path != PATH:
            raise Refused(FailureKind.UNKNOWN_ROUTE, f"there are {PATH}, {MODELS} and {HEALTH}")
        if exchange.method != "POST":
            raise Refused(FailureKind.METHOD_NOT_ALLOWED, f"use POST for {PATH}")
        try:
            asked = read_question(exchange.body)
            async with self._its_turn():
                await self._speak(exchange, asked)
        except (BadQuestion, CannotRead) as error:
            kind = FailureKind.CONTEXT_LENGTH if isinstance(error, TooLong) else FailureKind.BAD_REQUEST
            raise Refused(kind, str(error)) from None

    @asynccontextmanager
    async def _its_turn(self) -> AsyncIterator[None]:
        if self._held >= self._held_max:
            raise Refused(FailureKind.RATE_LIMIT, f"{self._held} requests are held already", _TAKEN)
        self._held += 1
        try:
            async with self._turn:
                yield
        finally:
            self._held -= 1

    async def _speak(self, exchange: Exchange, asked: Question) -> None:
        try:
            utterance = self._speaker.hear(asked.said(), asked.manner())
        except CannotSpeak as error:
            raise Refused(FailureKind.SERVER_ERROR, str(error)) from error
        telling = Telling(utterance, asked.stops)
        name = f"{self._prefix}{next(self._numbers)}"
        if asked.stream:
            await self._stream(exchange, asked, telling, name)
            return
        try:
            text = "".join([piece async for piece in telling.pieces()])
        except CannotSpeak as error:
            raise Refused(FailureKind.SERVER_ERROR, str(error)) from error
        answer = Answer(
            id=name,
            model=self._speaker.name,
            created=int(time.time()),
            choices=(Choice(parts=(Text(text),), stop=telling.stop),),
            usage=telling.usage,
        )
        exchange.respond(200, _JSON, DIALECT.render_answer(answer))

    async def _stream(self, exchange: Exchange, asked: Question, telling: Telling, name: str) -> None:
        """The head goes out before the question is read: the caller knows that its turn has come."""
        encoder = DIALECT.encoder(model=self._speaker.name, include_usage=asked.include_usage)

        def written(*events: StreamEvent) -> bytes:
            return b"".join(map(encoder.encode, events))

        exchange.start(200, _STREAM)
        begin = Begin(id=name, model=self._speaker.name, created=int(time.time()))
        await exchange.write(written(begin, PartBegin(0, 0, Text(""))))
        try:
            async for piece in telling.pieces():
                await exchange.write(written(PartDelta(0, 0, Field.TEXT, piece)))
        except CannotSpeak as error:
            failure = Failure(FailureKind.SERVER_ERROR, str(error))
            await exchange.write(DIALECT.render_stream_error(ErrorReport(failure=failure)))
            exchange.finish()
            return
        finish = Finish(choice=0, stop=telling.stop)
        await exchange.write(written(PartEnd(0, 0), finish, UsageSeen(telling.usage), End()))
        exchange.finish()


class Telling:
    """An utterance, step by step, up to its first stop sequence."""

    def __init__(self, utterance: Utterance, stops: Sequence[str]) -> None:
        self._utterance = utterance
        self._cutter = StopCutter(stops)

    async def pieces(self) -> AsyncIterator[str]:
        """The text, as it comes. Between two steps the loop has its turn: requests, and clients who leave. Raises `CannotSpeak`."""
        utterance, cutter = self._utterance, self._cutter
        while utterance.stop is None and cutter.met is None:
            piece = cutter.feed(utterance.step())
            if piece:
                yield piece
            await asyncio.sleep(0)
        if cutter.met is None and (rest := cutter.rest()):
            yield rest

    @property
    def stop(self) -> Stop:
        """Why it ended."""
        return Stop.STOP_SEQUENCE if self._cutter.met is not None else self._utterance.stop or Stop.END

    @property
    def usage(self) -> Usage:
        """What it took."""
        return Usage(input=self._utterance.tokens_in, output=self._utterance.tokens_out)


def _error(failure: Failure) -> bytes:
    return DIALECT.render_error(ErrorReport(failure=failure))
