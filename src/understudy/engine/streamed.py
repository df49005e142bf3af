"""One answer as it is written: held back until its first content, then passed on piece by piece, never silently cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

from understudy.config.secrets import CredentialUnavailable
from understudy.core.action import Start
from understudy.core.failure import Failure, FailureKind
from understudy.core.outcome import Outcome
from understudy.core.projection import Unsaid
from understudy.dialects import CONTENT, END, FAILED, FINISH, PROGRESS, BadAnswer, Dialect
from understudy.engine.attempt import HttpAttempt, Prepared, without_key
from understudy.engine.cache import BYTES_MAX
from understudy.engine.crossing import OwnNames, fitted, missed
from understudy.engine.streaming import Carrier, PassThrough, Translation, events_of
from understudy.framing.sse import EventTooLarge
from understudy.ports import Header, HttpStream, TransportFailure

if TYPE_CHECKING:
    from understudy.engine.perform import Performance

HELD_BYTES_MAX = 64 * 1024
"""What is held back before the first content. A stream that says more without saying anything commits as it is."""

ERROR_BYTES_MAX = 64 * 1024
ANSWER_BYTES_MAX = 64 * 1024 * 1024

LINGER_S = 1.0
"""How long to wait for the transfer's own end after the stream's, so that the connection can be used again."""

TOO_LARGE = "one event of the stream is too large"


class StreamAttempt(HttpAttempt):
    """One answer, as it is written."""

    def __init__(self, show: Performance, start: Start, started_s: float, prepared: Prepared) -> None:
        super().__init__(show, start, started_s, prepared)
        self._stream: HttpStream | None = None
        self._parser = self.dialect.framing()
        self._held = b""
        self._ended = False
        self._finished = False
        self._progress_s = started_s
        needs = show.needs
        self._carrier: Carrier
        if self.translated:
            encoder = show.dialect.encoder(model=needs.model, include_usage=needs.include_usage)
            decoder = self.dialect.decoder()
            if prepared.names:
                decoder = OwnNames(decoder, prepared.names)
            unsaid, now_s = Unsaid(show.dialect.answer_carries), int(show.engine.wall_s())
            self._carrier = Translation(decoder, encoder, unsaid, now_s, show.decision.id)
        else:
            self._carrier = PassThrough(self.dialect.watcher(hide_usage=not needs.include_usage))

    async def open(self) -> Failure | None:
        """Ask, and read until there is content; what came before it is held back."""
        show, upstream = self.show, self.upstream
        timeouts = show.plan.policy.timeouts
        try:
            if self.started_s >= upstream.fresh_until_s:
                await upstream.renew(self.started_s)
            request = self.request(upstream)
            self.sent = True  # as far as anybody knows who breaks it off
            until_s = min(self.start.until_s, self.started_s + timeouts.headers_s)
            stream = await show.engine.client.stream(request, connect_s=timeouts.connect_s, until_s=until_s)
        except TransportFailure as trouble:
            return self.broken(trouble)
        except CredentialUnavailable as trouble:
            return without_key(trouble)
        self._stream = stream
        self.status = stream.status
        self._headers = stream.headers
        until_s = min(self.start.until_s, self.started_s + timeouts.first_content_s)
        try:
            if not 200 <= stream.status < 300:
                body = await _all(stream, until_s, ERROR_BYTES_MAX)
                return self.refused(stream.status, stream.headers, body)
            told = stream.headers.get(b"content-type", self.dialect.stream_type)
            if self.dialect.stream_type not in told and self.dialect.stream_type not in told.lower():
                return self._read_whole(await _all(stream, until_s, ANSWER_BYTES_MAX))
            return await self._read_ahead(stream, until_s)
        except TransportFailure as trouble:
            kind = trouble.kind
            if kind is FailureKind.IDLE_TIMEOUT:
                kind = FailureKind.FIRST_CONTENT_TIMEOUT
            return self.failed(kind, trouble.message)
        except BadAnswer as trouble:
            return self.failed(FailureKind.MALFORMED, str(trouble))
        except EventTooLarge:
            return self.failed(FailureKind.ANSWER_TOO_LARGE, TOO_LARGE)

    async def _read_ahead(self, stream: HttpStream, until_s: float) -> Failure | None:
        while self.first_content_s is None:
            if self.show.engine.now_s() >= until_s:  # reading waits for nothing where all is at hand
                return self.failed(FailureKind.FIRST_CONTENT_TIMEOUT, "nothing but pings")
            data = await stream.read(until_s)
            failure = self._take(data)
            if failure is not None:
                return failure
            if not data or self._ended:
                break
            if len(self._held) > HELD_BYTES_MAX:
                self.first_content_s = self.show.engine.now_s()
        if self.first_content_s is None:
            return self._without_content()
        return None

    def _without_content(self) -> Failure | None:
        """The stream is over and said nothing: cut, empty, or an answer that needs no words."""
        if not self._finished and not self._ended:
            return self.failed(FailureKind.TRUNCATED, "the stream was cut before any content")
        if self._carrier.excused:
            self.first_content_s = self.show.engine.now_s()
            return None
        return self.failed(FailureKind.EMPTY, "the stream ended without content")

    def _read_whole(self, body: bytes) -> Failure | None:
        """A provider that was asked for a stream and sent one whole answer."""
        glance = self.dialect.glance(body)
        self.usage = glance.usage
        if glance.failure is not None:
            return glance.failure
        show = self.show
        projected, names = fitted(self.heard(body), show, self.entry.target)
        self.dropped += names
        encoder = show.dialect.encoder(model=show.needs.model, include_usage=show.needs.include_usage)
        self._held = b"".join([encoder.encode(event) for event in events_of(projected)])
        self._ended = True
        self.first_content_s = show.engine.now_s()
        return None

    def _take(self, data: bytes) -> Failure | None:
        """What a piece of the stream says; what the caller is to be sent is added to `_held`."""
        events = self._parser.feed(data) if data else self._parser.flush()
        seen = 0
        carry = self._carrier.carry
        for event in events:
            out, bits = carry(event)
            if bits & FAILED:
                return self._carrier.failure
            self._held += out
            seen |= bits
            if bits & CONTENT:
                self.pieces += 1
        if seen & PROGRESS:
            self._progress_s = now_s = self.show.engine.now_s()
            if seen & CONTENT and self.first_content_s is None:
                self.first_content_s = now_s
        if seen & FINISH:
            self._finished = True
        if seen & END:
            self._ended = True
        if seen & (FINISH | END):
            self.usage = self._carrier.usage or self.usage
        return None

    async def relay(self, until_s: float) -> Failure | None:
        """Give what was held back, then the rest as it comes."""
        show = self.show
        self.committed = True
        show.sink.start(200, show.headers(self, self._headers, *streamed_as(show.dialect)))
        failure = await self._pump(until_s)
        if failure is None:
            show.sink.finish()
            await self._linger()
        return failure

    async def _pump(self, until_s: float) -> Failure | None:
        show, stream = self.show, self._stream
        idle_s = show.plan.policy.timeouts.idle_s
        write = show.sink.write
        copy, copied_bytes = show.copy, 0
        assert stream is not None
        while True:
            if self._held:
                held, self._held = self._held, b""
                if copy is not None:
                    copy.append(held)
                    copied_bytes += len(held)
                    if copied_bytes > BYTES_MAX:  # nobody could keep it
                        copy = show.copy = None
                await write(held)
            if self._ended:
                break
            try:
                data = await stream.read(min(until_s, self._progress_s + idle_s))
                failure = self._take(data)
            except TransportFailure as trouble:
                return self._cut(trouble.kind, trouble.message, until_s)
            except BadAnswer as trouble:
                return self._cut(FailureKind.MALFORMED, str(trouble), until_s)
            except EventTooLarge:
                return self._cut(FailureKind.ANSWER_TOO_LARGE, TOO_LARGE, until_s)
            if failure is not None:
                self.usage = self._carrier.usage or self.usage
                await self._send_held()
                return failure
            if not data:
                failure = self._end()
                await self._send_held()
                self.usage = self._carrier.usage or self.usage
                return failure
            now_s = show.engine.now_s()
            if now_s - self._progress_s > idle_s:
                return self._cut(FailureKind.IDLE_TIMEOUT, f"nothing but pings for {idle_s:g} s", until_s)
            if now_s >= until_s:
                return self._cut(FailureKind.DEADLINE, "the deadline passed", until_s)
        self.usage = self._carrier.usage or self.usage
        return None

    def _end(self) -> Failure | None:
        """The bytes have ended: if that was the whole answer, what the caller is still owed is added to `_held`."""
        try:
            owed = self._carrier.ending() if self._finished else None
        except BadAnswer as trouble:
            return self.failed(FailureKind.MALFORMED, str(trouble))
        if owed is None:
            return self.failed(FailureKind.TRUNCATED, "the stream was cut")
        self._held += owed
        return None

    async def _send_held(self) -> None:
        if self._held:
            held, self._held = self._held, b""
            await self.show.sink.write(held)

    def _cut(self, kind: FailureKind, message: str, until_s: float) -> Failure:
        if kind is FailureKind.IDLE_TIMEOUT and self.show.engine.now_s() >= until_s:
            kind, message = FailureKind.DEADLINE, "the deadline passed while the answer was streaming"
        self.usage = self._carrier.usage or self.usage
        return self.failed(kind, message)

    async def _linger(self) -> None:
        """The caller has all of it. A moment for the transfer's end keeps the connection for the next request."""
        stream = self._stream
        assert stream is not None
        try:
            until_s = self.show.engine.now_s() + LINGER_S
            while await stream.read(until_s) and self.show.engine.now_s() < until_s:
                pass
        except TransportFailure:
            pass  # the answer was complete; only the connection is lost
        finally:
            stream.close()

    def outcome(self, failure: Failure | None, now_s: float) -> Outcome:
        """What came of it. Only now is it known what the stream lost on its way: its head had gone out before."""
        if self._carrier.lost:
            self.dropped += missed(self._carrier.lost)
        return super().outcome(failure, now_s)

    def close(self) -> None:
        """Drop the connection unless the answer was complete."""
        if self._stream is not None:
            self._stream.close()


def streamed_as(dialect: Dialect) -> tuple[Header, ...]:
    """The headers of a stream in a caller's wire format."""
    return (b"content-type", dialect.stream_type), (b"cache-control", b"no-cache")


async def _all(stream: HttpStream, until_s: float, bytes_max: int) -> bytes:
    """The rest of a body, at most `bytes_max` of it."""
    pieces: list[bytes] = []
    size = 0
    while size < bytes_max:
        data = await stream.read(until_s)
        if not data:
            break
        pieces.append(data)
        size += len(data)
    return b"".join(pieces)[:bytes_max]
