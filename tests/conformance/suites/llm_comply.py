"""llm-comply: bodies and stream events of each inbound wire format, held against the published schemas."""

from __future__ import annotations

import json
from dataclasses import dataclass

from conformance.cases import Case, Said
from conformance.suites.ground import DidNotFinish, Ground, Suite
from conformance.upstreams import CALLER_KEY, DOORS, MODEL

NAME = "llm-comply"
WORDS = {"passed": Said.PASSED, "pass": Said.PASSED, "skipped": Said.SKIPPED, "skip": Said.SKIPPED}


@dataclass(frozen=True, slots=True)
class Surface:
    """A wire format as callers speak it. `format`: llm-comply's name. `door`: our address for it. `path`: of the base URL."""

    format: str
    door: str
    path: str
    options: tuple[str, ...] = ()


SURFACES = (
    Surface("openai-chat", "/v1/chat/completions", "/v1"),
    Surface("open-responses", "/v1/responses", "/v1"),
    Surface("anthropic", "/v1/messages", "/v1", ("--auth-header", "x-api-key", "--no-bearer")),
    Surface(
        "google-genai",
        "/v1beta/models/{model}:generateContent",
        "",
        ("--auth-header", "x-goog-api-key", "--no-bearer"),
    ),
)


def arguments(surface: Surface, origin: str, key: str) -> list[str]:
    """What llm-comply is told to check a surface."""
    asked = ["--format", surface.format, "-u", origin + surface.path, "-k", key, "-m", MODEL, *surface.options]
    return [*asked, "--json", "--timeout", "20"]


def read(told: str) -> list[tuple[str, Said, str]]:
    """Test, verdict and what was found, of its JSON."""
    document = json.loads(told)
    results = document["results"] if isinstance(document, dict) else document
    return [(one["id"], WORDS.get(one["status"], Said.FAILED), str(one.get("errors") or "")) for one in results]


def check(ground: Ground) -> list[Case]:
    """Every surface that there is a door for."""
    cases = []
    for surface in SURFACES:
        if surface.door not in DOORS:
            continue
        done = ground.run([ground.tools.program(NAME), *arguments(surface, ground.origin, CALLER_KEY)])
        try:
            results = read(done.stdout)
        except ValueError:
            raise DidNotFinish(f"{surface.format}: {done.stderr[-300:]}") from None
        cases += [ground.case(NAME, f"{surface.format}: {id_}", said, why) for id_, said, why in results]
    return cases


SUITE = Suite(
    NAME,
    "llm-comply",
    "whole answers, stream events, tools, pictures, usage, errors, against the published schemas of each caller's wire format",
    check,
    models=(MODEL,),
)
