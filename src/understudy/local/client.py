"""The way to model servers of our own: where each one is now, its secret, and why it cannot be asked while it cannot."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable
from dataclasses import replace
from typing import Any

from understudy.core.failure import FailureKind
from understudy.core.target import Target
from understudy.local.places import Whereabouts
from understudy.ports import HttpAnswer, HttpRequest, Origin, TransportFailure
from understudy.providers import address
from understudy.transport.client import Client, ClientStats
from understudy.transport.stream import OutboundStream


class HostedClient:
    """`understudy.ports.HttpClient`: the same as `client` for all the world, and the way to our own servers.

    Until it is told otherwise (`place`), none of them is up: asking one fails at once, as NOT_READY or KEPT_DOWN, with the reason.
    """

    def __init__(self, client: Client, hosted: Iterable[Target]) -> None:
        self._client = client
        self._origins = {target.name: address(target.base_url)[0] for target in hosted}
        self._places = {origin: Whereabouts(name) for name, origin in self._origins.items()}

    def place(self, told: Whereabouts) -> None:
        """Where a server is from now on."""
        self._places[self._origins[told.target]] = told

    def send(self, request: HttpRequest, *, connect_s: float, until_s: float) -> Coroutine[Any, Any, HttpAnswer]:
        """See `understudy.ports.HttpClient`."""
        place = self._places.get(request.origin)
        asked = request if place is None else _toward(place, request)
        return self._client.send(asked, connect_s=connect_s, until_s=until_s)

    def stream(self, request: HttpRequest, *, connect_s: float, until_s: float) -> Coroutine[Any, Any, OutboundStream]:
        """See `understudy.ports.HttpClient`."""
        place = self._places.get(request.origin)
        asked = request if place is None else _toward(place, request)
        return self._client.stream(asked, connect_s=connect_s, until_s=until_s)

    @property
    def stats(self) -> ClientStats:
        """Counts over all origins."""
        return self._client.stats

    async def close(self) -> None:
        """Close every connection."""
        await self._client.close()


def _toward(place: Whereabouts, request: HttpRequest) -> HttpRequest:
    """The request as the server itself gets it. Raises `TransportFailure`."""
    if place.port is None:
        kind = FailureKind.KEPT_DOWN if place.kept_down else FailureKind.NOT_READY
        raise TransportFailure(kind, f"{place.target}: {place.why}", sent=False)
    shown = (b"authorization", b"Bearer " + place.secret.encode())
    return replace(request, origin=Origin("http", "127.0.0.1", place.port), headers=(*request.headers, shown))
