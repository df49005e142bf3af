"""The transport's server and client back to back, relaying bytes: the floor of what a request can cost.

    python -m understudy.transport.relay --port 8484 --upstream http://127.0.0.1:9000

Requests whose body holds `"stream":true` (or whose `accept` asks for an event stream) are relayed piece by piece, others
as a whole. Nothing is decided, parsed or counted here.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from understudy.core.failure import TABLE, FailureKind
from understudy.ports import Exchange, Header, HttpClient, HttpRequest, Origin, TransportFailure
from understudy.transport.client import Client
from understudy.transport.server import Server
from understudy.transport.tls import Tls

_CONNECT_S, _ANSWER_S, _SILENCE_S = 5.0, 300.0, 60.0
_PASSED_ON = (b"authorization", b"content-type", b"accept")
_PASSED_BACK = (b"content-type", b"cache-control")


class Relay:
    """Sends every request to one origin, unchanged, and its answer back. Made on the loop that it runs on."""

    def __init__(self, client: HttpClient, origin: Origin) -> None:
        self._client = client
        self._origin = origin
        self._now_s = asyncio.get_running_loop().time  # asking for the running loop costs a system call each time

    async def __call__(self, exchange: Exchange) -> None:
        """Relay one request."""
        headers = exchange.headers
        request = HttpRequest(
            method=exchange.method,
            origin=self._origin,
            path=f"{exchange.path}?{exchange.query}" if exchange.query else exchange.path,
            headers=tuple([(name, headers[name]) for name in _PASSED_ON if name in headers]),
            body=exchange.body,
        )
        try:
            if b'"stream":true' in exchange.body or headers.get(b"accept") == b"text/event-stream":
                await self._stream(exchange, request)
            else:
                await self._send(exchange, request)
        except TransportFailure as failure:
            fields, body = refusal(exchange.path, failure.kind, failure.message)
            exchange.respond(TABLE[failure.kind].status, fields, body)

    async def _send(self, exchange: Exchange, request: HttpRequest) -> None:
        answer = await self._client.send(request, connect_s=_CONNECT_S, until_s=self._now_s() + _ANSWER_S)
        headers = answer.headers
        exchange.respond(
            answer.status, [(name, headers[name]) for name in _PASSED_BACK if name in headers], answer.body
        )

    async def _stream(self, exchange: Exchange, request: HttpRequest) -> None:
        now_s = self._now_s
        stream = await self._client.stream(request, connect_s=_CONNECT_S, until_s=now_s() + _SILENCE_S)
        try:
            headers = stream.headers
            exchange.start(stream.status, [(name, headers[name]) for name in _PASSED_BACK if name in headers])
            while data := await stream.read(now_s() + _SILENCE_S):
                await exchange.write(data)
            exchange.finish()
        except TransportFailure:
            exchange.abort()
        finally:
            stream.close()


def refusal(path: str, kind: FailureKind, message: str) -> tuple[tuple[Header, ...], bytes]:
    """Errors as plain text."""
    return ((b"content-type", b"text/plain"),), f"{kind}: {message} ({path})\n".encode()


def origin_of(url: str) -> Origin:
    """`http://host:port` as an origin."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise argparse.ArgumentTypeError(f"{url} is not http(s)://host[:port]")
    return Origin(parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80))


async def serve(host: str, port: int, upstream: Origin, tls: Tls) -> None:
    """Relay until SIGTERM or SIGINT, then drain."""
    client = Client(tls=tls)
    server = Server(Relay(client, upstream), refusal, on_error=traceback.print_exception)
    await server.listen(host=host, port=port)
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    sys.stdout.write(f"relay listens on {host}:{server.port}\n")
    sys.stdout.flush()
    await stop.wait()
    await server.drain(5.0)
    await client.close()


def event_loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """The loop of uvloop where it is installed, else the standard one."""
    if importlib.util.find_spec("uvloop") is None:
        return asyncio.new_event_loop
    import uvloop

    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m understudy.transport.relay", description=__doc__.split("\n")[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: any free port, written to standard output")
    parser.add_argument("--upstream", type=origin_of, required=True, help="http(s)://host[:port]")
    parser.add_argument("--ca-file", help="authority of an https upstream")
    parser.add_argument("--stock-loop", action="store_true", help="asyncio's own loop even where uvloop is installed")
    options: Any = parser.parse_args(arguments)
    factory = asyncio.new_event_loop if options.stock_loop else event_loop_factory()
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(serve(options.host, options.port, options.upstream, Tls(ca_file=options.ca_file)))


if __name__ == "__main__":
    main()
