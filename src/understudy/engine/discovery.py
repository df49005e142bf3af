"""Asks local servers which models they have, at the start and from time to time; nobody waits for it.

A target that was configured without a model takes part as soon as its server has told one. What a server said stays valid
while it is away.
"""

from __future__ import annotations

import asyncio

import msgspec

from understudy.config import Configuration
from understudy.config.discovered import MODELS_MAX, open_targets, with_models
from understudy.config.secrets import CredentialUnavailable
from understudy.core.target import Target
from understudy.engine.router import Engine
from understudy.engine.snapshot import Upstream
from understudy.ports import HttpClient, HttpRequest, TransportFailure
from understudy.providers import facts, listing

CONNECT_S = 1.0
ANSWER_S = 3.0
SEEK_S = 5.0
"""Between two looks while some server has told nothing yet."""

AGAIN_S = 60.0
"""Between two looks when all have: models come and go."""


class Discovery:
    """What the servers of one configuration say. It belongs to the event loop of its engine."""

    __slots__ = ("_client", "_configuration", "_engine", "_task", "found")

    def __init__(self, engine: Engine, client: HttpClient) -> None:
        self._engine = engine
        self._client = client
        self._configuration: Configuration = engine.snapshot.configuration
        self._task: asyncio.Task[None] | None = None
        self.found: dict[str, tuple[str, ...]] = {}

    def start(self) -> None:
        """Begin to look, where there is anybody to ask."""
        if open_targets(self._configuration):
            self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))

    async def look(self) -> None:
        """Ask everybody once, at the same time. What is new is in force when this returns."""
        targets = open_targets(self._configuration)
        told = await asyncio.gather(*(self._ask(target) for target in targets))
        found = self.found | {target.name: models for target, models in zip(targets, told, strict=True) if models}
        if found != self.found:
            self.found = found
            self._engine.snapshot = self._engine.snapshot.renewed(with_models(self._configuration, found))

    async def _run(self) -> None:
        while True:
            await self.look()
            known = len(self.found) == len(open_targets(self._configuration))
            await asyncio.sleep(AGAIN_S if known else SEEK_S)

    async def _ask(self, target: Target) -> tuple[str, ...]:
        return await ask_models(self._client, self._engine.snapshot.upstreams[target.name])


async def ask_models(client: HttpClient, upstream: Upstream) -> tuple[str, ...]:
    """The models of a target's server, in its own order; () when it cannot be asked or tells none."""
    target = upstream.target
    path = listing(target)
    if path is None or facts(target.provider).models_path is None:
        return ()
    now_s = asyncio.get_running_loop().time()
    try:
        if now_s >= upstream.fresh_until_s:
            await upstream.renew(now_s)
        where, headers = upstream.way(upstream.preferred, ())
        request = HttpRequest(method="GET", origin=where.origin, path=path, headers=headers, body=b"")
        answer = await client.send(request, connect_s=CONNECT_S, until_s=now_s + ANSWER_S)
    except (TransportFailure, CredentialUnavailable):
        return ()
    return listed(answer.body) if answer.status == 200 else ()


def listed(body: bytes) -> tuple[str, ...]:
    """The names in a listing, as OpenAI (`data`, `id`) or Ollama (`models`, `name`) writes it; () for anything else."""
    try:
        told = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return ()
    if not isinstance(told, dict):
        return ()
    for entries, name in (("data", "id"), ("models", "name")):
        found = told.get(entries)
        if isinstance(found, list):
            names = [entry.get(name) for entry in found[: 10 * MODELS_MAX] if isinstance(entry, dict)]
            return tuple(dict.fromkeys(name for name in names if isinstance(name, str)))
    return ()
