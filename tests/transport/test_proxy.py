"""Proxies: which one a request goes through, and what the proxy gets to see."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
import trustme

from transport.peers import MakeClient, Provide, Provider, eventually, request, soon, until_closed
from understudy.core.failure import FailureKind
from understudy.ports import Origin, TransportFailure
from understudy.transport.proxy import Proxies, Proxy
from understudy.transport.tls import Tls

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter


def origin(url: str) -> Origin:
    scheme, _, place = url.partition("://")
    host, _, port = place.rpartition(":")
    return Origin(scheme, host, int(port))


# Which proxy


def test_environment_is_read_by_scheme_and_small_letters_win() -> None:
    proxies = Proxies.from_environment(
        {"HTTP_PROXY": "http://upper:1", "http_proxy": "lower:2", "HTTPS_PROXY": "http://u:p%40@secure:3"}
    )
    assert proxies.toward(origin("http://a.test:80")) == Proxy("lower", 2)
    assert proxies.toward(origin("https://a.test:443")) == Proxy("secure", 3, b"Basic dTpwQA==")


def test_all_proxy_fills_in() -> None:
    proxies = Proxies.from_environment({"ALL_PROXY": "http://all", "HTTPS_PROXY": "http://secure:3"})
    assert proxies.toward(origin("http://a.test:80")) == Proxy("all", 80)
    assert proxies.toward(origin("https://a.test:443")) == Proxy("secure", 3)
    assert Proxies.from_environment({}) == Proxies()
    assert Proxies().toward(origin("https://a.test:443")) is None


def test_http_proxy_of_a_cgi_visitor_is_ignored() -> None:
    assert Proxies.from_environment({"HTTP_PROXY": "http://evil:1", "REQUEST_METHOD": "GET"}) == Proxies()


@pytest.mark.parametrize("url", ["socks5://p:1080", "https://p:443", "http://", "http://:80"])
def test_proxy_of_another_kind_is_an_error_that_names_the_variable_and_no_secret(url: str) -> None:
    with pytest.raises(ValueError, match="HTTPS_PROXY: a proxy is given as http://host:port"):
        Proxies.from_environment({"https_proxy": url})
    with pytest.raises(ValueError, match="a proxy is given as") as error:
        Proxy.parse("socks5://user:secret@p")
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("entries", "host", "direct"),
    [
        ("*", "a.test", True),
        ("a.test", "a.test", True),
        ("A.Test", "a.test", True),
        ("a.test", "b.a.test", True),
        ("a.test", "ba.test", False),
        (".a.test", "b.a.test", True),
        (".a.test", "a.test", False),
        ("*.a.test", "b.a.test", True),
        ("a.test:80", "a.test", True),
        ("a.test:81", "a.test", False),
        ("x, a.test ,", "a.test", True),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.1.2.3", "10.1.2.3", True),
        ("10.1.2.3:80", "10.1.2.3", True),
        ("[2001:db8::1]:80", "2001:db8::1", True),
        ("2001:db8::/32", "2001:db8::1", True),
        ("nonsense/99", "10.1.2.3", False),
        ("", "a.test", False),
        ("", "localhost", True),
        ("", "127.0.0.1", True),
        ("", "127.3.2.1", True),
        ("", "::1", True),
    ],
)
def test_no_proxy_is_understood(entries: str, host: str, direct: bool) -> None:
    proxies = Proxies.from_environment({"ALL_PROXY": "http://p:1", "NO_PROXY": entries})
    assert (proxies.toward(Origin("http", host, 80)) is None) == direct


@pytest.mark.parametrize("host", ["169.254.169.254", "169.254.170.2", "fe80::1"])
def test_what_is_on_the_machine_itself_is_reached_without_a_proxy(host: str) -> None:
    everywhere = Proxies(http=Proxy("proxy", 3128), https=Proxy("proxy", 3128))
    assert everywhere.toward(Origin("http", host, 80)) is None
    assert everywhere.toward(Origin("http", "169.253.0.1", 80)) is not None


# Through the proxy


class RealProxy:
    """A small forward proxy: CONNECT and absolute-form, with credentials if it has any."""

    def __init__(self, ports: dict[str, int], credentials: bytes | None = None) -> None:
        self.ports = ports
        self.credentials = credentials
        self.heads: list[bytes] = []

    async def __call__(self, provider: Provider, reader: Reader, writer: Writer) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head)
            if self.credentials is not None and b"proxy-authorization: " + self.credentials not in head:
                writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 4\r\n\r\nauth")
                await writer.drain()
                return
            method, target, _ = head.split(b" ", 2)
            if method == b"CONNECT":
                await self._tunnel(target.decode(), reader, writer)
                return
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or b"0")
            body = await reader.readexactly(length)
            place = target.split(b"/")[2].decode()
            upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", self.ports[place])
            upstream_writer.write(head.replace(b"http://" + place.encode(), b"") + body)
            writer.write(await upstream_reader.read(65536))
            upstream_writer.close()

    async def _tunnel(self, place: str, reader: Reader, writer: Writer) -> None:
        upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", self.ports[place])
        writer.write(b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n")

        async def pump(source: Reader, sink: Writer) -> None:
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
            sink.close()

        await asyncio.gather(pump(reader, upstream_writer), pump(upstream_reader, writer))


async def never(host: str, port: int) -> list[tuple[int, tuple[str, int]]]:
    raise AssertionError(f"{host} is for the proxy to resolve")


async def test_plain_request_goes_through_the_proxy_in_absolute_form(make_client: MakeClient, provide: Provide) -> None:
    provider = await provide(OK)
    real = RealProxy({"a.test:8000": provider.port}, b"Basic dTpw")
    proxy = await provide(real)
    proxies = Proxies(http=Proxy.parse(f"http://u:p@127.0.0.1:{proxy.port}"))
    client = make_client(proxies=proxies, resolve=never)
    for _ in range(2):
        answer = await client.send(request(Origin("http", "a.test", 8000), path="/v1/x?y"), connect_s=1, until_s=soon())
        assert answer.body == b"hi"
    assert real.heads[0].startswith(b"POST http://a.test:8000/v1/x?y HTTP/1.1\r\nhost: a.test:8000\r\n")
    assert proxy.opened == 1


async def test_https_request_goes_through_a_tunnel_that_the_proxy_cannot_read(
    tmp_path: Path, make_client: MakeClient, provide: Provide
) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("a.test").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    provider = await provide(OK, tls=context)
    real = RealProxy({"a.test:443": provider.port}, b"Basic dTpw")
    proxy = await provide(real)
    proxies = Proxies(https=Proxy.parse(f"http://u:p@127.0.0.1:{proxy.port}"))
    client = make_client(proxies=proxies, resolve=never, tls=Tls(ca_file=str(tmp_path / "ca.pem")))
    asked = request(Origin("https", "a.test", 443), authorization="Bearer secret")
    for _ in range(2):
        assert (await client.send(asked, connect_s=1, until_s=soon())).body == b"hi"
    assert real.heads == [b"CONNECT a.test:443 HTTP/1.1\r\nhost: a.test:443\r\nproxy-authorization: Basic dTpw\r\n\r\n"]
    assert b"proxy-authorization" not in provider.requests[0]


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_proxy_that_wants_credentials_is_a_proxy_failure(
    scheme: str, make_client: MakeClient, provide: Provide
) -> None:
    proxy = await provide(RealProxy({}, b"Basic x"))
    place = Proxy("127.0.0.1", proxy.port)
    client = make_client(proxies=Proxies(http=place, https=place))
    with pytest.raises(TransportFailure) as failure:
        await client.send(request(Origin(scheme, "a.test", 443)), connect_s=1, until_s=soon())
    assert (failure.value.kind, failure.value.sent) == (FailureKind.PROXY_FAILED, False)
    assert "407" in failure.value.message
    await eventually(lambda: proxy.closed == 1)
    assert client.stats.open == 0


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nbad",
        b"HTTP/1.1 200",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 20_000 + b"\r\n\r\n",
    ],
)
async def test_proxy_that_gives_no_tunnel_is_a_proxy_failure(
    answer: bytes, make_client: MakeClient, provide: Provide
) -> None:
    async def script(provider: Provider, reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    proxy = await provide(script)
    client = make_client(proxies=Proxies(https=Proxy("127.0.0.1", proxy.port)))
    with pytest.raises(TransportFailure) as failure:
        await client.send(request(Origin("https", "a.test", 443)), connect_s=1, until_s=soon())
    assert (failure.value.kind, failure.value.sent) == (FailureKind.PROXY_FAILED, False)


async def test_silent_proxy_is_a_connect_timeout(make_client: MakeClient, provide: Provide) -> None:
    async def mute(provider: Provider, reader: Reader, writer: Writer) -> None:
        await until_closed(reader)

    proxy = await provide(mute)
    client = make_client(proxies=Proxies(https=Proxy("127.0.0.1", proxy.port)))
    with pytest.raises(TransportFailure) as failure:
        await client.send(request(Origin("https", "a.test", 443)), connect_s=0.05, until_s=soon())
    assert failure.value.kind is FailureKind.CONNECT_TIMEOUT
    await eventually(lambda: proxy.closed == 1)


async def test_unreachable_proxy_is_a_proxy_failure(make_client: MakeClient, free_port: int) -> None:
    client = make_client(proxies=Proxies(http=Proxy("127.0.0.1", free_port)))
    with pytest.raises(TransportFailure) as failure:
        await client.send(request(Origin("http", "a.test", 80)), connect_s=1, until_s=soon())
    assert (failure.value.kind, failure.value.sent) == (FailureKind.PROXY_FAILED, False)


async def test_name_of_the_proxy_that_does_not_resolve_is_a_proxy_failure(make_client: MakeClient) -> None:
    async def nothing(host: str, port: int) -> list[tuple[int, tuple[str, int]]]:
        return []

    client = make_client(proxies=Proxies(http=Proxy("p.test", 80)), resolve=nothing)
    with pytest.raises(TransportFailure) as failure:
        await client.send(request(Origin("http", "a.test", 80)), connect_s=1, until_s=soon())
    assert failure.value.kind is FailureKind.PROXY_FAILED
