"""The only module that knows every concrete class: puts an engine, a client and a data plane together from a configuration."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from understudy.config import Configuration
from understudy.config.registries import BALANCERS, STRATEGIES
from understudy.config.secrets import Vault
from understudy.core.candidate import Condition
from understudy.core.resilience.breaker import Event as BreakerEvent
from understudy.core.scoreboard import Scoreboard
from understudy.core.target import Target
from understudy.dialects import CountForm, Format, converses
from understudy.dialects._counting import Counting
from understudy.engine.observers import Events
from understudy.engine.router import Engine
from understudy.engine.snapshot import Parts, Snapshot
from understudy.gateway.data_plane import DataPlane
from understudy.local.places import Whereabouts, hosted_targets
from understudy.ports import HttpClient
from understudy.providers import facts
from understudy.registry import Registry
from understudy.transport.client import Client
from understudy.transport.server import Server

if TYPE_CHECKING:  # few have model servers of their own, and nobody else is to wait for their import
    from understudy.local.client import HostedClient
    from understudy.local.keeper import Keeper

log = logging.getLogger("understudy")

DIALECTS: Registry[Format | CountForm] = Registry("understudy.dialects", "DIALECT", kind="dialect")
ELIGIBILITY: Registry[Condition] = Registry("understudy.core.eligibility", "CONDITION", kind="eligibility condition")


def make_parts() -> Parts:
    """The registries that plans are made from."""
    return Parts(STRATEGIES, BALANCERS, [ELIGIBILITY.build(name) for name in ELIGIBILITY.names()])


UPSTREAM_ONLY = frozenset({"bedrock_converse", "cohere_chat", "ollama_chat"})
"""Wire formats that no caller can speak: loaded only for targets that do."""


def make_dialects(targets: Iterable[Target] | None = None) -> dict[str, Format]:
    """Every wire format that callers or these targets' providers speak, by name. `targets`: None for any target there could be."""
    spoken = None if targets is None else {wire.dialect for target in targets for wire in facts(target.provider).wires}
    names = [name for name in DIALECTS.names() if spoken is None or name in spoken or name not in UPSTREAM_ONLY]
    entries = {name: DIALECTS.build(name) for name in names}
    made = {name: entry for name, entry in entries.items() if not isinstance(entry, CountForm)}
    for name, form in entries.items():
        if isinstance(form, CountForm):
            dialect = made[form.of]
            assert converses(dialect), f"{name} counts what {form.of} says, which is no conversation"
            made[name] = Counting(name, form, dialect)
    return made


def make_vault(
    configuration: Configuration, env: Mapping[str, str] | None = None, http: HttpClient | None = None
) -> Vault:
    """Where credentials are read. `env`: None for the process's own environment. `http`: how sources of tokens are asked."""
    folder = Path(configuration.source).parent if configuration.source else Path()
    return Vault(env, folder, http)


def make_snapshot(
    configuration: Configuration,
    board: Scoreboard,
    env: Mapping[str, str] | None = None,
    http: HttpClient | None = None,
) -> Snapshot:
    """A configuration made ready. `env`, `http`: as `make_vault`."""
    dialects = make_dialects(configuration.targets.values())
    return Snapshot(configuration, board, make_vault(configuration, env, http), dialects, make_parts())


def make_client(configuration: Configuration) -> Client | HostedClient:
    """The way to the providers, and to model servers of our own where there are any."""
    client = Client(configuration.client, tls=configuration.tls, proxies=configuration.proxies)
    hosted = hosted_targets(configuration)
    if not hosted:
        return client
    from understudy.local.client import HostedClient

    return HostedClient(client, hosted)


def make_keeper(
    configuration: Configuration, client: Client | HostedClient, engine: Engine | None = None
) -> Keeper | None:
    """Who keeps the model servers of our own for one client in this process; None where there are none. `engine`: see `place`."""
    if isinstance(client, Client):
        return None
    from understudy.local.keeper import Keeper

    return Keeper(configuration, partial(place, client, engine))


def place(client: HostedClient, engine: Engine | None, told: Whereabouts) -> None:
    """Where a model server of ours is from now on. `engine`: whose breakers hear that one is up; None: nobody's.

    Its keeper has seen it answer, which is as good as a probe: a breaker that opened while it was away need not wait.
    """
    client.place(told)
    if engine is not None and told.port is not None:
        engine.board.operate(told.target, BreakerEvent.PROBE_GOOD, engine.now_s())


def make_engine(
    configuration: Configuration, client: HttpClient, *, workers: int = 1, env: Mapping[str, str] | None = None
) -> Engine:
    """An engine on the running loop. `workers`: how many share the configured limits."""
    loop = asyncio.get_running_loop()
    events = Events(_observer_failed)
    board = Scoreboard(1.0 / workers, events.emit, configuration.health.window)
    return Engine(
        make_snapshot(configuration, board, env, client),
        board=board,
        client=client,
        events=events,
        now_s=loop.time,
        wall_s=time.time,
        prefix=f"d{secrets.token_hex(5)}-",
        seed=secrets.randbits(64),
    )


def make_server(configuration: Configuration, engine: Engine) -> Server:
    """The data plane's server, not yet listening."""
    plane = DataPlane(engine, engine.snapshot.dialects)
    return Server(plane, plane.refusal, configuration.server, on_error=_handler_failed)


def _handler_failed(error: BaseException) -> None:
    log.error("a request failed inside the router; please report this", exc_info=error)


def _observer_failed(error: Exception) -> None:
    log.error("an observer of events failed", exc_info=error)
