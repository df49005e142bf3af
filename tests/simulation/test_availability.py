"""What could be answered is answered: under every fault there is, for each pattern of traffic. More of it: UNDERSTUDY_SEEDS=5000."""

from __future__ import annotations

import os
from dataclasses import replace
from importlib.resources import files

import pytest
import yaml

from conftest import WHOLE, shared
from understudy.core.dice import Dice
from understudy.core.eligibility import breaker
from understudy.core.policy import Policy, Retry, Timeouts
from understudy.core.request import Needs
from understudy.core.target import Target
from understudy.faults import FAULTS
from understudy.sim.availability import PROMISED, Unsound, measure
from understudy.sim.driver import Simulation
from understudy.sim.figures import Figures
from understudy.sim.schedule import ROUGH_HOUR, BadSchedule, Schedule, load_schedule, read_schedule
from understudy.sim.traffic import TRAFFIC, read_trace
from understudy.sim.world import Hope, World

SEEDS = max(1, int(os.environ.get("UNDERSTUDY_SEEDS", "480" if WHOLE else "120")) // 120)
FIRST = int(os.environ.get("UNDERSTUDY_FIRST_SEED", "0"))


@pytest.mark.no_cover
@pytest.mark.timeout(60 + 40 * SEEDS)
@pytest.mark.parametrize("traffic", TRAFFIC)
def test_whoever_could_be_answered_is_answered_in_a_rough_hour(traffic: str) -> None:
    measured = measure(load_schedule(), traffic, range(FIRST, FIRST + SEEDS))
    figures = measured.figures
    print(f"{traffic}: {figures}")
    told = "\n".join(str(lost) for lost in measured.lost)
    assert figures.availability_whole >= PROMISED, told
    assert figures.availability_streams >= PROMISED, told
    assert figures.broken_streams < 0.02, "of those that began, nearly all end well, too"
    assert figures.requests > 8_000 * SEEDS
    assert figures.possible > 0.95 * figures.requests, "a figure over few of the requests would promise little"
    assert figures.opened > 10 * SEEDS, "an hour in which no breaker opens is not rough"


@pytest.mark.no_cover
@pytest.mark.shared("data", "traffic", "azure2023_code.csv.gz")
def test_whoever_could_be_answered_is_answered_when_the_trace_itself_is_played() -> None:
    trace = read_trace(shared("data", "traffic", "azure2023_code.csv.gz"))
    figures = measure(load_schedule(), "trace", [FIRST], trace).figures
    assert figures.requests == len(trace) == 8819
    assert min(figures.availability_whole, figures.availability_streams) >= PROMISED


def test_the_rough_hour_has_every_fault_there_is() -> None:
    read = yaml.safe_load((files("understudy.sim") / ROUGH_HOUR).read_text())
    assert {next(iter(spec)) for spec in read["faults"]} == set(FAULTS.names())


# The figure can fall: a router with a flaw is found out.

SHORT = """
lasts_s: 300
per_s: 4
targets:
  ada: {provider: openai_compatible, model: m, base_url: "http://ada:80/v1"}
  ben: {provider: openai_compatible, model: m, base_url: "http://ben:80/v1"}
  sorry: {provider: static, text: "Please try again shortly."}
routes:
  default:
    tiers: {primary: [ada, ben], emergency: [sorry]}
    policy: {deadline_s: 120, wait_max_s: 120, timeouts: {answer_s: 40}, breaker: {recovery_s: 20}}
faults:
  - latency: {kind: lognormal, headers_s: 0.3, chunk_s: 0.01}
  - outage: {where: [ada], from_s: 30, to_s: 90}
  - outage: {where: [ben], from_s: 90, to_s: 150}
  - truncated_stream: {where: [ada], from_s: 180, to_s: 240, after_chunks: 1}
"""


def test_without_a_flaw_nothing_is_lost() -> None:
    measured = measure(read_schedule(SHORT), "steady", range(3))
    assert not measured.lost
    assert not measured.causes
    assert measured.figures.availability_whole == measured.figures.availability_streams == 1.0
    assert 0.0 < measured.figures.broken_streams < 0.3
    assert measured.figures.availability < 1.0, "a broken stream is no whole answer"


def test_whoever_never_waits_loses_what_recovers_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    schedule = read_schedule(SHORT.replace("wait_max_s: 120", "wait_max_s: 0"))
    measured = measure(schedule, "steady", range(3))
    assert measured.figures.availability_whole < PROMISED
    assert measured.causes == {"degraded": sum(measured.causes.values())}
    assert "ada: breaker: open until" in str(measured.lost[0])


def test_whoever_asks_one_target_only_is_found_out() -> None:
    schedule = read_schedule(SHORT)
    [route] = schedule.routes
    hasty = replace(schedule, routes=(replace(route, policy=Policy(attempts_max=1, retry=Retry(kind="none"))),))
    assert measure(hasty, "steady", range(1)).figures.availability_whole < PROMISED


def test_whoever_breaks_an_invariant_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breaker.BreakerOpen, "excludes", lambda _self, _candidate, _ask: None)
    with pytest.raises(Unsound, match="steady, seed 0: breaker: An open breaker"):
        measure(read_schedule(SHORT), "steady", range(1))


@pytest.mark.no_cover
def test_the_same_seed_and_traffic_give_the_same_figures() -> None:
    def figures(seed: int) -> Figures:
        return Simulation(read_schedule(SHORT).scenario(seed, "burst")).run()

    assert figures(3) == figures(3)
    assert figures(3) != figures(4)


# The truth


HOPE = Hope(Needs(model="r"), 10, Timeouts(answer_s=30), 100.0, Dice(1))
ADA = Target(name="ada", provider="house", model="m")


def could(at_s: float, *faults: object, hope: Hope = HOPE) -> bool:
    return World(tuple(FAULTS.read(fault) for fault in faults), 1).could_answer(ADA, hope, at_s)


def test_a_target_could_answer_when_it_is_up_for_one_whole_attempt_in_time() -> None:
    slow = {"latency": {"headers_s": 10.0}}
    assert could(0.0)
    assert could(0.0, slow)
    assert not could(0.0, {"latency": {"headers_s": 31.0}}), "longer than the timeouts allow"
    assert not could(95.0, slow), "longer than the deadline allows"
    assert could(15.0, slow, {"outage": {"from_s": 30, "to_s": 40}})
    assert not could(25.0, slow, {"outage": {"from_s": 30, "to_s": 40}}), "cut short"
    assert not could(35.0, {"outage": {"from_s": 30, "to_s": 40}})


def test_a_target_is_up_while_few_of_its_attempts_fail() -> None:
    hopes = [replace(HOPE, luck=Dice(seed)) for seed in range(200)]
    few = [could(0.0, {"reset": {"share": 0.05}}, hope=hope) for hope in hopes]
    assert 0.9 < sum(few) / len(few) < 1.0, "up, and yet not every attempt ends well"
    assert not any(could(0.0, {"reset": {"share": 0.2}}, hope=hope) for hope in hopes)


def test_what_others_took_of_a_limit_is_gone_from_then_on() -> None:
    world = World((FAULTS.build("rate_limit_exhaustion", {"requests": 2, "per_s": 60}),), 1)
    for at_s in (1.0, 2.0):
        world.meet(ADA, HOPE.needs, at_s)
    assert [world.could_answer(ADA, HOPE, at_s) for at_s in (1.5, 2.0, 2.5, 59.0, 60.0)] == [
        True,
        True,
        False,
        False,
        True,
    ]


# Schedules


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- a list", "a mapping of settings to values"),
        ("{", "not YAML"),
        ("fault: []", "no setting 'fault'; did you mean 'faults'?"),
        (SHORT.replace("outage", "outtage"), "outtage"),
        (SHORT.replace("to_s: 90", "to_s: 9"), "must be later"),
        (SHORT.replace("primary: [ada, ben]", "primary: [ada, bert]"), "bert"),
        (SHORT.replace("per_s: 4", "per_s: 0"), "must be above 0"),
        (SHORT.replace("per_s: 4", "per_s: many"), "per_s"),
        (SHORT.replace("lasts_s: 300", "streams: 1.5"), "between 0 and 1"),
        (SHORT.partition("faults:")[0] + "faults: outage", "`faults` is a list"),
    ],
)
def test_a_schedule_that_makes_no_sense_is_refused(text: str, words: str) -> None:
    with pytest.raises(BadSchedule) as error:
        read_schedule(text, "mine.yaml")
    assert str(error.value).startswith("mine.yaml: ")
    assert words in str(error.value)


def test_a_schedule_says_how_much_is_streamed() -> None:
    def streams(share: float) -> int:
        schedule: Schedule = replace(read_schedule(SHORT), streams=share)
        return sum(arrival.needs.stream for arrival in schedule.scenario(1, "steady").arrivals)

    assert streams(0.0) == 0
    assert streams(1.0) > 1000
