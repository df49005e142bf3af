"""Names to addresses, remembered for a little while and used beyond it while the resolver fails."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable

from understudy.core.value import value
from understudy.transport.settings import ClientSettings

Address = tuple[int, tuple[str, int]]
"""Address family, and host and port as `connect` takes them."""

Resolve = Callable[[str, int], Awaitable[list[Address]]]
"""Asks for a name's addresses. Raises `OSError` when there is no answer."""

_PATIENCE_S = 1.0  # how long a refresh is waited for while an older answer is at hand


async def resolve_by_system(host: str, port: int) -> list[Address]:
    """Ask the system's resolver (in a thread of the loop's), both families in its order of preference."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return [(family, (str(address[0]), int(address[1]))) for family, _, _, _, address in found]


@value
class _Answer:
    addresses: list[Address]
    at_s: float


class Dns:
    """A cache in front of a resolver.

    An answer is fresh for `dns_fresh_s`. After that it is asked for again; the older one stands in, up to
    `dns_stale_s` of age, when the resolver fails or takes longer than a second. One question per name is under way at a
    time.
    """

    def __init__(self, settings: ClientSettings, resolve: Resolve = resolve_by_system) -> None:
        self._fresh_s = settings.dns_fresh_s
        self._stale_s = settings.dns_stale_s
        self._resolve = resolve
        self._answers: dict[tuple[str, int], _Answer] = {}
        self._asking: dict[tuple[str, int], asyncio.Task[list[Address]]] = {}

    async def addresses(self, host: str, port: int) -> list[Address]:
        """At least one address, families alternating, the one that worked last first. Raises `OSError` if none."""
        if (literal := _literal(host, port)) is not None:
            return [literal]
        key = (host, port)
        now_s = asyncio.get_running_loop().time()
        known = self._answers.get(key)
        if known is not None and now_s - known.at_s < self._fresh_s:
            return known.addresses
        asking = self._ask(key)
        if known is None or now_s - known.at_s >= self._stale_s:
            return await asyncio.shield(asking)
        await asyncio.wait((asking,), timeout=_PATIENCE_S)
        if asking.done() and not asking.cancelled() and asking.exception() is None:
            return asking.result()
        return known.addresses

    def prefer(self, host: str, port: int, address: Address) -> None:
        """Remember that this address could be reached, so that it is tried first."""
        known = self._answers.get((host, port))
        if known is not None and address in known.addresses and known.addresses[0] != address:
            known.addresses.remove(address)
            known.addresses.insert(0, address)

    def close(self) -> None:
        """Stop asking."""
        for asking in self._asking.values():
            asking.cancel()

    def _ask(self, key: tuple[str, int]) -> asyncio.Task[list[Address]]:
        asking = self._asking.get(key)
        if asking is None:
            asking = self._asking[key] = asyncio.get_running_loop().create_task(self._look_up(key))
            asking.add_done_callback(lambda task: task.cancelled() or task.exception())  # read, so that none is logged
        return asking

    async def _look_up(self, key: tuple[str, int]) -> list[Address]:
        try:
            found = await self._resolve(*key)
        finally:
            del self._asking[key]
        if not found:
            raise OSError(f"{key[0]} has no address")
        addresses = _alternate(found)
        self._answers[key] = _Answer(addresses, asyncio.get_running_loop().time())
        return addresses


def _literal(host: str, port: int) -> Address | None:
    """The address that the name already is."""
    try:
        version = ipaddress.ip_address(host).version
    except ValueError:
        return None
    return (socket.AF_INET if version == 4 else socket.AF_INET6), (host, port)


def _alternate(found: list[Address]) -> list[Address]:
    """Families in turn, beginning with the resolver's first choice: one that leads nowhere then delays only once."""
    first = [address for address in found if address[0] == found[0][0]]
    other = [address for address in found if address[0] != found[0][0]]
    mixed: list[Address] = []
    for index in range(max(len(first), len(other))):
        mixed += first[index : index + 1] + other[index : index + 1]
    return mixed
