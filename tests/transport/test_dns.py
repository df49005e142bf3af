"""Names: remembered, asked for again, used beyond their time while the resolver fails, tried address by address."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import pytest

from transport.peers import MakeClient, Provide, request, soon
from understudy.core.failure import FailureKind
from understudy.ports import Origin, TransportFailure
from understudy.transport.dns import Address, Dns, resolve_by_system
from understudy.transport.settings import ClientSettings

OK = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi"
LOOPBACK = socket.AF_INET
FIRST: Address = (socket.AF_INET, ("192.0.2.1", 80))
SECOND: Address = (socket.AF_INET, ("192.0.2.2", 80))
THIRD: Address = (socket.AF_INET, ("192.0.2.3", 80))
SIXTH: Address = (socket.AF_INET6, ("2001:db8::1", 80))
SEVENTH: Address = (socket.AF_INET6, ("2001:db8::2", 80))


class Resolver:
    """Answers what it is told to, and counts."""

    def __init__(self, *answer: Address) -> None:
        self.answer: list[Address] | OSError = list(answer)
        self.asked = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, host: str, port: int) -> list[Address]:
        self.asked += 1
        await self.gate.wait()
        if isinstance(self.answer, OSError):
            raise self.answer
        return list(self.answer)


@pytest.fixture
def advance(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let a `Dns` under test see later times than the loop's."""
    ahead_s = 0.0

    class Later:
        def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
            self._loop = loop

        def __getattr__(self, name: str) -> object:
            return getattr(self._loop, name)

        def time(self) -> float:
            return self._loop.time() + ahead_s

    def forward(by_s: float) -> None:
        nonlocal ahead_s
        ahead_s += by_s

    now = asyncio.get_running_loop
    monkeypatch.setattr("understudy.transport.dns.asyncio.get_running_loop", lambda: Later(now()))
    return forward


async def test_answer_is_used_while_fresh_and_asked_for_again_after(advance: Callable[[float], None]) -> None:
    resolver = Resolver(FIRST)
    dns = Dns(ClientSettings(), resolver)
    assert await dns.addresses("a.test", 80) == [FIRST]
    advance(29)
    resolver.answer = [SECOND]
    assert await dns.addresses("a.test", 80) == [FIRST]
    assert resolver.asked == 1
    advance(2)
    assert await dns.addresses("a.test", 80) == [SECOND]
    assert resolver.asked == 2


async def test_older_answer_stands_in_while_the_resolver_fails_but_not_for_ever(
    advance: Callable[[float], None],
) -> None:
    resolver = Resolver(FIRST)
    dns = Dns(ClientSettings(), resolver)
    await dns.addresses("a.test", 80)
    resolver.answer = socket.gaierror(socket.EAI_AGAIN, "try again")
    advance(31)
    assert await dns.addresses("a.test", 80) == [FIRST]
    advance(560)
    assert await dns.addresses("a.test", 80) == [FIRST]
    advance(20)
    with pytest.raises(OSError, match="try again"):
        await dns.addresses("a.test", 80)


async def test_older_answer_stands_in_while_the_resolver_is_slow(
    advance: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("understudy.transport.dns._PATIENCE_S", 0.02)
    resolver = Resolver(FIRST)
    dns = Dns(ClientSettings(), resolver)
    await dns.addresses("a.test", 80)
    advance(31)
    resolver.gate.clear()
    resolver.answer = [SECOND]
    assert await dns.addresses("a.test", 80) == [FIRST]
    resolver.gate.set()
    await asyncio.sleep(0.01)
    assert await dns.addresses("a.test", 80) == [SECOND]  # the late answer was not lost
    assert resolver.asked == 2


async def test_one_question_serves_all_who_wait_even_if_one_is_cancelled() -> None:
    resolver = Resolver(FIRST)
    resolver.gate.clear()
    dns = Dns(ClientSettings(), resolver)
    asking = [asyncio.create_task(dns.addresses("a.test", 80)) for _ in range(5)]
    await asyncio.sleep(0)
    asking[0].cancel()
    await asyncio.sleep(0)
    resolver.gate.set()
    assert await asyncio.gather(*asking[1:]) == [[FIRST]] * 4
    assert resolver.asked == 1


async def test_families_alternate_and_the_address_that_worked_comes_first() -> None:
    dns = Dns(ClientSettings(), Resolver(SIXTH, SEVENTH, FIRST, SECOND, THIRD))
    assert await dns.addresses("a.test", 80) == [SIXTH, FIRST, SEVENTH, SECOND, THIRD]
    dns.prefer("a.test", 80, SECOND)
    assert (await dns.addresses("a.test", 80))[:2] == [SECOND, SIXTH]
    dns.prefer("b.test", 80, SECOND)


@pytest.mark.parametrize(("host", "family"), [("192.0.2.7", socket.AF_INET), ("2001:db8::7", socket.AF_INET6)])
async def test_address_is_not_asked_for(host: str, family: int) -> None:
    resolver = Resolver()
    assert await Dns(ClientSettings(), resolver).addresses(host, 443) == [(family, (host, 443))]
    assert resolver.asked == 0


async def test_system_resolver_knows_localhost() -> None:
    addresses = await resolve_by_system("localhost", 80)
    assert {place[0] for _, place in addresses} <= {"127.0.0.1", "::1"}
    assert addresses


async def test_name_without_an_address_is_a_dns_failure(make_client: MakeClient) -> None:
    resolver = Resolver()
    client = make_client(resolve=resolver)
    for answer in ([], socket.gaierror(socket.EAI_NONAME, "Name or service not known")):
        resolver.answer = answer
        with pytest.raises(TransportFailure) as failure:
            await client.send(request(Origin("http", "a.test", 80)), connect_s=1, until_s=soon())
        assert (failure.value.kind, failure.value.sent) == (FailureKind.DNS_FAILED, False)
        assert "a.test" in failure.value.message


async def test_resolver_that_never_answers_is_a_connect_timeout(make_client: MakeClient) -> None:
    resolver = Resolver(FIRST)
    resolver.gate.clear()
    client = make_client(resolve=resolver)
    with pytest.raises(TransportFailure) as failure:
        await client.send(request(Origin("http", "a.test", 80)), connect_s=0.05, until_s=soon())
    assert failure.value.kind is FailureKind.CONNECT_TIMEOUT
    resolver.gate.set()


async def test_next_address_is_tried_when_one_refuses(
    make_client: MakeClient, provide: Provide, free_port: int
) -> None:
    provider = await provide(OK)
    resolver = Resolver((LOOPBACK, ("127.0.0.1", free_port)), (LOOPBACK, ("127.0.0.1", provider.port)))
    client = make_client(resolve=resolver, stagger_s=5.0)
    asked = request(Origin("http", "a.test", 80))
    assert (await client.send(asked, connect_s=1, until_s=soon())).body == b"hi"
    assert (await client._dns.addresses("a.test", 80))[0] == (LOOPBACK, ("127.0.0.1", provider.port))


async def test_next_address_is_tried_beside_one_that_is_silent(make_client: MakeClient, provide: Provide) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(0)
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(silent.getsockname())
        provider = await provide(OK)
        resolver = Resolver((LOOPBACK, silent.getsockname()), (LOOPBACK, ("127.0.0.1", provider.port)))
        client = make_client(resolve=resolver, stagger_s=0.03)
        started = asyncio.get_running_loop().time()
        asked = request(Origin("http", "a.test", 80))
        assert (await client.send(asked, connect_s=1, until_s=soon())).body == b"hi"
        assert 0.02 < asyncio.get_running_loop().time() - started < 0.5
        for filler in fillers:
            filler.close()


async def test_all_addresses_refusing_is_a_refused_connection(make_client: MakeClient, free_port: int) -> None:
    refusing: Address = (LOOPBACK, ("127.0.0.1", free_port))
    client = make_client(resolve=Resolver(refusing, (LOOPBACK, ("127.0.0.2", free_port))))
    with pytest.raises(TransportFailure) as failure:
        await client.send(request(Origin("http", "a.test", 80)), connect_s=1, until_s=soon())
    assert failure.value.kind is FailureKind.CONNECTION_REFUSED


async def test_new_connection_follows_a_changed_answer(make_client: MakeClient, provide: Provide) -> None:
    old, new = await provide(OK), await provide(OK)
    resolver = Resolver((LOOPBACK, ("127.0.0.1", old.port)))
    client = make_client(resolve=resolver, dns_fresh_s=0.03)
    asked = request(Origin("http", "a.test", 80))
    await client.send(asked, connect_s=1, until_s=soon())
    resolver.answer = [(LOOPBACK, ("127.0.0.1", new.port))]
    await asyncio.sleep(0.04)
    await client.send(asked, connect_s=1, until_s=soon())
    assert (len(old.requests), len(new.requests)) == (1, 1)
