"""TLS with an authority of our own: what is accepted, what is refused, and that streams and cuts work over it."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from pathlib import Path

import pytest
import trustme

from transport.peers import (
    SOON_S,
    MakeClient,
    OpenDoor,
    Provide,
    Provider,
    Wire,
    eventually,
    request,
    soon,
    until_closed,
)
from understudy.core.failure import FailureKind
from understudy.ports import Exchange, HttpAnswer, Origin, TransportFailure
from understudy.transport.client import Client
from understudy.transport.dns import Address
from understudy.transport.tls import Tls, client_context, server_context

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def context_of(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


async def to_loopback(host: str, port: int) -> list[Address]:
    return [(2, ("127.0.0.1", port))]


async def send(client: Client, port: int, host: str = "provider.test", within_s: float = SOON_S) -> HttpAnswer:
    return await client.send(request(Origin("https", host, port)), connect_s=1.0, until_s=soon(within_s))


async def test_certificate_of_a_configured_authority_is_accepted_and_the_connection_kept(
    authority: trustme.CA, ca_file: str, make_client: MakeClient, provide: Provide
) -> None:
    provider = await provide(OK, tls=context_of(authority.issue_cert("provider.test")))
    client = make_client(tls=Tls(ca_file=ca_file), resolve=to_loopback)
    for _ in range(3):
        assert (await send(client, provider.port)).body == b"hi"
    assert provider.opened == 1
    assert b"host: provider.test:" in provider.requests[0]


async def test_only_http_1_1_is_offered(
    authority: trustme.CA, ca_file: str, make_client: MakeClient, provide: Provide
) -> None:
    chosen: list[str | None] = []

    async def look(provider: Provider, reader: Reader, writer: Writer) -> None:
        chosen.append(writer.get_extra_info("ssl_object").selected_alpn_protocol())
        await provider.request(reader)
        writer.write(OK)
        await until_closed(reader)

    context = context_of(authority.issue_cert("provider.test"))
    context.set_alpn_protocols(["h2", "http/1.1"])
    provider = await provide(look, tls=context)
    await send(make_client(tls=Tls(ca_file=ca_file), resolve=to_loopback), provider.port)
    assert chosen == ["http/1.1"]


async def test_unknown_authority_is_refused_by_default(
    authority: trustme.CA, make_client: MakeClient, provide: Provide
) -> None:
    provider = await provide(OK, tls=context_of(authority.issue_cert("provider.test")))
    client = make_client(resolve=to_loopback)
    with pytest.raises(TransportFailure) as failure:
        await send(client, provider.port)
    assert (failure.value.kind, failure.value.sent) == (FailureKind.TLS_FAILED, False)
    assert "certificate of provider.test" in failure.value.message
    assert client.stats.open == 0
    assert provider.requests == []


async def test_certificate_for_another_name_is_refused(
    authority: trustme.CA, ca_file: str, make_client: MakeClient, provide: Provide
) -> None:
    provider = await provide(OK, tls=context_of(authority.issue_cert("other.test")))
    with pytest.raises(TransportFailure) as failure:
        await send(make_client(tls=Tls(ca_file=ca_file), resolve=to_loopback), provider.port)
    assert failure.value.kind is FailureKind.TLS_FAILED
    assert "ostname mismatch" in failure.value.message


async def test_expired_certificate_is_refused(
    authority: trustme.CA, ca_file: str, make_client: MakeClient, provide: Provide
) -> None:
    long_ago = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    provider = await provide(OK, tls=context_of(authority.issue_cert("provider.test", not_after=long_ago)))
    with pytest.raises(TransportFailure) as failure:
        await send(make_client(tls=Tls(ca_file=ca_file), resolve=to_loopback), provider.port)
    assert failure.value.kind is FailureKind.TLS_FAILED
    assert "expired" in failure.value.message


async def test_verification_can_be_switched_off_for_one_origin_only(
    authority: trustme.CA, make_client: MakeClient, provide: Provide
) -> None:
    context = context_of(authority.issue_cert("provider.test"))
    own, foreign = await provide(OK, tls=context), await provide(OK, tls=context)
    client = make_client(tls_of={Origin("https", "provider.test", own.port): Tls(verify=False)}, resolve=to_loopback)
    assert (await send(client, own.port)).body == b"hi"
    with pytest.raises(TransportFailure):
        await send(client, foreign.port)


async def test_own_certificate_is_shown_to_a_server_that_asks_for_it(
    authority: trustme.CA, ca_file: str, tmp_path: Path, make_client: MakeClient, provide: Provide
) -> None:
    context = context_of(authority.issue_cert("provider.test"))
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    provider = await provide(OK, tls=context)
    ours = tmp_path / "ours.pem"
    authority.issue_cert("client.test").private_key_and_cert_chain_pem.write_to_path(str(ours))
    client = make_client(tls=Tls(ca_file=ca_file, cert_file=str(ours)), resolve=to_loopback)
    assert (await send(client, provider.port)).body == b"hi"
    with pytest.raises(TransportFailure):
        await send(make_client(tls=Tls(ca_file=ca_file), resolve=to_loopback), provider.port)


async def test_server_that_speaks_no_tls_is_a_tls_failure(make_client: MakeClient, provide: Provide) -> None:
    async def plain(provider: Provider, reader: Reader, writer: Writer) -> None:
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        await until_closed(reader)

    async def rude(provider: Provider, reader: Reader, writer: Writer) -> None:
        await reader.read(10)

    for script in (plain, rude):
        client = make_client(resolve=to_loopback)
        with pytest.raises(TransportFailure) as failure:
            await send(client, (await provide(script)).port)
        assert (failure.value.kind, failure.value.sent) == (FailureKind.TLS_FAILED, False)
        assert client.stats.open == 0


async def test_handshake_that_never_ends_is_a_connect_timeout(make_client: MakeClient, provide: Provide) -> None:
    async def mute(provider: Provider, reader: Reader, writer: Writer) -> None:
        await until_closed(reader)

    provider = await provide(mute)
    client = make_client(resolve=to_loopback)
    with pytest.raises(TransportFailure) as failure:
        await client.send(request(Origin("https", "a.test", provider.port)), connect_s=0.1, until_s=soon())
    assert (failure.value.kind, failure.value.sent) == (FailureKind.CONNECT_TIMEOUT, False)
    await eventually(lambda: provider.closed == 1)


async def test_unreadable_authority_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"No such file|missing"):
        client_context(Tls(ca_file=str(tmp_path / "missing.pem")))


async def test_streams_cuts_and_cancellation_work_over_tls(
    authority: trustme.CA, ca_file: str, make_client: MakeClient, provide: Provide
) -> None:
    async def begin(provider: Provider, reader: Reader, writer: Writer) -> None:
        await provider.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n")
        if provider.opened == 1:
            await asyncio.sleep(0.02)
            writer.transport.abort()  # no farewell, neither of TLS nor of HTTP
        await until_closed(reader)

    provider = await provide(begin, tls=context_of(authority.issue_cert("provider.test")))
    client = make_client(tls=Tls(ca_file=ca_file), resolve=to_loopback)
    asked = request(Origin("https", "provider.test", provider.port))
    stream = await client.stream(asked, connect_s=1, until_s=soon())
    assert await stream.read(soon()) == b"hi"
    with pytest.raises(TransportFailure) as failure:
        await stream.read(soon())
    assert failure.value.kind is FailureKind.TRUNCATED
    stream = await client.stream(asked, connect_s=1, until_s=soon())
    assert await stream.read(soon()) == b"hi"
    reading = asyncio.create_task(stream.read(soon()))
    await asyncio.sleep(0.01)
    reading.cancel()
    stream.close()
    await eventually(lambda: provider.closed == 2, within_s=0.1)
    assert client.stats.open == 0


async def test_our_own_door_speaks_tls(
    authority: trustme.CA, ca_file: str, tmp_path: Path, make_client: MakeClient, open_door: OpenDoor
) -> None:
    async def handler(exchange: Exchange) -> None:
        if exchange.path == "/refuse":
            raise LookupError
        exchange.start(200, ())
        await exchange.write(b"one ")
        await exchange.write(exchange.body)
        exchange.finish()

    certificate = tmp_path / "server.pem"
    authority.issue_cert("provider.test").private_key_and_cert_chain_pem.write_to_path(str(certificate))
    door = await open_door(handler, tls=server_context(str(certificate)), body_max_bytes=5_000_000, linger_s=0.1)
    client = make_client(tls=Tls(ca_file=ca_file), resolve=to_loopback)
    origin = Origin("https", "provider.test", door.server.port)
    body = bytes(4_000_000)
    for _ in range(2):
        answer = await client.send(request(origin, body=body), connect_s=1, until_s=soon())
        assert answer.body == b"one " + body
    assert door.server.connections == 1
    refused = await client.send(request(origin, path="/refuse"), connect_s=1, until_s=soon())
    assert refused.status == 500
    too_large = await client.send(request(origin, body=bytes(6_000_000)), connect_s=1, until_s=soon())
    assert too_large.status == 413


async def test_client_that_leaves_our_tls_door_cancels_its_handler(
    authority: trustme.CA, ca_file: str, tmp_path: Path, open_door: OpenDoor
) -> None:
    left: list[FailureKind | None] = []

    async def handler(exchange: Exchange) -> None:
        try:
            await asyncio.sleep(10)
        finally:
            left.append(exchange.left)

    certificate = tmp_path / "server.pem"
    authority.issue_cert("provider.test").private_key_and_cert_chain_pem.write_to_path(str(certificate))
    door = await open_door(handler, tls=server_context(str(certificate)))
    context = client_context(Tls(ca_file=ca_file))
    wire = Wire(
        *await asyncio.open_connection("127.0.0.1", door.server.port, ssl=context, server_hostname="provider.test")
    )
    await wire.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await asyncio.sleep(0.02)
    await wire.close()
    await eventually(lambda: left == [FailureKind.CLIENT_LEFT], within_s=0.1)
