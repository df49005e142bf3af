"""compatcanary: what agents and editors need of an OpenAI-compatible server."""

from __future__ import annotations

import json

from conformance.cases import Case, Said
from conformance.suites.ground import DidNotFinish, Ground, Suite
from conformance.upstreams import CALLER_KEY, DOORS, MODEL

NAME = "compatcanary"
OPTIONS = ("--profile", "modern", "--format", "json")
WORDS = {"pass": Said.PASSED, "skip": Said.SKIPPED}
OTHER_DOORS = {"responses.": "/v1/responses"}
"""Beginnings of its checks -> the door that they are about."""


def check(ground: Ground) -> list[Case]:
    """Its widest profile; checks of a door that does not exist are left out."""
    done = ground.run(
        [*ground.tools.node_program(NAME), "scan", "--base-url", f"{ground.origin}/v1", "--model", MODEL, *OPTIONS],
        env={"OPENAI_API_KEY": CALLER_KEY, "COMPATCANARY_API_KEY": CALLER_KEY},
    )
    try:
        results = json.loads(done.stdout)["results"]
    except (ValueError, KeyError):
        raise DidNotFinish(done.stderr[-300:]) from None
    return [
        ground.case(NAME, one["id"], WORDS.get(one["status"], Said.FAILED), one["summary"])
        for one in results
        if all(door in DOORS for begins, door in OTHER_DOORS.items() if one["id"].startswith(begins))
    ]


SUITE = Suite(
    NAME,
    NAME,
    "model listing, chat, chat streamed, a forced tool call, strict structured output",
    check,
    models=(MODEL,),
)
