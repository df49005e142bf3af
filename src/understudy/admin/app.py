"""The control plane as a Starlette application, and the uvicorn server that carries it inside the supervisor.

It listens on loopback only, where everything is allowed; a `Host` that is no loopback name is refused, so that no web page
can reach it through a name of its own (DNS rebinding).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from understudy.admin.alarms import joined
from understudy.core.resilience.breaker import Event as BreakerEvent

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")

ACTIONS = {
    "force_open": BreakerEvent.FORCE_OPEN,
    "watch": BreakerEvent.WATCH,
    "release": BreakerEvent.RELEASE,
    "probe_good": BreakerEvent.PROBE_GOOD,
}


class Workers(Protocol):
    """What the control plane needs of the supervisor."""

    @property
    def ready(self) -> bool: ...

    async def ask(self, about: str, id_: str = "") -> list[Any]: ...

    def operate(self, target: str, event: BreakerEvent) -> None: ...

    def switch(self, rule: str, enabled: bool | None) -> None: ...  # noqa: FBT001  the new state itself


class LoopbackOnly:
    """Refuses requests whose `Host` is no loopback name."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on, or refuse it."""
        if scope["type"] == "http":
            host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
            name = host if host.endswith("]") else host.rpartition(":")[0] or host
            if name.lower() not in LOOPBACK:
                await _problem(421, f"the control plane answers to {', '.join(LOOPBACK)} only, not to {name!r}")(
                    scope, receive, send
                )
                return
        await self._app(scope, receive, send)


def make_app(workers: Workers, targets: tuple[str, ...], rules: tuple[str, ...] = ()) -> Starlette:
    """The application. `targets`: every name that may be operated. `rules`: those that may be switched, in their order."""

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_: Request) -> Response:
        return JSONResponse({"status": "ready" if workers.ready else "starting"}, 200 if workers.ready else 503)

    async def stats(_: Request) -> Response:
        return JSONResponse({"workers": await workers.ask("stats")})

    async def decision(request: Request) -> Response:
        id_ = request.path_params["id"]
        found = await workers.ask("decision", id_)
        if not found:
            return _problem(404, f"no decision {id_!r} is kept: each worker keeps its last 10,000")
        return JSONResponse(found[0])

    async def breakers(_: Request) -> Response:
        told = await workers.ask("breakers")
        return JSONResponse({name: [one[name] for one in told if name in one] for name in targets})

    async def alarms(_: Request) -> Response:
        return JSONResponse({"alarms": joined(await workers.ask("breakers"))})

    async def operate(request: Request) -> Response:
        target = request.path_params["target"]
        if target not in targets:
            return _problem(404, f"no target is called {target!r}; there are: {', '.join(targets)}")
        try:
            action = (await request.json())["action"]
            event = ACTIONS[action]
        except (ValueError, KeyError, TypeError):
            return _problem(400, f'send {{"action": ...}} with one of: {", ".join(ACTIONS)}')
        workers.operate(target, event)
        return JSONResponse({"target": target, "action": action}, 202)

    routes = [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/api/stats", stats),
        Route("/api/decisions/{id}", decision),
        Route("/api/alarms", alarms),
        Route("/api/breakers", breakers),
        Route("/api/breakers/{target:path}", operate, methods=["POST"]),
        *_rule_routes(workers, rules),
    ]
    there = ", ".join(route.path.replace(":path", "") for route in routes)

    async def not_here(request: Request, _: Exception) -> Response:
        return _problem(404, f"nothing is at {request.url.path}; there are: {there}")

    return Starlette(
        routes=routes,
        middleware=[Middleware(LoopbackOnly)],
        exception_handlers={404: not_here, 405: _wrong_method},
    )


def _rule_routes(workers: Workers, rules: tuple[str, ...]) -> list[Route]:
    """Rules, and their switches."""

    async def list_rules(_: Request) -> Response:
        told = await workers.ask("rules")
        return JSONResponse({name: [one[name] for one in told if name in one] for name in rules})

    async def switch(request: Request) -> Response:
        rule = request.path_params["rule"]
        if rule not in rules:
            return _problem(404, f"no rule is called {rule!r}; there are: {', '.join(rules) or 'none'}")
        try:
            enabled = (await request.json())["enabled"]
        except (ValueError, KeyError, TypeError):
            enabled = ""
        if not (enabled is None or isinstance(enabled, bool)):
            return _problem(400, 'send {"enabled": ...} with true, false, or null for what the configuration says')
        workers.switch(rule, enabled)
        return JSONResponse({"rule": rule, "enabled": enabled}, 202)

    return [Route("/api/rules", list_rules), Route("/api/rules/{rule}", switch, methods=["POST"])]


async def _wrong_method(request: Request, _: Exception) -> Response:
    return _problem(405, f"{request.method} is not for {request.url.path}")


def _problem(status: int, message: str) -> JSONResponse:
    return JSONResponse({"error": {"message": message}}, status)


class _Uvicorn(uvicorn.Server):
    """Leaves signals to the supervisor."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def make_control_plane(app: Starlette) -> uvicorn.Server:
    """The server, to be run with `serve(sockets=[...])` and ended by `should_exit`."""
    return _Uvicorn(
        uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off", timeout_graceful_shutdown=1)
    )
