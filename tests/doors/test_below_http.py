"""What goes wrong below HTTP, on real sockets: names, networks, certificates, clocks, keys, and answers without end.

Method: a data plane in front of two mock providers; the lead's world breaks, and the understudy answers. Each time the failure that is
booked must be the right one, and when the world is mended the lead answers again.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import gc
import gzip
import socket
import ssl
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme

from credentials.clouds import Cloud, token
from stage import Answered, Raise, Stage, two_targets, until
from understudy.core.failure import FailureKind as K
from understudy.credentials import _desk
from understudy.framing import sse
from understudy.mock import Mock, start_mock
from understudy.transport.dns import Address

PATIENCE = "timeouts: {connect_s: 0.3, headers_s: 0.3, first_content_s: 0.4, idle_s: 0.3, answer_s: 0.4}"
BOTH = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


def failures(stage: Stage, answered: Answered) -> list[K | None]:
    """What each attempt ended in."""
    return [one.failure.kind if one.failure else None for one in stage.result(answered).attempts]


async def lead_answers(stage: Stage, **asked: Any) -> None:
    answered = await stage.ask(**asked)
    assert (answered.status, answered.headers["x-understudy-target"]) == (200, "lead"), answered.body
    assert failures(stage, answered) == [None]


async def understudy_answers(stage: Stage, kind: K, **asked: Any) -> None:
    answered = await stage.ask(**asked)
    assert (answered.status, answered.headers["x-understudy-target"]) == (200, "understudy"), answered.body
    assert answered.text
    assert answered.finished
    assert failures(stage, answered) == [kind, None]
    assert await until(stage.nothing_is_held, 1)


# Names


class Names:
    """A resolver on strings: every name is loopback, unless it is told to fail or to say nothing."""

    def __init__(self) -> None:
        self.fails: OSError | None = None
        self.silent = False
        self.asked = 0

    async def __call__(self, host: str, port: int) -> list[Address]:
        self.asked += 1
        if self.silent:
            await asyncio.get_running_loop().create_future()
        if self.fails is not None:
            raise self.fails
        return [(socket.AF_INET, ("127.0.0.1", port))]


def named(lead: Mock, understudy: Mock, **more: str) -> str:
    """The lead under a name of its own, the understudy under its address."""
    return two_targets(lead, understudy, **more).replace(lead.origin, f"http://lead.test:{lead.port}")


@BOTH
@pytest.mark.parametrize("error", [socket.EAI_NONAME, socket.EAI_AGAIN], ids=["no such name", "no resolver"])
async def test_a_name_that_is_not_resolved(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], error: int, stream: bool
) -> None:
    names = Names()
    names.fails = socket.gaierror(error, "not resolved")
    stage = await raise_curtain(named(*mocks, policy=PATIENCE), resolve=names)
    await understudy_answers(stage, K.DNS_FAILED, stream=stream)
    assert not mocks[0].accepted
    names.fails = None
    await lead_answers(stage, stream=stream)


async def test_a_resolver_that_says_nothing_costs_no_more_than_connecting_may(
    raise_curtain: Raise, mocks: tuple[Mock, Mock]
) -> None:
    names = Names()
    names.silent = True
    stage = await raise_curtain(named(*mocks, policy=PATIENCE), resolve=names)
    begun_s = asyncio.get_running_loop().time()
    await understudy_answers(stage, K.CONNECT_TIMEOUT)
    assert 0.3 <= asyncio.get_running_loop().time() - begun_s < 1.0


async def test_what_is_connected_goes_on_when_its_name_is_gone(raise_curtain: Raise, mocks: tuple[Mock, Mock]) -> None:
    names = Names()
    stage = await raise_curtain(named(*mocks, policy=PATIENCE), resolve=names)
    await lead_answers(stage)
    names.fails = socket.gaierror(socket.EAI_AGAIN, "not resolved")
    for _ in range(3):
        await lead_answers(stage)
    assert (names.asked, mocks[0].accepted) == (1, 1)


# Networks


@BOTH
async def test_a_network_that_is_cut_before_anybody_connects(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], stream: bool
) -> None:
    lead, understudy = mocks
    stage = await raise_curtain(two_targets(lead, understudy, policy=PATIENCE))
    lead.set("partition")
    await understudy_answers(stage, K.CONNECT_TIMEOUT, stream=stream)
    assert not lead.requests
    lead.set()
    await lead_answers(stage, stream=stream)


@BOTH
async def test_a_kept_connection_whose_network_is_cut_is_silent_and_is_not_kept(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], stream: bool
) -> None:
    lead, understudy = mocks
    stage = await raise_curtain(two_targets(lead, understudy, policy=PATIENCE))
    await lead_answers(stage, stream=stream)
    lead.set("partition")
    await understudy_answers(stage, K.HEADERS_TIMEOUT if stream else K.ANSWER_TIMEOUT, stream=stream)
    await understudy_answers(stage, K.CONNECT_TIMEOUT, stream=stream)
    lead.set()
    await lead_answers(stage, stream=stream)


async def test_a_stream_whose_network_is_cut_in_its_middle_ends_with_an_error(
    raise_curtain: Raise, mocks: tuple[Mock, Mock]
) -> None:
    lead, understudy = mocks
    stage = await raise_curtain(two_targets(lead, understudy, policy=PATIENCE))
    lead.set({"latency": {"chunk_s": 0.02}}, {"partition": {"from_s": lead.now_s + 0.2}})
    answered = await stage.ask(stream=True)
    assert answered.text
    assert answered.error is not None
    assert not answered.finished
    assert failures(stage, answered) == [K.IDLE_TIMEOUT]


async def test_an_address_that_leads_nowhere_is_left_for_the_next(
    raise_curtain: Raise, mocks: tuple[Mock, Mock]
) -> None:
    """A backlog that is full: the lead's machine is there, and its server takes nobody in any more."""
    lead, understudy = mocks
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        fillers = [socket.socket() for _ in range(2)]
        try:
            for filler in fillers:
                filler.setblocking(False)
                filler.connect_ex(full.getsockname())
            text = two_targets(lead, understudy, policy=PATIENCE).replace(str(lead.port), str(full.getsockname()[1]))
            stage = await raise_curtain(text)
            await understudy_answers(stage, K.CONNECT_TIMEOUT)
        finally:
            for filler in fillers:
                filler.close()


# Certificates


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def shows(authority: trustme.CA, **more: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", **more).configure_cert(context)
    return context


@pytest.fixture
async def secured(authority: trustme.CA, tmp_path: Path) -> AsyncIterator[tuple[Mock, str]]:
    """A lead that speaks TLS, with an expired certificate up its sleeve; and the `transport` section that trusts it."""
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    expired = shows(authority, not_after=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    async with await start_mock(tls=shows(authority), tls_expired=expired) as lead:
        yield lead, f'transport: {{ca_file: "{path}"}}\n'


@BOTH
async def test_a_certificate_that_expires_and_is_renewed(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], secured: tuple[Mock, str], stream: bool
) -> None:
    lead, trust = secured
    stage = await raise_curtain(two_targets(lead, mocks[1]) + trust)
    await lead_answers(stage, stream=stream)
    lead.set("certificate_expiry")
    await lead_answers(stage, stream=stream)  # the connection stands
    for connection in list(lead.connections):
        connection.drop()
    answered = await stage.ask(stream=stream)
    [failed, _] = stage.result(answered).attempts
    assert failed.failure is not None
    assert failed.failure.kind is K.TLS_FAILED
    assert "certificate has expired" in failed.failure.message
    assert (answered.status, answered.headers["x-understudy-target"]) == (200, "understudy")
    lead.set()
    await lead_answers(stage, stream=stream)


async def test_a_handshake_that_the_provider_breaks_off(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], authority: trustme.CA, tmp_path: Path
) -> None:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    async with await start_mock(tls=shows(authority), faults=("certificate_expiry",)) as lead:
        stage = await raise_curtain(two_targets(lead, mocks[1]) + f'transport: {{ca_file: "{path}"}}\n')
        await understudy_answers(stage, K.TLS_FAILED)


# Clocks and keys


def advance(stage: Stage, by_s: float) -> None:
    """Let the engine see later times."""
    now_s = stage.engine.now_s
    stage.engine.now_s = lambda: now_s() + by_s


@pytest.mark.parametrize("skew_s", [-200.0, 0.0, 200.0])
async def test_a_hint_in_dates_of_a_wrong_clock_is_read_by_that_clock(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], skew_s: float
) -> None:
    lead, understudy = mocks
    stage = await raise_curtain(two_targets(lead, understudy))
    limit = {"error_burst": {"problem": "rate_limit", "retry_after_s": 30.0, "hint": "retry_after_date"}}
    lead.set(limit, {"clock_skew": {"skew_s": skew_s}})
    answered = await stage.ask()
    failure = stage.result(answered).attempts[0].failure
    assert failure is not None
    assert failure.retry_after_s == pytest.approx(30, abs=2)


async def test_a_provider_whose_clock_is_far_ahead_holds_good_keys_to_be_expired(
    raise_curtain: Raise, mocks: tuple[Mock, Mock]
) -> None:
    lead, understudy = mocks
    stage = await raise_curtain(two_targets(lead, understudy))
    lead.set({"clock_skew": {"skew_s": 400}})
    await understudy_answers(stage, K.AUTH)
    lead.set()
    answered = await stage.ask()
    assert failures(stage, answered) == [None]
    assert answered.headers["x-understudy-target"] == "understudy", "the key rests for a minute"
    advance(stage, 61.0)
    await lead_answers(stage)


async def test_a_revoked_key_is_left_alone_and_comes_back_when_it_is_renewed(
    raise_curtain: Raise, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key is a token that a source hands out: refused, it is fetched anew; until it has rested, the other target answers."""
    monkeypatch.setattr(_desk, "DOUBT_S", 0.0)
    cloud = Cloud()
    await cloud.server.listen()
    handed = ["ya29.old"]
    place = "GET /computeMetadata/v1/instance/service-accounts/default/token"
    cloud.answers[place] = lambda _: (200, {"metadata-flavor": "Google"}, token(handed[0])[2])
    try:
        async with await start_mock() as lead, await start_mock() as second:
            text = f"""
targets:
  lead: {{provider: vertex, model: google/gemini-flash, base_url: "{lead.origin}/v1", key: gcp:metadata}}
  understudy: {{provider: openai, model: m, base_url: "{second.base_url}", key: env:KEY}}
routes: {{default: {{tiers: {{primary: [lead, understudy]}}}}}}
"""
            stage = await raise_curtain(text, GCE_METADATA_HOST=cloud.host)
            await lead_answers(stage)
            lead.set("credential_revocation")
            handed[0] = "ya29.new"
            await understudy_answers(stage, K.AUTH)
            answered = await stage.ask()
            assert failures(stage, answered) == [None]
            assert answered.headers["x-understudy-target"] == "understudy"
            lead.set()
            assert await until(lambda: len(cloud.asked) == 2, 2)
            advance(stage, 61.0)
            await lead_answers(stage)
            assert lead.requests[-1].headers["authorization"] == "Bearer ya29.new"
            assert len(lead.requests) == 3, "nobody asks with a key that was refused"
    finally:
        await cloud.server.drain(0.0)


# Answers without end

BOUND = 1024 * 1024
TIGHT = f"transport: {{answer_max_bytes: {BOUND}}}\n"


@BOTH
@pytest.mark.parametrize("packing", ["plain", "announced", "gzip"])
async def test_an_answer_without_end_is_left_at_the_bound(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], monkeypatch: pytest.MonkeyPatch, packing: str, stream: bool
) -> None:
    monkeypatch.setattr(sse, "EVENT_BYTES_MAX", BOUND)
    lead, understudy = mocks
    stage = await raise_curtain(two_targets(lead, understudy) + TIGHT)
    lead.set({"giant_answers": {"mib": 512, "packing": packing}})
    await understudy_answers(stage, K.ANSWER_TOO_LARGE, stream=stream)
    whole_came = packing == "gzip" and not stream  # and was only too large when it was unpacked
    assert whole_came or await until(lambda: not lead.connections, 1), "whoever says too much is hung up on"
    lead.set()
    await lead_answers(stage, stream=stream)


@pytest.mark.no_cover
@BOTH
async def test_many_answers_without_end_take_no_more_memory_than_their_bounds(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], monkeypatch: pytest.MonkeyPatch, stream: bool
) -> None:
    monkeypatch.setattr(sse, "EVENT_BYTES_MAX", BOUND)
    lead, understudy = mocks
    stage = await raise_curtain(two_targets(lead, understudy, policy="breaker: {failures: 1000, last: 1000}") + TIGHT)
    lead.set({"giant_answers": {"mib": 256}})
    await stage.ask(stream=stream)
    many = 8
    gc.collect()
    tracemalloc.start()
    try:
        asked = await asyncio.gather(*(stage.ask(stream=stream) for _ in range(many)))
        _, peak = tracemalloc.get_traced_memory()
        assert {answered.headers["x-understudy-target"] for answered in asked} == {"understudy"}
        assert peak < 3 * many * BOUND, "the bounds, their copies and the rest of us"
        del asked
        assert await until(stage.nothing_is_held, 1)
        gc.collect()
        left, _ = tracemalloc.get_traced_memory()
        assert left < BOUND, "and none of it stays"
    finally:
        tracemalloc.stop()


SAID = b'data: {"choices":[{"index":0,"delta":{"content":"hello"},"finish_reason":null}]}\n\n'
FINISHED = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'


@asynccontextmanager
async def says(
    raise_curtain: Raise, understudy: Mock, body: bytes, *, again: bytes = b"", head: bytes = b""
) -> AsyncIterator[Stage]:
    """The lead answers every request with this body of a stream, and then says something again and again."""

    async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\n" + (head or b"content-type: text/event-stream\r\n") + b"\r\n")
            writer.write(body)
            while again:
                writer.write(again)
                await writer.drain()
            await reader.read()
        except ConnectionError:
            pass
        finally:
            writer.close()

    provider = await asyncio.start_server(lead, "127.0.0.1", 0)
    text = two_targets(understudy, understudy, policy=PATIENCE)
    port = str(provider.sockets[0].getsockname()[1])
    try:
        yield await raise_curtain(text.replace(str(understudy.port), port, 1))
    finally:
        provider.close()


async def test_pings_that_unpack_to_very_many_hold_up_nobody(raise_curtain: Raise, mocks: tuple[Mock, Mock]) -> None:
    """What is at hand already is read without waiting: nothing but the clock ends that, and others have their turn."""
    packed = gzip.compress(b": ping\n\n" * 12_000_000, 1)
    head = b"content-type: text/event-stream\r\ncontent-encoding: gzip\r\n"
    async with says(raise_curtain, mocks[1], packed, head=head) as stage:
        asking = asyncio.create_task(stage.ask("anthropic", stream=True))
        assert await until(lambda: stage.engine.board.standing("lead").in_flight == 1, 2)
        begun_s = asyncio.get_running_loop().time()
        await asyncio.sleep(0.05)
        assert (await stage.ask(model="understudy")).status == 200
        assert not asking.done(), "it was answered while the pings were read"
        answered = await asking
        assert asyncio.get_running_loop().time() - begun_s < 3
        assert (answered.status, answered.headers["x-understudy-target"]) == (200, "understudy")
        assert failures(stage, answered) == [K.FIRST_CONTENT_TIMEOUT, None]


async def test_who_goes_on_after_the_end_is_hung_up_on(raise_curtain: Raise, mocks: tuple[Mock, Mock]) -> None:
    async with says(raise_curtain, mocks[1], SAID + FINISHED, again=b": ping\n\n" * 1000) as stage:
        begun_s = asyncio.get_running_loop().time()
        answered = await stage.ask(stream=True)
        assert (answered.text, answered.finished) == ("hello", True)
        assert await until(stage.nothing_is_held, 2)
        assert asyncio.get_running_loop().time() - begun_s < 2
        assert failures(stage, answered) == [None]


async def test_a_media_type_in_capitals_is_the_same(raise_curtain: Raise, mocks: tuple[Mock, Mock]) -> None:
    head = b"Content-Type: Text/Event-Stream; Charset=UTF-8\r\nContent-Length: %d\r\n" % len(SAID + FINISHED)
    async with says(raise_curtain, mocks[1], SAID + FINISHED, head=head) as stage:
        answered = await stage.ask(stream=True)
        assert (answered.text, answered.headers["x-understudy-target"]) == ("hello", "lead")


# Lies


@BOTH
@pytest.mark.parametrize("upstream", ["openai", "anthropic", "gemini"])
@pytest.mark.parametrize("caller", ["openai", "anthropic"])
async def test_impossible_figures_are_not_believed(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], caller: str, upstream: str, stream: bool
) -> None:
    lead, understudy = mocks
    stage = await raise_curtain(two_targets(lead, understudy, upstream))
    lead.set({"byzantine_answers": {"how": "miscounted"}})
    answered = await stage.ask(caller, stream=stream)
    assert (answered.status, answered.headers["x-understudy-target"]) == (200, "lead")
    assert await until(stage.nothing_is_held, 1)
    usage = stage.result(answered).attempts[0].usage
    assert usage is not None
    assert usage.estimated
    assert usage.total < 1_000_000
