"""Show the rules in their order, and switch one of a running gateway on or off; it takes effect at once.

Where a gateway runs, the list tells how each rule stands there, and to how many requests it applied. Switches hold until the gateway ends; the configuration stays as it is written.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Annotated, Any
from urllib.parse import quote

import typer

from understudy.cli._configuration import ConfigFile, read_configuration
from understudy.cli._output import ASKED_WRONGLY, PORT_MAX, Json, columns, fail, tell, told
from understudy.cli._rules import listed, shown

ANSWER_S = 5.0


def command(
    config: ConfigFile = None,
    enable: Annotated[str | None, typer.Option(metavar="NAME", help="Switch this rule on.")] = None,
    disable: Annotated[str | None, typer.Option(metavar="NAME", help="Switch this rule off.")] = None,
    reset: Annotated[str | None, typer.Option(metavar="NAME", help="Let the configuration decide again.")] = None,
    control_port: Annotated[
        int, typer.Option(help="Where the gateway's control plane listens.", min=1, max=PORT_MAX)
    ] = 8485,
    as_json: Json = False,
) -> None:
    """List, or switch."""
    words = [(enable, True), (disable, False), (reset, None)]
    asked = [(name, word) for name, word in words if name is not None]
    if not asked:
        with told(as_json=as_json):
            configuration = read_configuration(config)
        page = _as_they_stand(listed(configuration), control_port)
        tell(_table(page, control_port), page, as_json=as_json)
        return
    if len(asked) > 1:
        fail(["name one rule to switch"], as_json=as_json, code=ASKED_WRONGLY)
    [(name, enabled)] = asked
    answer = _switch(control_port, name, enabled)
    if "problem" in answer:
        fail([answer["problem"]], as_json=as_json)
    state = {True: "on", False: "off", None: "as the configuration says"}[enabled]
    tell(f"rule {name} is {state}", answer, as_json=as_json)


def _as_they_stand(page: list[dict[str, Any]], port: int) -> list[dict[str, Any]]:
    """The configuration's rules, as they stand in the gateway that runs: switched or not, and how often each applied.

    `switched` and `applied` are None where no gateway answers, or the one that does has no such rule.
    """
    told = _asked(port, "", None) if page else {}
    for one in page:
        workers = told.get(one["name"]) or []
        one |= {"switched": None, "applied": None}
        if workers:
            one["state"] = "on" if workers[0]["enabled"] else "off"
            one["switched"] = workers[0]["switched"]
            one["applied"] = sum(worker["applied"] for worker in workers)
    return page


def _table(page: list[dict[str, Any]], port: int) -> str:
    if not page:
        return "there are no rules"
    rows = [
        (
            str(one["priority"]),
            one["name"],
            one["state"] + (" by hand" if one["switched"] else ""),
            "" if one["applied"] is None else f"applied {one['applied']}",
            shown(one["when"]),
            shown(one["then"]),
        )
        for one in page
    ]
    if any(one["applied"] is not None for one in page):
        return f"{columns(rows)}\nas the gateway behind 127.0.0.1:{port} has them"
    return f"{columns([row[:3] + row[4:] for row in rows])}\nas the configuration says: no gateway answers on 127.0.0.1:{port}"


def _switch(port: int, name: str, enabled: bool | None) -> dict[str, Any]:
    """Switch it, and what the control plane says; `problem` when it does not."""
    return _asked(port, f"/{quote(name, safe='')}", json.dumps({"enabled": enabled}).encode())


def _asked(port: int, path: str, body: bytes | None) -> dict[str, Any]:
    """What the control plane says of its rules; `problem` when it does not."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/rules{path}", body, {"content-type": "application/json"}
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # it is on this machine
    try:
        with opener.open(request, timeout=ANSWER_S) as answer:
            return dict(json.loads(answer.read()))
    except urllib.error.HTTPError as refused:
        return {"problem": json.loads(refused.read())["error"]["message"]}
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        why = getattr(reason, "strerror", None) or reason
        return {
            "problem": f"no control plane answers on 127.0.0.1:{port}: {why}; start `understudy serve`, or name its --control-port"
        }
