"""Show the rules in their order, and switch one of a running gateway on or off; it takes effect at once.

Switches hold until the gateway ends; the configuration stays as it is written.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Annotated, Any
from urllib.parse import quote

import typer

from understudy.cli._configuration import ConfigFile, read_configuration
from understudy.cli._output import ASKED_WRONGLY, Json, columns, fail, tell, told
from understudy.cli._rules import listed

ANSWER_S = 5.0


def command(
    config: ConfigFile = None,
    enable: Annotated[str | None, typer.Option(metavar="NAME", help="Switch this rule on.")] = None,
    disable: Annotated[str | None, typer.Option(metavar="NAME", help="Switch this rule off.")] = None,
    reset: Annotated[str | None, typer.Option(metavar="NAME", help="Let the configuration decide again.")] = None,
    control_port: Annotated[int, typer.Option(help="Where the gateway's control plane listens.")] = 8485,
    as_json: Json = False,
) -> None:
    """List, or switch."""
    words = [(enable, True), (disable, False), (reset, None)]
    asked = [(name, word) for name, word in words if name is not None]
    if not asked:
        with told(as_json=as_json):
            configuration = read_configuration(config)
        page = listed(configuration)
        rows = [(str(one["priority"]), one["name"], one["state"], one["when"], one["then"]) for one in page]
        tell(columns(rows) if rows else "there are no rules", page, as_json=as_json)
        return
    if len(asked) > 1:
        fail(["name one rule to switch"], as_json=as_json, code=ASKED_WRONGLY)
    [(name, enabled)] = asked
    answer = _switch(control_port, name, enabled)
    if "problem" in answer:
        fail([answer["problem"]], as_json=as_json)
    state = {True: "on", False: "off", None: "as the configuration says"}[enabled]
    tell(f"rule {name} is {state}", answer, as_json=as_json)


def _switch(port: int, name: str, enabled: bool | None) -> dict[str, Any]:
    """What the control plane says; `problem` when it does not."""
    url = f"http://127.0.0.1:{port}/api/rules/{quote(name, safe='')}"
    body = json.dumps({"enabled": enabled}).encode()
    request = urllib.request.Request(url, body, {"content-type": "application/json"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # it is on this machine
    try:
        with opener.open(request, timeout=ANSWER_S) as answer:
            return dict(json.loads(answer.read()))
    except urllib.error.HTTPError as refused:
        return {"problem": json.loads(refused.read())["error"]["message"]}
    except (OSError, ValueError) as error:
        why = getattr(error, "reason", error)
        return {
            "problem": f"no control plane answers on 127.0.0.1:{port}: {why}; start `understudy serve`, or name its --control-port"
        }
