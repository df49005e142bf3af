"""The table of a run, and the page of the documentation that it becomes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from conformance.cases import Case, Known, Said
from conformance.suites.ground import Suite
from conformance.upstreams import Upstream

PAGE = Path(__file__).resolve().parents[2] / "docs" / "conformance.md"
HEAD = """\
<!-- Written by `make conformance`. -->

# Conformance

What others wrote to check servers like this one, run over a real gateway: `understudy serve` with keys demanded, and
`understudy mock` behind it, asked in each wire format that the gateway speaks to providers. `make conformance` does it: it fetches
the suites (pinned, with their digests) into a cache outside of the repository, ends within a few minutes, and fails when any case
goes otherwise than told here, for better or worse.

A number is the count of cases that passed; *known* ones do not, for a reason given below.
"""
TAIL = """
Beside these, `make test` drives the official `openai`, `anthropic` and `google-genai` SDKs as clients over every upstream
(`tests/doors`), and sends every recorded exchange of real providers through every wire format (`tests/exchanges`).
"""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table whose columns also line up on a terminal."""
    lines = [tuple(head), *(tuple(cell.replace("|", "\\|") for cell in row) for row in rows)]
    widths = [max(len(line[number]) for line in lines) for number in range(len(head))]
    lines.insert(1, tuple("-" * width for width in widths))
    return "\n".join(
        "| " + " | ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    )


def summary(
    suites: Sequence[Suite], upstreams: Sequence[Upstream], cases: Sequence[Case], absent: Mapping[str, str]
) -> str:
    """One row a suite, one column an upstream."""
    counted = Counter((case.suite, case.upstream, case.said is Said.PASSED) for case in cases)

    def cell(suite: Suite, upstream: Upstream) -> str:
        passed, other = (counted[suite.name, upstream.name, good] for good in (True, False))
        if suite.name in absent:
            return "not run"
        return f"{passed}, {other} known" if other else str(passed)

    rows = [[suite.name, suite.version, *(cell(suite, one) for one in upstreams)] for suite in suites]
    return table(["suite", "version", *(f"over {one.name}" for one in upstreams)], rows)


def page(suites: Sequence[Suite], upstreams: Sequence[Upstream], cases: Sequence[Case], known: Sequence[Known]) -> str:
    """The whole page. It tells no date and no time: it changes when a result does."""
    parts = [HEAD, "\n", summary(suites, upstreams, cases, {}), "\n\n## What they check\n"]
    parts += [f"\n- **{suite.name}**: {suite.checks}." for suite in suites]
    parts.append(f"\n{TAIL}\n## What does not pass, and why\n\n")
    rows = []
    for one in known:
        covered = [case for case in cases if one.covers(case)]
        rows.append(
            (
                one.suite,
                ", ".join(dict.fromkeys(case.upstream for case in covered)),
                f"`{one.case}`",
                str(len(covered)),
                one.reason,
            )
        )
    parts.append(table(("suite", "over", "case", "count", "reason"), rows))
    return "".join(parts) + "\n"
