"""Tables within guides that are written by hand, drawn from the tables of the program.

A guide says where with `<!-- table: NAME -->`; what follows, up to `<!-- end -->`, is replaced.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from markdown_pages import code, table

from understudy.core.failure import TABLE, Failure, FailureKind, Implicates, Then
from understudy.core.route import TIERS, tiers_of
from understudy.dialects import ErrorReport
from understudy.dialects.gemini import DIALECT as GEMINI
from understudy.faults import PROBLEMS
from understudy.mock import MODELS, Script
from understudy.mock.replay import APIS
from understudy.registry import setting_pages

INLAID = ("guides/failures-and-tiers.md", "mock.md")
PLACE = re.compile(r"(<!-- table: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)

FOR = {
    "primary": "whom you want to answer",
    "secondary": "who does when none of those can",
    "emergency": "anybody rather than nobody: what costs more, knows less or was said before (`stale_cache`)",
    "local": "a model on your own machines; behind it `static`, a fixed text",
}
NEXT = {
    Then.OTHER: "Another target of the tier, then of the next tiers. The same one again, after its backoff, only when no other is left.",
    Then.ELSEWHERE: "Another target; this one is not asked again within the request, for it would say the same.",
    Then.LARGER: "Only a target whose context window is known to be larger.",
    Then.STOP: "Nothing: the caller is told.",
}
RESTS = {
    Implicates.KEY: "every target that uses the key",
    Implicates.TARGET: "the target",
    Implicates.MODEL: "every target with that model at that provider, whatever the key",
    Implicates.PROVIDER: "every target behind that provider's address",
    Implicates.CALLER: "nobody: the request itself is at fault",
    Implicates.NOBODY: "nobody: it says nothing about anyone",
}


def listed(kinds: Iterable[FailureKind]) -> str:
    """Kinds as a list in the order of the table."""
    return ", ".join(code(kind.value) for kind in kinds)


def tiers() -> str:
    """What each tier is for, and whether its answers are labelled."""
    behind = {tier.name: tier.degraded for tier in tiers_of(dict.fromkeys(TIERS, ("t",)))}
    rows = []
    for name in TIERS:
        [alone] = tiers_of({name: ("t",)})
        word = {(True, True): "always", (False, False): "no", (True, False): "when another tier stands before it"}
        rows.append((code(name), FOR[name], word[behind[name], alone.degraded]))
    return table(("tier", "for", "degraded"), rows)


def what_next() -> str:
    """What the router does after each failure of an attempt."""
    return table(
        ("then", "what is tried", "after"),
        [
            (then.value, words, listed(kind for kind, row in TABLE.items() if row.then is then))
            for then, words in NEXT.items()
        ],
    )


def who_rests() -> str:
    """Whom each failure speaks about."""
    rows = []
    for whom, words in RESTS.items():
        kinds = [kind for kind, row in TABLE.items() if row.implicates is whom]
        rows.append((whom.value, words, listed(kinds)))
    return table(("implicates", "who rests when the provider says so", "failures"), rows)


def rests() -> str:
    """How long it rests without a hint."""
    times = sorted({row.cool_down_s for row in TABLE.values() if row.cool_down_s}, reverse=True)
    rows = [(f"{time:g} s", listed(kind for kind, row in TABLE.items() if row.cool_down_s == time)) for time in times]
    return table(("rest without a hint", "failures"), rows)


def counted() -> str:
    """What breakers count."""
    return f"{listed(kind for kind, row in TABLE.items() if row.counts)}\n"


def google_status(kind: FailureKind) -> str:
    """The status in Google's envelope."""
    told = json.loads(GEMINI.render_error(ErrorReport(failure=Failure(kind, ""))))
    return str(told["error"]["status"])


def statuses() -> str:
    """What a caller is told, by status."""
    rows: dict[tuple[str, ...], list[FailureKind]] = {}
    for kind, row in TABLE.items():
        key = (str(row.status), code(row.type), code(row.anthropic), code(google_status(kind)))
        rows.setdefault(key, []).append(kind)
    told = [(*key, listed(kinds)) for key, kinds in sorted(rows.items())]
    return table(("status", "OpenAI `type`", "Anthropic `type`", "Google `status`", "failures"), told)


def mock_apis() -> str:
    """What a recording calls the wire formats."""
    return table(("`api`", "wire format"), [(code(api), code(dialect)) for api, dialect in APIS.items()])


def mock_models() -> str:
    """The names of models that stand for a fault; those made of a problem's name are told in a sentence."""
    rows = []
    told_apart = {f"mock-{problem.replace('_', '-')}" for problem in PROBLEMS}
    for name, fault in MODELS.items():
        if name in told_apart:
            continue
        [(stem, given)] = fault.items() if isinstance(fault, dict) else [(fault, {})]
        told = code(", ".join(f"{setting}: {said}" for setting, said in given.items()))
        rows.append((code(name), f"[`{stem}`](reference/faults.md#{stem}) {told}".rstrip()))
    return table(("model", "fault"), rows)


def mock_script() -> str:
    """The settings of a script."""
    rows = [(code(one.name), code(one.type), code(one.default or ""), one.text) for one in setting_pages(Script)]
    return table(("setting", "type", "default", "meaning"), rows)


TABLES: dict[str, Callable[[], str]] = {
    "counted": counted,
    "mock-apis": mock_apis,
    "mock-models": mock_models,
    "mock-script": mock_script,
    "rests": rests,
    "statuses": statuses,
    "tiers": tiers,
    "what-next": what_next,
    "who-rests": who_rests,
}


def inlay(guide: Path) -> str:
    """The guide with its tables as they are now."""
    return PLACE.sub(lambda found: found[1] + TABLES[found[2]]() + found[3], guide.read_text(encoding="utf-8"))
