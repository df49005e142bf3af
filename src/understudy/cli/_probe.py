"""Asks each target for a word, to see whether address, key and model are right."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress

from understudy.config import Configuration
from understudy.config.discovered import chosen
from understudy.config.secrets import Vault
from understudy.core.failure import Failure, FailureKind
from understudy.core.value import keyword_value
from understudy.dialects import Format
from understudy.engine.discovery import ask_models
from understudy.engine.small_question import ask
from understudy.engine.snapshot import Upstream
from understudy.ports import HttpClient
from understudy.wiring import make_client, make_dialects, make_keeper, make_vault

ANSWER_S = 30.0
LOADING_S = 120.0
"""How long our own model servers may take to load their models."""


@keyword_value
class Probe:
    """What one target did. `ms`: from asking to its answer. `failure`: None when it answered.

    `models`: what its server says it has, () where servers do not say.
    """

    target: str
    ms: float
    failure: Failure | None
    models: tuple[str, ...] = ()


async def probe(configuration: Configuration) -> tuple[Probe, ...]:
    """Ask every target that is reached over the network, all at once; costs a few tokens each.

    Model servers of our own are started for it.
    """
    client = make_client(configuration)
    keeper = make_keeper(configuration, client)
    dialects = make_dialects()
    vault = make_vault(configuration, http=client)
    asked = [Upstream(target, vault, dialects) for target in configuration.targets.values() if target.dialects]
    try:
        if keeper is not None:
            keeper.start()
            with suppress(TimeoutError):
                await asyncio.wait_for(keeper.settled(), LOADING_S)
        return tuple(await asyncio.gather(*(_ask(client, one, dialects, vault) for one in asked)))
    finally:
        await client.close()
        if keeper is not None:
            await keeper.close()


async def _ask(client: HttpClient, upstream: Upstream, dialects: Mapping[str, Format], vault: Vault) -> Probe:
    target = upstream.target
    models = await ask_models(client, upstream)
    if not target.model and models:
        target = chosen(target, models)
    started_s = time.monotonic()
    failure = _NO_MODEL
    if target.model:
        now_s = asyncio.get_running_loop().time()
        told = await ask(client, Upstream(target, vault, dialects), dialects, now_s=now_s, until_s=now_s + ANSWER_S)
        failure = told.failure
    ms = round((time.monotonic() - started_s) * 1000, 1)
    return Probe(target=target.name, ms=ms, failure=failure, models=models)


_NO_MODEL: Failure | None = Failure(
    FailureKind.UNAVAILABLE, "its server tells no models; start it, or give the target a `model`"
)
