"""The HTTP client: requests to providers over kept connections."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from understudy.core.value import keyword_value
from understudy.ports import HttpAnswer, HttpRequest, Origin, TransportFailure
from understudy.transport.dial import Dialer, Way
from understudy.transport.dns import Dns, Resolve, resolve_by_system
from understudy.transport.outbound import OutboundConnection, StaleConnection
from understudy.transport.outbox import Outbox
from understudy.transport.pool import Pool
from understudy.transport.proxy import Proxies
from understudy.transport.settings import ClientSettings
from understudy.transport.stream import OutboundStream
from understudy.transport.tls import Tls, client_context

A = TypeVar("A")
Begin = Callable[[OutboundConnection, tuple[bytes, ...], float, str], "asyncio.Future[A]"]
"""How a connection is set to work on a request."""


@keyword_value
class ClientStats:
    """What the client holds now. `open`: connections that exist or are being made; `idle`: those kept for later."""

    origins: int
    open: int
    idle: int


class Client:
    """`understudy.ports.HttpClient`. It belongs to the event loop on which it is first used.

    A request that went out over a kept connection which then died before any byte of an answer is sent once more, over a
    new connection: the provider had closed it while it lay idle. Nothing else is ever repeated here.

    `accept-encoding: identity` is sent unless the request says otherwise. A provider that compresses all the same is
    understood: gzip and deflate are undone (within `answer_max_bytes`), and the answer's headers no longer mention them.

    `tls` applies to every https origin that `tls_of` does not name.
    """

    def __init__(
        self,
        settings: ClientSettings | None = None,
        *,
        tls: Tls | None = None,
        tls_of: Mapping[Origin, Tls] | None = None,
        proxies: Proxies | None = None,
        resolve: Resolve = resolve_by_system,
    ) -> None:
        self.settings = settings or ClientSettings()
        self._tls = tls or Tls()
        self._tls_of = dict(tls_of or {})
        self._proxies = proxies or Proxies()
        self._contexts: dict[int, ssl.SSLContext] = {}
        self._dns = Dns(self.settings, resolve)
        self._dialer = Dialer(self._dns, self.settings.stagger_s)
        self._pools: dict[Origin, Pool] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._outbox = Outbox()
        self._sweep_timer: asyncio.TimerHandle | None = None
        self._closed = False

    def send(self, request: HttpRequest, *, connect_s: float, until_s: float) -> Coroutine[Any, Any, HttpAnswer]:
        """The whole answer. See `understudy.ports.HttpClient`."""
        return self._carry(OutboundConnection.fetch, request, connect_s, until_s)

    def stream(self, request: HttpRequest, *, connect_s: float, until_s: float) -> Coroutine[Any, Any, OutboundStream]:
        """The answer from its headers on. See `understudy.ports.HttpClient`."""
        return self._carry(OutboundConnection.open, request, connect_s, until_s)

    async def _carry(self, begin: Begin[A], request: HttpRequest, connect_s: float, until_s: float) -> A:
        pool = self._pools.get(request.origin) or self._pool(request.origin)
        pieces = pool.encode(request)
        connection = pool.take() or await self._connect(pool, connect_s, until_s)
        waiter = begin(connection, pieces, until_s, request.method)
        try:
            return await waiter
        except StaleConnection:
            connection = await self._reconnect(request.origin, connect_s, until_s)
        except asyncio.CancelledError:
            connection.abandon(waiter)
            raise
        waiter = begin(connection, pieces, until_s, request.method)
        try:
            return await waiter
        except asyncio.CancelledError:
            connection.abandon(waiter)
            raise

    @property
    def stats(self) -> ClientStats:
        """Counts over all origins."""
        pools = self._pools.values()
        return ClientStats(
            origins=len(pools), open=sum(pool.open for pool in pools), idle=sum(pool.idle for pool in pools)
        )

    async def close(self) -> None:
        """Close every connection; requests under way fail with CONNECTION_LOST or TRUNCATED."""
        self._closed = True
        if self._sweep_timer is not None:
            self._sweep_timer.cancel()
            self._sweep_timer = None
        for pool in list(self._pools.values()):
            pool.close()
        self._dns.close()
        await asyncio.sleep(0)  # the transports' own last callbacks

    async def _connect(self, pool: Pool, connect_s: float, until_s: float) -> OutboundConnection:
        assert self._loop is not None
        return await pool.connect(min(self._loop.time() + connect_s, until_s))

    async def _reconnect(self, origin: Origin, connect_s: float, until_s: float) -> OutboundConnection:
        """A new connection for a request that has already been sent once, which a failure must still say."""
        pool = self._pools.get(origin) or self._pool(origin)  # the sweep may have dropped the emptied one
        try:
            return await self._connect(pool, connect_s, until_s)
        except TransportFailure as failure:
            raise TransportFailure(failure.kind, failure.message, sent=True) from failure

    def _pool(self, origin: Origin) -> Pool:
        loop = asyncio.get_running_loop()
        if self._closed:
            raise RuntimeError("this client has been closed")
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            raise RuntimeError("a client belongs to the event loop on which it was first used")
        if origin.scheme not in ("http", "https"):
            raise ValueError(f"{origin.scheme}:// is not spoken here")
        way = Way(
            origin=origin,
            proxy=self._proxies.toward(origin),
            tls=self._context(origin) if origin.scheme == "https" else None,
        )
        pool = self._pools[origin] = Pool(way, self._dialer, self.settings, loop, self._outbox)
        if self._sweep_timer is None:
            self._sweep_timer = loop.call_later(self.settings.sweep_s, self._sweep)
        return pool

    def _context(self, origin: Origin) -> ssl.SSLContext:
        """One context per settings value: building one reads every authority of the system."""
        tls = self._tls_of.get(origin, self._tls)
        context = self._contexts.get(id(tls))
        if context is None:
            context = self._contexts[id(tls)] = client_context(tls)
        return context

    def _sweep(self) -> None:
        """Enforce every deadline; the timer rests when there is nothing to watch."""
        assert self._loop is not None
        now_s = self._loop.time()
        for origin, pool in list(self._pools.items()):
            pool.sweep(now_s)
            if pool.empty:
                del self._pools[origin]
        if self._pools:
            self._sweep_timer = self._loop.call_later(self.settings.sweep_s, self._sweep)
        else:
            self._sweep_timer = None
