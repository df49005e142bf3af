"""A configuration made ready: every route planned, every target's way out worked out. A request keeps the one it began with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar
from weakref import ref

from understudy.config import Configuration
from understudy.config.secrets import Vault
from understudy.core.candidate import Balancer, Condition, Strategy
from understudy.core.compile import compile_route
from understudy.core.decision import Decision
from understudy.core.plan import RoutePlan
from understudy.core.request import Operation
from understudy.core.route import Named, Route
from understudy.core.rules.ruling import Ruling
from understudy.core.scoreboard import Scoreboard
from understudy.core.select import replay
from understudy.core.standing import Standing
from understudy.core.target import Target
from understudy.dialects import Format, carried_by
from understudy.engine.estimate import ESTIMATE, counted
from understudy.engine.rules import NO_RULES, Rules
from understudy.ports import Header, HeaderMap
from understudy.providers import Endpoint, Player, endpoint, facts, player
from understudy.registry import Registry
from understudy.transport.hints import there_s
from understudy.transport.sigv4 import Scope, Signer

CACHE = "stale_cache"

E = TypeVar("E")


FRESH_S = 2.0
"""How long a credential is used before it is read again: a changed file or variable takes effect within that time."""


SIGNED_LATE_S = 240.0
"""By how much clocks may differ before a signature says the provider's time: Amazon takes five minutes, its own libraries begin a minute earlier."""


VARIANTS_MAX = 1024
"""Plans that combinations of rules make of routes: there are few in practice, and callers may not grow them."""


class Upstream:
    """One target's way out: where it is asked in each wire format it speaks, and how it is shown its key.

    `fresh_until_s`: when the key must be read again, by `renew`. `signer`: signs each request, None where the key itself is shown.
    """

    __slots__ = (
        "_ahead_s",
        "_scope",
        "_secret",
        "_vault",
        "_ways",
        "carries",
        "endpoints",
        "fresh_until_s",
        "player",
        "preferred",
        "signer",
        "target",
    )

    def __init__(self, target: Target, vault: Vault, dialects: Mapping[str, Format]) -> None:
        self.target = target
        self.player: Player | None = player(target)
        self.endpoints: dict[str, Endpoint] = {
            dialect: endpoint(target, dialect) for dialect in (*target.dialects, *target.counts)
        }
        self.carries: dict[str, Any] = {
            name: carried_by(dialects[name], where.quirks) for name, where in self.endpoints.items()
        }
        self.preferred = target.dialects[0] if target.dialects else ""
        self._vault = vault
        self._secret = ""
        self._scope = next((where.scope for where in self.endpoints.values()), None) if target.key_is_issued else None
        self.signer: Signer | None = None
        self._ahead_s = 0.0  # the provider's clock, as far as it matters to signatures
        self.fresh_until_s = float("-inf") if target.key is not None else float("inf")
        self._ways: dict[str, tuple[Endpoint, tuple[Header, ...]]] = {}

    def dialect_for(self, operation: Operation) -> str:
        """The target's first wire format of an operation, for callers whose own it does not speak."""
        return self.target.counts[0] if operation is Operation.COUNT else self.preferred

    def way(self, dialect: str, caller: tuple[Header, ...]) -> tuple[Endpoint, tuple[Header, ...]]:
        """Where it is asked, and everything that goes into the request's head."""
        known = self._ways.get(dialect)
        if known is None:
            where = self.endpoints[dialect]
            known = self._ways[dialect] = (where, where.headers + where.credential(self._secret))
        if caller:
            where = known[0]
            return where, where.along(caller) + where.credential(self._secret)
        return known

    @property
    def secret(self) -> str:
        """The key as it was last read; "" before that, and where there is none."""
        return self._secret

    def doubt(self, headers: HeaderMap, now_unix_s: float) -> None:
        """The provider refused the key: what a source handed out is renewed early, and looked at again at once.

        A signature may have been refused for its time alone: the next one says the time that the refusal (`headers`) does, as Amazon's
        own libraries do it.
        """
        if self.target.key is not None and self.target.key_is_issued:
            self._vault.doubt(self.target.key)
            self.fresh_until_s = float("-inf")
        if self.signer is not None:
            ahead_s = there_s(headers, now_unix_s) - now_unix_s
            self._ahead_s = ahead_s if abs(ahead_s) >= SIGNED_LATE_S else 0.0

    def signed(
        self, where: Endpoint, path: str, headers: tuple[Header, ...], body: bytes, now_unix_s: float
    ) -> tuple[Header, ...]:
        """The headers that show who asks, where requests are signed; none elsewhere."""
        if self.signer is None:
            return ()
        return self.signer.sign("POST", where.origin, path, headers, body, unix_s=now_unix_s + self._ahead_s)

    async def renew(self, now_s: float) -> None:
        """Read the key. Raises `CredentialUnavailable`."""
        assert self.target.key is not None
        secret = await (
            self._shown(self.target.key) if self._scope is None else self._signs(self.target.key, self._scope)
        )
        if secret != self._secret:
            self._secret = secret
            self._ways.clear()
        self.fresh_until_s = now_s + FRESH_S

    async def _shown(self, key: str) -> str:
        return (await self._vault.read(key)).reveal()

    async def _signs(self, key: str, scope: Scope) -> str:
        """A source may give a pair of keys to sign with, or a token to show."""
        granted = await self._vault.grant(key)
        secret, session = granted.secret.reveal(), granted.session_token
        if not granted.access_key:
            self.signer = None
            return secret
        self.signer = Signer(scope, granted.access_key, secret, session.reveal() if session else "")
        return ""


class Snapshot:
    """What requests run on. `plans`: by every name that a request's `model` may carry.

    `rulebooks`: by the same names, for those that any rule is about. `headers_read`: what rules look at among the headers, `spends`: among
    what was spent.
    """

    __slots__ = (
        "__weakref__",
        "_board",
        "_myself",
        "_parts",
        "_ruled",
        "_variants",
        "_vault",
        "cached_routes",
        "configuration",
        "dialects",
        "headers_read",
        "plans",
        "rulebooks",
        "spends",
        "upstreams",
        "version",
    )

    def __init__(
        self,
        configuration: Configuration,
        board: Scoreboard,
        vault: Vault,
        dialects: Mapping[str, Format],
        parts: Parts,
    ) -> None:
        self._board = board
        self._parts = parts
        self._vault = vault
        self._myself = ref(self)
        self._variants: dict[tuple[str, str | None, bool], RoutePlan] = {}
        self.configuration = configuration
        self.version = configuration.version
        self.dialects = dialects
        self.upstreams = {name: Upstream(target, vault, dialects) for name, target in configuration.targets.items()}
        planned: dict[int, RoutePlan] = {}
        self.plans: dict[str, RoutePlan] = {}
        for name, route in configuration.names.items():
            plan = planned.get(id(route))
            if plan is None:
                plan = planned[id(route)] = self._planned(route, board)
            self.plans[name] = plan
        self._ruled: dict[tuple[str, tuple[str, ...], str | None, bool], RoutePlan | None] = {}
        rules = Rules(configuration, board, self.plans) if configuration.rules else NO_RULES
        self.rulebooks, self.headers_read, self.spends = rules.books, rules.headers, rules.spends
        self.cached_routes = frozenset(
            plan.name for plan in planned.values() if any(entry.target.provider == CACHE for entry in plan.entries)
        )

    def warm(self) -> None:
        """Begin to fetch the credentials that sources hand out, on the running loop; nobody waits for them."""
        for target in self.configuration.targets.values():
            if target.key is not None and target.key_is_issued:
                self._vault.warm(target.key)

    def renewed(self, configuration: Configuration) -> Snapshot:
        """Another configuration, made ready with what this one has at hand: credentials above all."""
        return Snapshot(configuration, self._board, self._vault, self.dialects, self._parts)

    def plan(self, name: str, strategy: str | None, operation: Operation = Operation.CHAT) -> RoutePlan | None:
        """The route of that name, by the strategy that the caller asks for, if any; None when there is no such route.

        Token counts end in an estimate where everything else takes the route as it is.

        Raises `UnknownName` or `BadSettings` for the strategy.
        """
        plan = self.plans.get(name)
        counts = operation is Operation.COUNT
        if plan is None or (strategy is None and not counts):
            return plan
        key = (plan.name, strategy, counts)
        if key not in self._variants:
            self._variants[key] = self._variant(self.configuration.names[name], strategy, counts=counts)
        return self._variants[key]

    def ruled(
        self, asked: str, fired: tuple[str, ...], strategy: str | None, operation: Operation = Operation.CHAT
    ) -> RoutePlan | None:
        """The route of that name as these rules leave it; None when they leave nobody to ask. Made once, then remembered."""
        counts = operation is Operation.COUNT
        key = (asked, fired, strategy, counts)
        if key not in self._ruled:
            if len(self._ruled) >= VARIANTS_MAX:
                self._ruled.clear()
            names = self.configuration.names
            route = self.rulebooks[asked].change(fired, names[asked], names.__getitem__)
            self._ruled[key] = self._variant(route, strategy, counts=counts) if route.tiers else None
        return self._ruled[key]

    def routes_of(self) -> dict[tuple[str, int], list[str]]:
        """Whose a breaker is: by target and index, the routes that use it, in their order.

        What only serves requests that name the target itself is left out.
        """
        found: dict[tuple[str, int], list[str]] = {}
        for plan in (*self.plans.values(), *self._variants.values(), *self._ruled.values()):
            if plan is None or plan.name not in self.configuration.routes:
                continue
            for entry in plan.entries:
                names = found.setdefault((entry.target.name, entry.breaker), [])
                if plan.name not in names:
                    names.append(plan.name)
        return found

    def plan_of(self, decision: Decision) -> RoutePlan | None:
        """The plan that a decision was made along; None when this configuration has none such."""
        ruling, operation = decision.ruling, decision.needs.operation
        if ruling is None or not ruling.fired:
            return self.plan(decision.route, decision.strategy, operation)
        known = self.rulebooks.get(ruling.asked)
        if known is None or any(name not in known.by_name for name in ruling.fired):
            return None
        return self.ruled(ruling.asked, ruling.fired, decision.strategy, operation)

    def replay_rules(self, ruling: Ruling) -> list[str]:
        """Hold what was seen of a request against the rules again. Returns what differs, a sentence each."""
        book = self.rulebooks.get(ruling.asked)
        return [f"no rule is about {ruling.asked} any more"] if book is None else book.replay(ruling)

    def replay(self, decision: Decision) -> list[str]:
        """Make a whole decision again, rules and choices. Returns what differs, or which input is missing, a sentence each.

        [] when it is the same bit for bit.
        """
        if decision.version != self.version:
            return self._replay_kept(decision)
        ruling = decision.ruling
        differences = [] if ruling is None else self.replay_rules(ruling)
        if not decision.choices:
            return differences
        plan = self.plan_of(decision)
        if plan is None:
            return [*differences, f"missing: the route {decision.route} as its rules left it"]
        return differences + replay(decision, plan)

    def _replay_kept(self, decision: Decision) -> list[str]:
        """The same once the configuration was replaced: the choices were kept with their route, the rules were not."""
        plan = decision.choices[0].tier.plan if decision.choices else None
        gone = f"configuration {decision.version}, under which it was decided; this is {self.version}"
        if plan is None:
            return [f"missing: {gone}"]
        differences = replay(decision, plan)
        return differences if decision.ruling is None else [*differences, f"missing: the rules of {gone}"]

    def figure_source(self, target: str, figure: str) -> str | None:
        """Who gave a figure of a target that its configuration leaves out; None where it was written, or is not known."""
        taken = self.configuration.taken
        return next((one.source for one in taken if (one.target, one.figure) == (target, figure)), None)

    def left_by(
        self, asked: str, fired: tuple[str, ...], strategy: str | None, operation: Operation
    ) -> tuple[RoutePlan, list[Standing]] | None:
        """The route of that name as these rules would leave it, on a board of its own; None when they leave nobody to ask."""
        book, names = self.rulebooks[asked], self.configuration.names
        if any(book.by_name[name].refusal is not None for name in fired):
            return None
        route = book.change(fired, names[asked], names.__getitem__)
        if not route.tiers:
            return None
        board = Scoreboard()
        return self._variant(route, strategy, counts=operation is Operation.COUNT, board=board), board.standings

    def _variant(
        self, route: Route, strategy: str | None, *, counts: bool, board: Scoreboard | None = None
    ) -> RoutePlan:
        if strategy is not None:
            route = replace(route, strategy=Named(strategy, {}))
        if counts:
            route = counted(route)
        return self._planned(route, self._board if board is None else board)

    def _planned(self, route: Route, board: Scoreboard) -> RoutePlan:
        plan = self._parts.plan(route, self.configuration, board)
        plan.origin = (
            self._myself
        )  # not itself: kept decisions would keep whole configurations that were replaced long ago
        return plan


class Parts:
    """The registries that a plan is put together from."""

    __slots__ = ("_balancers", "_conditions", "_strategies")

    def __init__(
        self, strategies: Registry[Strategy], balancers: Registry[Balancer], conditions: Sequence[Condition]
    ) -> None:
        self._strategies = strategies
        self._balancers = balancers
        self._conditions = conditions

    def plan(self, route: Route, configuration: Configuration, board: Scoreboard) -> RoutePlan:
        """One route, planned."""
        plan = compile_route(
            route,
            lambda name: ESTIMATE if name == ESTIMATE.name else configuration.targets[name],
            board,
            _made(self._strategies, route.strategy),
            _made(self._balancers, route.balancer),
            self._conditions,
            configuration.version,
        )
        if configuration.health.alarms:
            for entry in plan.entries:
                board.measure(entry.slot)
        return plan


def _made(registry: Registry[E], named: Named) -> E:
    return registry.build(named.name, named.settings)


def is_cache(target: Target) -> bool:
    """Whether a target answers from what its route said before."""
    return target.provider == CACHE and facts(target.provider).stand_in
