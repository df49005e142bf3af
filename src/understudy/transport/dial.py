"""From an origin to a connection: resolve, connect, pass the proxy, shake hands."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
from collections.abc import Callable
from typing import TypeVar

from understudy.core.failure import FailureKind
from understudy.core.value import keyword_value
from understudy.ports import Origin, TransportFailure
from understudy.transport.dns import Address, Dns
from understudy.transport.proxy import Proxy

P = TypeVar("P", bound=asyncio.Protocol)

_PROXY_HEAD_MAX_BYTES = 16 * 1024
_TUNNEL_MADE = (b"HTTP/1.1 2", b"HTTP/1.0 2")
# Our own shortage, not the provider's fault: nobody's standing may suffer from it.
_OUR_SHORTAGE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL})


@keyword_value
class Way:
    """How an origin is reached. `tls`: None for plain http."""

    origin: Origin
    proxy: Proxy | None
    tls: ssl.SSLContext | None

    @property
    def tunnelled(self) -> bool:
        """Whether the proxy is only a pipe (https), rather than a reader of every request (http)."""
        return self.proxy is not None and self.tls is not None


class Dialer:
    """Opens connections. Every failure comes as a `TransportFailure` with `sent=False`."""

    def __init__(self, dns: Dns, stagger_s: float) -> None:
        self._dns = dns
        self._stagger_s = stagger_s

    async def dial(self, way: Way, protocol: Callable[[], P]) -> P:
        """A connected protocol, through the proxy and TLS if there are any."""
        first = way.origin if way.proxy is None else way.proxy
        sock = await self._reach(first.host, first.port, via_proxy=way.proxy is not None)
        try:
            if way.tunnelled:
                await _tunnel(sock, way)
            return await _attach(sock, way, protocol)
        except BaseException:
            sock.close()
            raise

    async def _reach(self, host: str, port: int, *, via_proxy: bool) -> socket.socket:
        what = f"proxy {host}:{port}" if via_proxy else f"{host}:{port}"
        try:
            addresses = await self._dns.addresses(host, port)
        except OSError as error:
            kind = FailureKind.PROXY_FAILED if via_proxy else FailureKind.DNS_FAILED
            raise TransportFailure(kind, f"the name {host} was not resolved: {_reason(error)}", sent=False) from error
        try:
            sock, address = await _race(addresses, self._stagger_s)
        except OSError as error:
            kind = _kind_of(error)
            if via_proxy and kind is not FailureKind.BUSY:
                kind = FailureKind.PROXY_FAILED
            raise TransportFailure(kind, f"no connection to {what}: {_reason(error)}", sent=False) from error
        self._dns.prefer(host, port, address)
        return sock


def _reason(error: OSError) -> str:
    """The system's own words: a loop's for the same number are made of Python's tuples. Resolvers have negative numbers, and words."""
    return os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)


def _kind_of(error: OSError) -> FailureKind:
    if error.errno in _OUR_SHORTAGE:
        return FailureKind.BUSY
    if error.errno == errno.ETIMEDOUT:
        return FailureKind.CONNECT_TIMEOUT
    if error.errno in (errno.ECONNRESET, errno.ECONNABORTED):
        return FailureKind.CONNECTION_LOST
    return FailureKind.CONNECTION_REFUSED


async def _race(addresses: list[Address], stagger_s: float) -> tuple[socket.socket, Address]:
    """The first address that answers; each next one starts when the last has failed or has had its head start.

    Raises the first address's `OSError` when all fail.
    """
    if len(addresses) == 1:
        return await _connect(addresses[0])
    waiting = list(reversed(addresses))
    running: list[asyncio.Task[tuple[socket.socket, Address]]] = []
    errors: list[OSError] = []
    try:
        while waiting or running:
            if waiting:
                running.append(asyncio.create_task(_connect(waiting.pop())))
            done, _ = await asyncio.wait(
                running, timeout=stagger_s if waiting else None, return_when=asyncio.FIRST_COMPLETED
            )
            for task in [task for task in running if task in done]:
                running.remove(task)
                error = task.exception()
                if error is None:
                    return task.result()
                if not isinstance(error, OSError):
                    raise error
                errors.append(error)
        raise errors[0]
    finally:
        for task in running:
            task.cancel()
            task.add_done_callback(_close_late_winner)


def _close_late_winner(task: asyncio.Task[tuple[socket.socket, Address]]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result()[0].close()


async def _connect(address: Address) -> tuple[socket.socket, Address]:
    family, place = address
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(sock, place)
    except BaseException:
        sock.close()
        raise
    return sock, address


async def _tunnel(sock: socket.socket, way: Way) -> None:
    """Ask the proxy for a pipe to the origin (CONNECT)."""
    assert way.proxy is not None
    host = f"[{way.origin.host}]" if ":" in way.origin.host else way.origin.host
    place = f"{host}:{way.origin.port}".encode("ascii")
    head = b"CONNECT %b HTTP/1.1\r\nhost: %b\r\n" % (place, place)
    if way.proxy.authorization is not None:
        head += b"proxy-authorization: %b\r\n" % way.proxy.authorization
    loop = asyncio.get_running_loop()
    try:
        await loop.sock_sendall(sock, head + b"\r\n")
        answer = await _proxy_head(sock)
    except OSError as error:
        raise TransportFailure(
            FailureKind.PROXY_FAILED, f"the proxy closed the connection: {_reason(error)}", sent=False
        ) from error
    if not answer.startswith(_TUNNEL_MADE):
        line = answer.partition(b"\r\n")[0][:200].decode("ascii", "replace")
        raise TransportFailure(FailureKind.PROXY_FAILED, f"the proxy refused the tunnel: {line}", sent=False)


async def _proxy_head(sock: socket.socket) -> bytes:
    """The head of the proxy's answer. The origin does not speak before us, so nothing can follow it."""
    loop = asyncio.get_running_loop()
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        data = await loop.sock_recv(sock, 4096)
        if not data:
            raise ConnectionResetError(errno.ECONNRESET, "it ended within its answer")
        head += data
        if len(head) > _PROXY_HEAD_MAX_BYTES:
            raise ConnectionAbortedError(errno.ECONNABORTED, "its answer is too long")
        if b"\r\n\r\n" in head and not head.startswith(_TUNNEL_MADE):
            break  # an error page follows; its first line says enough
    return head


async def _attach(sock: socket.socket, way: Way, protocol: Callable[[], P]) -> P:
    """Give the socket to the loop, over TLS where the origin asks for it."""
    loop = asyncio.get_running_loop()
    if way.tls is None:
        _, attached = await loop.create_connection(protocol, sock=sock)
        return attached
    host = way.origin.host
    try:
        _, attached = await loop.create_connection(protocol, sock=sock, ssl=way.tls, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        message = f"the certificate of {host} was not accepted: {error.verify_message}"
        raise TransportFailure(FailureKind.TLS_FAILED, message, sent=False) from error
    except ssl.SSLError as error:
        message = f"no TLS with {host}: {error.reason or error}"
        raise TransportFailure(FailureKind.TLS_FAILED, message, sent=False) from error
    except OSError as error:
        message = f"{host} closed the connection during the TLS handshake: {_reason(error)}"
        raise TransportFailure(FailureKind.TLS_FAILED, message, sent=False) from error
    return attached
