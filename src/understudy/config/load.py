"""Reads a configuration: a file, a text, or the provider keys in the environment. Tells every problem at once."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from understudy.config import Configuration, Principal, Taken
from understudy.config.canonical import version_of
from understudy.config.catalogue import Catalogue, UnreadableCatalogue
from understudy.config.catalogue.filled import filled
from understudy.config.catalogue.offered import offered
from understudy.config.edges import route_edges
from understudy.config.names import by_full_name_only, names_of
from understudy.config.problems import Path as Location
from understudy.config.problems import Problems, nearest
from understudy.config.ready import key_variables, ready_routes, targets_from_environment
from understudy.config.routes import read_routes
from understudy.config.schema import NOT_YET, SECTIONS
from understudy.config.schema.catalogue import CatalogueSection
from understudy.config.schema.health import HealthSection
from understudy.config.schema.kinds import name_problem
from understudy.config.schema.principals import PrincipalSection
from understudy.config.schema.transport import ServerSection, TransportSection
from understudy.config.secrets import beside
from understudy.config.targets import read_targets
from understudy.config.text import BYTES_MAX, Unreadable, read
from understudy.core.health.probing import Health
from understudy.core.route import Route
from understudy.core.rules.rule import Rule, preferred_of
from understudy.core.target import Probe, Target
from understudy.errors import ConfigurationError
from understudy.providers import listing
from understudy.transport.proxy import Proxies, Proxy
from understudy.transport.settings import ClientSettings, ServerSettings
from understudy.transport.tls import Tls, client_context

FILE = "understudy.yaml"

_NOTHING_TO_SERVE = (
    f"there is no {FILE} here, and no provider key in the environment: write one (docs/guides/configuration.md) or set one of "
    "{}; `understudy demo` needs neither"
)


def load(path: str | os.PathLike[str] = FILE, env: Mapping[str, str] | None = None) -> Configuration:
    """The configuration in a file. Raises `ConfigurationError`."""
    name = os.fspath(path)
    try:
        with Path(path).open("rb") as file:
            content = file.read(4 * BYTES_MAX)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "no such path"
        raise ConfigurationError([f"{name}: cannot be read: {why}"]) from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        raise ConfigurationError([f"{name}:{line}:{column}: is not UTF-8 text; save it as UTF-8"]) from None
    return loads(text, source=name, env=env)


def loads(text: str, *, source: str = FILE, env: Mapping[str, str] | None = None) -> Configuration:
    """The configuration in a text. `source`: what its problems call it. Raises `ConfigurationError`."""
    env = os.environ if env is None else env
    try:
        root, faults = read(text)
    except Unreadable as error:
        found = Problems(None, env)
        found.at(error.place, error.message)
        raise ConfigurationError(found.problems(source)) from None
    found = Problems(root, env)
    for fault in faults:
        found.at(fault.place, fault.message)
    data = {} if root is None else found.plain(root, ())
    configuration = _read(found, data, env, Path(source).parent) if isinstance(data, dict) else None
    if configuration is None:
        found.at(root.place if root else None, "a configuration is a mapping that begins with `targets:`")
    if problems := found.problems(source):
        raise ConfigurationError(problems)
    assert configuration is not None
    return replace(
        configuration,
        version=version_of(configuration),
        warnings=found.warnings(source),
        source=source,
    )


def from_environment(env: Mapping[str, str] | None = None) -> Configuration:
    """A configuration from the provider keys in the environment. Raises `ConfigurationError` when there are none."""
    env = os.environ if env is None else env
    targets, left_out = targets_from_environment(env)
    if not targets:
        raise ConfigurationError([_NOTHING_TO_SERVE.format(", ".join(key_variables())), *left_out])
    try:
        proxies = Proxies.from_environment(env)
    except ValueError as error:
        raise ConfigurationError([str(error)]) from None
    targets, taken = filled(targets, {}, Catalogue())
    routes = ready_routes(targets)
    made = Configuration(
        targets=targets,
        routes=routes,
        names=names_of(routes, targets),
        version="",
        proxies=proxies,
        warnings=left_out,
        taken=taken,
    )
    return replace(made, version=version_of(made))


def _read(found: Problems, data: dict[str, Any], env: Mapping[str, str], folder: Path) -> Configuration:
    _check_sections(found, data)
    declared = _mapping(found, data, "targets")
    targets, taken = _completed(found, data, read_targets(found, declared), declared, folder)
    written = _mapping(found, data, "routes")
    routes = read_routes(found, written, targets, declared, folder)
    if not declared and not written:
        found.absent(("targets",), "there are no targets: name at least one under `targets:`")
    if not written:
        routes = ready_routes({name: one for name, one in targets.items() if not by_full_name_only(one)})
    names = names_of(routes, targets)
    principals = _principals(found, data.get("principals"), [*names, *declared, *written])
    rules: tuple[Rule, ...] = ()
    if data.get("rules"):
        from understudy.config.rules import Known, read_rules  # not for those who have none

        known = Known(targets, declared, names, routes, tuple(one.name for one in principals))
        rules = read_rules(found, data["rules"], known)
        names = names_of(routes, targets)
    if written:
        _check_use(found, routes, targets, rules)
    transport = _section(found, data, "transport", TransportSection)
    server = _section(found, data, "server", ServerSection)
    tls = Tls(
        ca_file=_file(folder, transport.ca_file),
        cert_file=_file(folder, transport.cert_file),
        key_file=_file(folder, transport.key_file),
    )
    _check_certificates(found, tls)
    return Configuration(
        targets=targets,
        routes=routes,
        names=names,
        version="",
        principals=principals,
        rules=rules,
        tls=tls,
        proxies=_proxies(found, transport, env),
        client=replace(
            ClientSettings(), connections_max=transport.connections_max, answer_max_bytes=transport.answer_max_bytes
        ),
        server=replace(ServerSettings(), **server.model_dump()),
        health=_health(found, data, targets),
        taken=taken,
    )


def _completed(
    found: Problems, data: dict[str, Any], targets: dict[str, Target], declared: Mapping[str, Any], folder: Path
) -> tuple[dict[str, Target], tuple[Taken, ...]]:
    """The targets with what the catalogue knows of them."""
    section = _section(found, data, "catalogue", CatalogueSection)
    if not section.use:
        return targets, ()
    file = _file(folder, section.file)
    try:
        catalogue = Catalogue(None if file is None else Path(file))
        every = targets | offered(targets, catalogue) if section.models else targets
        return filled(every, declared, catalogue, prices=section.prices == "catalogue")
    except UnreadableCatalogue as error:
        found.problem(("catalogue", "file"), str(error))
        return targets, ()


def _check_sections(found: Problems, data: dict[str, Any]) -> None:
    for name, given in data.items():
        empty = given in (None, {}, [], "")
        if name in NOT_YET:
            if not empty:
                found.problem((name,), f"not available yet: {NOT_YET[name]}; leave `{name}` out", at_key=True)
        elif name == "board":
            if given not in (None, "memory"):
                found.problem((name,), "only `memory` is available yet: every worker of this machine shares one board")
        elif name not in SECTIONS:
            found.problem((name,), f"unknown section; {nearest(name, [*SECTIONS, 'board'])}", at_key=True)


def _mapping(found: Problems, data: dict[str, Any], name: str) -> dict[str, Any]:
    given = data.get(name)
    if given is None:
        return {}
    if not isinstance(given, dict):
        found.problem((name,), f"must be a mapping: the name of each of the {name}, then what it is")
        return {}
    return given


def _section(found: Problems, data: dict[str, Any], name: str, model: type[Any]) -> Any:
    given = data.get(name)
    section = found.section(model, {} if given is None else given, (name,))
    return model() if section is None else section


def _check_use(
    found: Problems, routes: Mapping[str, Route], targets: Mapping[str, Target], rules: tuple[Rule, ...]
) -> None:
    """What nothing leads to: a target in no route, or a fallback that the attempts do not suffice for."""
    used = {name for route in routes.values() for tier in route.tiers for name in tier.targets}
    used |= {name for rule in rules for name in preferred_of(rule)}
    for name, target in targets.items():
        if (
            name not in used and target.embeds is None and not by_full_name_only(target)
        ):  # a vector space names the model
            found.warning(("targets", name), "stands in no route; it answers only where a request names it")
    for route in routes.values():
        known = all(name in targets for tier in route.tiers for name in tier.targets)
        for edge in route_edges(route, dict(targets)) if known else ():
            if not edge.reachable:
                found.warning(
                    ("routes", route.name, "tiers", edge.tier), f'"{edge.target}" is never reached: {edge.why}'
                )


def _principals(found: Problems, given: Any, known: Collection[str]) -> tuple[Principal, ...]:
    """`known`: every name that may stand in `routes`."""
    if given is None:
        return ()
    if not isinstance(given, list):
        found.problem(("principals",), "must be a list: - {name: app, key_sha256: ...}")
        return ()
    principals: list[Principal] = []
    for index, one in enumerate(given):
        section = found.section(PrincipalSection, one, ("principals", index))
        if section is not None:
            _check_principal(found, section, index, principals, known)
            routes = None if section.routes is None else tuple(section.routes)
            principals.append(
                Principal(name=section.name, key_sha256=section.key_sha256, routes=routes, may=tuple(section.may))
            )
    return tuple(principals)


def _check_principal(
    found: Problems, section: PrincipalSection, index: int, others: list[Principal], known: Collection[str]
) -> None:
    path: Location = ("principals", index)
    if wrong := name_problem(section.name):
        found.problem((*path, "name"), wrong)
    for number, name in enumerate(section.routes or ()):
        if name not in known:
            found.problem((*path, "routes", number), f'unknown route or target "{name}"; {nearest(name, known)}')
    for other in others:
        if other.name == section.name:
            found.problem((*path, "name"), f'there is a principal "{section.name}" already')
        if other.key_sha256 == section.key_sha256:
            found.problem((*path, "key_sha256"), f'is the key of the principal "{other.name}" too')


def _health(found: Problems, data: dict[str, Any], targets: Mapping[str, Target]) -> Health:
    """How targets are watched. A target that asks for a list which nobody gives would never be seen to be back."""
    for name, target in targets.items():
        if target.probe is Probe.MODELS and listing(target) is None:
            found.problem(
                ("targets", name, "probe"),
                f"{target.provider} gives no list of models away; write `request`, which is billed, or `off`",
            )
    health: Health = _section(found, data, "health", HealthSection).value()
    return health


def _file(folder: Path, name: str | None) -> str | None:
    return None if name is None else str(beside(folder, name))


def _check_certificates(found: Problems, tls: Tls) -> None:
    if tls.key_file and not tls.cert_file:
        found.problem(("transport", "key_file"), "belongs to a cert_file; give that too")
        return
    for name in ("ca_file", "cert_file"):
        path = getattr(tls, name)
        if path is None:
            continue
        try:
            client_context(Tls(ca_file=path) if name == "ca_file" else replace(tls, ca_file=None))
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            why = getattr(error, "strerror", None) or error
            found.problem(("transport", name), f"cannot be used: {why}")


def _proxies(found: Problems, section: TransportSection, env: Mapping[str, str]) -> Proxies:
    if section.proxy is not None:
        proxy = Proxy.parse(section.proxy)
        return Proxies(http=proxy, https=proxy, direct=tuple(section.no_proxy))
    try:
        known = Proxies.from_environment(env)
    except ValueError as error:
        found.at(None, str(error))
        return Proxies()
    return replace(known, direct=(*known.direct, *section.no_proxy))
