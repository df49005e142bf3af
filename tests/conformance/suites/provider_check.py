"""trustedrouter-provider-check: what a marketplace of models demands of those who sell through it, up to its fifth tier."""

from __future__ import annotations

import json

from conformance.cases import Case, Said
from conformance.suites.ground import DidNotFinish, Ground, Suite
from conformance.upstreams import CALLER_KEY, MODEL

NAME = "trustedrouter-provider-check"
WORDS = {"pass": Said.PASSED, "skip": Said.SKIPPED}  # a warning counts as a failure: the baseline says why it may be
TIER = ("--tier", "5")  # the sixth measures a provider's speed


def check(ground: Ground) -> list[Case]:
    """Every check; what it only warns of counts as failed."""
    report = ground.folder / "provider-check.json"
    done = ground.run(
        [
            ground.tools.program(NAME),
            "--base-url",
            f"{ground.origin}/v1",
            "--model",
            MODEL,
            *TIER,
            "--json",
            str(report),
        ],
        env={"TR_PROVIDER_API_KEY": CALLER_KEY},
    )
    if not report.exists():
        raise DidNotFinish(done.stderr[-300:])
    checks = json.loads(report.read_text(encoding="utf-8"))["checks"]
    return [
        ground.case(NAME, one["id"], WORDS.get(one["status"], Said.FAILED), f"{one['status']}: {one['measured']}")
        for one in checks
    ]


SUITE = Suite(
    NAME,
    NAME,
    "model listing and that each listed model answers, usage, finish reasons, streams that are not held back, tools, structured output",
    check,
    models=(MODEL,),
)
