"""Who comes when."""

from __future__ import annotations

import gzip
import statistics
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from conftest import shared
from understudy.core.dice import Dice
from understudy.sim import azure_code
from understudy.sim.traffic import TRAFFIC, BadTrace, Visit, azure, burst, read_trace, steady

TRACE = ("data", "traffic", "azure2023_code.csv.gz")


@pytest.mark.parametrize("name", TRAFFIC)
def test_visits_come_in_order_within_the_time_and_the_same_for_the_same_seed(name: str) -> None:
    visits = list(TRAFFIC[name](Dice(5), 2.0, 1000.0))
    times = [visit.at_s for visit in visits]
    assert times == sorted(times)
    assert times[0] >= 0.0
    assert times[-1] < 1000.0
    assert visits == list(TRAFFIC[name](Dice(5), 2.0, 1000.0))
    assert visits != list(TRAFFIC[name](Dice(6), 2.0, 1000.0))
    assert all(visit.tokens_in > 0 and visit.tokens_out > 0 for visit in visits)


def test_steady_traffic_has_its_rate_and_no_memory() -> None:
    times = [visit.at_s for visit in steady(Dice(1), 5.0, 4000.0)]
    assert len(times) == pytest.approx(20_000, rel=0.03)
    gaps = [after - before for before, after in pairwise(times)]
    assert statistics.pstdev(gaps) == pytest.approx(statistics.fmean(gaps), rel=0.05), "exponential"


@pytest.mark.no_cover
def test_a_burst_is_ten_times_as_much() -> None:
    times = [visit.at_s for visit in burst(Dice(1), 5.0, 12_000.0)]
    within = sum(time % 120 < 10 for time in times)
    assert within / 1000 == pytest.approx(50, rel=0.05)
    assert (len(times) - within) / 11_000 == pytest.approx(5, rel=0.05)


def test_azures_hour_keeps_its_silences_and_its_crowds() -> None:
    times = [visit.at_s for visit in azure(Dice(1), 1.0, 7200.0)]
    counts = Counter(int(time // azure_code.STEP_S) for time in times)
    hour = len(azure_code.ARRIVALS)
    assert [counts[step] for step in range(hour)] == list(azure_code.ARRIVALS)
    assert counts[hour] == azure_code.ARRIVALS[0], "and over again"


@pytest.mark.shared(*TRACE)
def test_the_figures_are_those_of_the_trace() -> None:
    trace = read_trace(shared(*TRACE))
    counts = Counter(int(visit.at_s // azure_code.STEP_S) for visit in trace)
    assert tuple(counts[step] for step in range(max(counts) + 1)) == azure_code.ARRIVALS
    drawn = list(azure(Dice(1), 1.0, 3440.0))
    for name in ("tokens_in", "tokens_out"):
        measured = statistics.median(getattr(visit, name) for visit in trace)
        assert statistics.median(getattr(visit, name) for visit in drawn) == pytest.approx(measured, rel=0.1), name


def test_a_trace_is_read_packed_or_not(tmp_path: Path) -> None:
    text = "t_s,in_tokens,out_tokens\n0.5,10,3\n2,20,0\n"
    plain, packed = tmp_path / "trace.csv", tmp_path / "trace.csv.gz"
    plain.write_text(text)
    packed.write_bytes(gzip.compress(text.encode()))
    assert read_trace(plain) == read_trace(packed) == (Visit(0.5, 10, 3), Visit(2.0, 20, 1))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("t_s,in_tokens,out_tokens\n", "has no requests"),
        ("at,in_tokens,out_tokens\n1,2,3\n", ":2: needs the columns"),
        ("t_s,in_tokens,out_tokens\n1,2,many\n", ":2: needs the columns"),
        ("t_s,in_tokens,out_tokens\n2,2,2\n1,2,2\n", ":3: comes before"),
    ],
)
def test_a_trace_that_cannot_be_played_is_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "trace.csv"
    path.write_text(text)
    with pytest.raises(BadTrace, match=words):
        read_trace(path)


def test_a_trace_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadTrace, match="cannot be read"):
        read_trace(tmp_path / "none.csv")
    (tmp_path / "bad.gz").write_bytes(b"not gzip")
    with pytest.raises(BadTrace, match="cannot be read"):
        read_trace(tmp_path / "bad.gz")
