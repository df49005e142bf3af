"""`make conformance`: what others wrote to check servers like this one, over a real gateway and every wire format behind it.

python tests/conformance/run.py                          everything; writes docs/conformance.md
python tests/conformance/run.py --only llm-comply        some suites: prints only
python tests/conformance/run.py --upstream gemini        some wire formats behind the gateway: prints only
python tests/conformance/run.py --failures               tells each case that did not pass, known or not

Exit code 1 when anything went otherwise than baseline.yaml says, 2 when asked wrongly.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

from conformance.cases import Case, Known, Said, Surprise, read_baseline, surprises, unmatched
from conformance.page import PAGE, page, summary
from conformance.programs import STARTED, gateway, mock_provider
from conformance.suites import SUITES
from conformance.suites.ground import DidNotFinish, Ground, Suite
from conformance.tools import Tools, Unavailable, cache_folder
from conformance.upstreams import UPSTREAMS, Upstream

SIDE_BY_SIDE = 3  # gateways at a time


@dataclass(slots=True)
class Run:
    """What came of it. `absent`: suites that could not be had here; `broken`: what went wrong around the suites."""

    suites: tuple[Suite, ...]
    upstreams: tuple[Upstream, ...]
    cases: list[Case] = field(default_factory=list)
    absent: dict[str, str] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Everything there is was run to its end."""
        return self.suites == SUITES and self.upstreams == UPSTREAMS and not self.absent and not self.broken


def run(suites: tuple[Suite, ...], upstreams: tuple[Upstream, ...]) -> Run:
    """Every suite over every upstream."""
    told = Run(suites, upstreams)
    tools = Tools(cache_folder())
    with (
        TemporaryDirectory(prefix="understudy-conformance-") as made,
        mock_provider(Path(made)) as mock,
        ThreadPoolExecutor(SIDE_BY_SIDE) as pool,
    ):
        try:
            parts = list(pool.map(lambda upstream: _over(upstream, suites, tools, mock, Path(made)), upstreams))
        except BaseException:
            STARTED.end()
            raise
    for part in parts:
        told.cases += part.cases
        told.absent |= part.absent
        told.broken += part.broken
    return told


def _over(upstream: Upstream, suites: tuple[Suite, ...], tools: Tools, mock: str, folder: Path) -> Run:
    """Every suite over one gateway."""
    told = Run(suites, (upstream,))
    place = folder / upstream.name
    place.mkdir()
    models = tuple(dict.fromkeys(model for suite in SUITES for model in suite.models))
    with gateway(place, mock, upstream, models) as answering:
        ground = Ground(answering, tools, place)
        for suite in suites:
            tell(f"{suite.name} over {upstream.name}")
            try:
                told.cases += suite.run(ground)
            except Unavailable as reason:
                told.absent[suite.name] = str(reason)
            except DidNotFinish as reason:
                told.broken.append(f"{suite.name} over {upstream.name}: {reason}")
        told.broken += [f"the gateway over {upstream.name}: {trouble}" for trouble in answering.troubles()]
    return told


def tell(text: str) -> None:
    print(f"conformance: {text}", file=sys.stderr, flush=True)


def read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make conformance", description="Other people's suites over a real gateway.")
    names = [suite.name for suite in SUITES]
    parser.add_argument("--only", action="append", choices=names, help="this suite; may be repeated")
    parser.add_argument("--upstream", action="append", choices=[one.name for one in UPSTREAMS], help="this wire format")
    parser.add_argument("--failures", action="store_true", help="tell each case that did not pass")
    return parser.parse_args(arguments)


def differences(told: Run, known: list[Known]) -> tuple[list[Surprise], list[Known]]:
    """What went otherwise than the baseline says. Of a part of a run nobody can say what is gone."""
    return surprises(told.cases, known), unmatched(told.cases, known) if told.whole else []


def stop(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, tell, and write the page when the run was whole and as expected."""
    options = read_options(arguments)
    signal.signal(signal.SIGTERM, stop)  # as with Ctrl-C, every program that was started here ends
    suites = tuple(suite for suite in SUITES if not options.only or suite.name in options.only)
    upstreams = tuple(one for one in UPSTREAMS if not options.upstream or one.name in options.upstream)
    known = read_baseline()
    told = run(suites, upstreams)
    print(summary(told.suites, told.upstreams, told.cases, told.absent))
    if options.failures:
        for case in told.cases:
            if case.said is not Said.PASSED:
                print(f"{case.said} {case.suite} over {case.upstream}: {case.name}: {case.why}")
    found, gone = differences(told, known)
    for one in found:
        print(f"UNEXPECTED {one.case.suite} over {one.case.upstream}: {one.case.name} {one.what}\n  {one.case.why}")
    for lost in gone:
        print(f"UNEXPECTED the baseline knows {lost.suite}: {lost.case}, which matches nothing: take it out")
    for trouble in told.broken:
        print(f"BROKEN {trouble}")
    for name, reason in told.absent.items():
        print(f"NOT RUN {name}: {reason}")
    if found or gone or told.broken or told.absent:
        return 1
    if told.whole:
        PAGE.write_text(page(told.suites, told.upstreams, told.cases, known), encoding="utf-8")
        tell(f"written: docs/{PAGE.name}")
    return 0
