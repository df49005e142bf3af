"""Configuration: the values that everything else runs on. `load` makes them from YAML, `environment` from provider keys.

text       YAML 1.2-like scalars with their places; duplicate keys are errors      schema     what may be written, and what it means
expand     `${NAME}` and `${NAME:-default}`                    load       schema -> values, every problem at once
secrets    references to credentials, and the reading of them  ready      ready-made routes
names      what a request's `model` names                      canonical  the configuration as text, and its version
catalogue  what is publicly known of models fills in what was left out of the targets
"""

from __future__ import annotations

from understudy.core.health.probing import Health
from understudy.core.route import Route
from understudy.core.rules.rule import Rule
from understudy.core.target import Target
from understudy.core.value import keyword_value, value
from understudy.transport.proxy import Proxies
from understudy.transport.settings import ClientSettings, ServerSettings
from understudy.transport.tls import Tls

# What a request may say about its own routing with an `x-understudy-*` header, where its principal allows.
MAY = ("complexity", "deadline-ms", "labels", "route", "session", "strategy")


@keyword_value
class Principal:
    """Someone who may ask: an application with its own key.

    `key_sha256`: the key's SHA-256, lower-case hex. `routes`: what it may ask for (route or target names), None for
    everything. `may`: which of `MAY` it may say by header.
    """

    name: str
    key_sha256: str
    routes: tuple[str, ...] | None = None
    may: tuple[str, ...] = MAY


@value
class Taken:
    """A figure of a target that the catalogue gave. `source`: whose catalogue, and the provider and model under which it stands there."""

    target: str
    figure: str
    source: str


@keyword_value
class Configuration:
    """Everything that was configured, checked and complete.

    `routes`: what was written, or the ready-made ones, the first being the default. `names`: every name that a request's
    `model` may carry, and the route that answers for it (see `resolve`). `rules`: as written, in the order of the file. `version`: a short id of the content: equal
    content, equal version. `tls`, `proxies`, `client`: how providers are reached. `server`: what the data plane takes in. `health`: how targets are watched.
    `warnings`: what is odd but works. `taken`: what was not written and came from the catalogue. `source`: the file, None without one.
    """

    targets: dict[str, Target]
    routes: dict[str, Route]
    names: dict[str, Route]
    version: str
    principals: tuple[Principal, ...] = ()
    rules: tuple[Rule, ...] = ()
    tls: Tls = Tls()
    proxies: Proxies = Proxies()
    client: ClientSettings = ClientSettings()
    server: ServerSettings = ServerSettings()
    health: Health = Health()
    warnings: tuple[str, ...] = ()
    taken: tuple[Taken, ...] = ()
    source: str | None = None
