"""What is particular to each fault; what holds for all of them is in tests/contracts/test_faults.py."""

from __future__ import annotations

import statistics
from math import inf
from typing import Any

import pytest

from understudy.core.dice import Dice
from understudy.faults import FAULTS, Arrivals, Connect, Content, Ending, Packing, Plan, Reply, Scene, plan_attempt
from understudy.registry import BadSettings


def plan_of(name: str, settings: dict[str, Any] | None = None, *, seed: int = 1, **scene: Any) -> Plan:
    return plan_attempt(Scene(**{"now_s": 0.0, **scene}), [FAULTS.build(name, settings)], Dice(seed))


def share_struck(name: str, settings: dict[str, Any], **scene: Any) -> float:
    untouched = Plan(stream=False, chunks=16)
    return statistics.fmean(plan_of(name, settings, seed=seed, **scene) != untouched for seed in range(2000))


@pytest.mark.parametrize(
    ("how", "spoiled"),
    [
        ("refused", Connect.REFUSED),
        ("timeout", Connect.TIMEOUT),
        ("dns_failed", Connect.DNS_FAILED),
        ("tls_failed", Connect.TLS_FAILED),
        ("silence", Reply.SILENCE),
        ("reset", Reply.RESET),
        ("bad_gateway", Reply.ERROR),
        ("unavailable", Reply.ERROR),
        ("overloaded", Reply.ERROR),
    ],
)
def test_an_outage_has_many_faces(how: str, spoiled: Connect | Reply) -> None:
    plan = plan_of("outage", {"how": how})
    assert spoiled in {plan.connect, plan.reply}


def test_an_outage_breaks_what_is_under_way_when_it_begins() -> None:
    assert plan_of("outage", {"from_s": 10, "to_s": 20}, now_s=7.0).dies_at_s == 3.0
    assert plan_of("outage", {"from_s": 10, "to_s": 20, "how": "unavailable"}, now_s=7.0).dies_at_s == inf
    assert plan_of("outage", {"from_s": 10, "to_s": 20}, now_s=20.0).dies_at_s == inf


def test_a_cascade_reaches_one_provider_after_another() -> None:
    cascade = {"spreads": ["a", "b"], "from_s": 100, "step_s": 30, "lasts_s": 60}
    up_at = {
        name: [second for second in range(90, 210, 10) if plan_of("cascading_outage", cascade, now_s=float(second), provider=name).connect is Connect.OK]
        for name in "abc"
    }  # fmt: skip
    assert up_at["a"] == [90, 160, 170, 180, 190, 200]
    assert up_at["b"] == [90, 100, 110, 120, 190, 200]
    assert len(up_at["c"]) == 12
    assert plan_of("cascading_outage", cascade, now_s=95.0, target="b").dies_at_s == 35.0


def test_a_degraded_provider_is_slower_for_all_and_fails_for_some() -> None:
    settings = {"share": 0.25, "headers_s": 2.0}
    plans = [plan_of("partial_degradation", settings, seed=seed) for seed in range(2000)]
    assert all(plan.headers_s == 2.0 for plan in plans)
    assert statistics.fmean(plan.reply is Reply.ERROR for plan in plans) == pytest.approx(0.25, abs=0.04)


def test_a_rate_limit_lets_pass_what_the_window_holds_and_says_when_the_next_begins() -> None:
    arrivals = Arrivals()
    passed, hints = [], []
    for second in range(100):
        plan = plan_of("rate_limit_exhaustion", {"requests": 3, "per_s": 60}, now_s=float(second), arrivals=arrivals)
        arrivals.note(float(second))
        if plan.trouble is None:
            passed.append(second)
        else:
            assert plan.trouble.problem == "rate_limit"
            hints.append(second + (plan.trouble.retry_after_s or 0))
    assert passed == [0, 1, 2, 60, 61, 62]
    assert set(hints) == {60.0, 120.0}


def test_a_token_limit_counts_tokens() -> None:
    arrivals = Arrivals()
    settings = {"requests": None, "tokens": 100, "per_s": 10}
    arrivals.note(0.0, tokens=80)
    assert plan_of("rate_limit_exhaustion", settings, now_s=1.0, tokens=20, arrivals=arrivals).reply is Reply.ANSWER
    assert plan_of("rate_limit_exhaustion", settings, now_s=1.0, tokens=21, arrivals=arrivals).reply is Reply.ERROR
    assert plan_of("rate_limit_exhaustion", settings, now_s=10.0, tokens=21, arrivals=arrivals).reply is Reply.ANSWER


def test_a_rate_limits_hint_does_not_outlast_its_span() -> None:
    plan = plan_of("rate_limit_exhaustion", {"to_s": 5, "per_s": 60}, now_s=2.0)
    assert plan.trouble is not None
    assert plan.trouble.retry_after_s == 3.0


def test_flapping_is_up_then_down_then_up() -> None:
    settings = {"from_s": 10, "to_s": 60, "up_s": 5, "down_s": 10}
    down = [second for second in range(70) if plan_of("flapping", settings, now_s=float(second)).reply is Reply.ERROR]
    assert down == [*range(15, 25), *range(30, 40), *range(45, 55)]
    refusing = settings | {"how": "refused"}
    assert plan_of("flapping", refusing, now_s=8.0).dies_at_s == 7.0
    assert plan_of("flapping", refusing, now_s=25.0).dies_at_s == 5.0
    assert plan_of("flapping", refusing, now_s=56.0).dies_at_s == inf


def test_error_bursts_come_again() -> None:
    settings = {"from_s": 10, "every_s": 20, "lasts_s": 5, "problem": "rate_limit", "retry_after_s": 7, "hint": "words"}
    struck = [
        second for second in range(60) if plan_of("error_burst", settings, now_s=float(second)).reply is Reply.ERROR
    ]
    assert struck == [*range(10, 15), *range(30, 35), *range(50, 55)]
    trouble = plan_of("error_burst", settings, now_s=10.0).trouble
    assert trouble is not None
    assert (trouble.problem, trouble.retry_after_s, trouble.hint) == ("rate_limit", 7.0, "words")


def test_silence_falls_after_the_request_or_after_the_headers() -> None:
    assert plan_of("silence").reply is Reply.SILENCE
    after_headers = plan_of("silence", {"after": "headers"})
    assert (after_headers.ending, after_headers.ending_after) == (Ending.STALL, 0)


@pytest.mark.parametrize("name", ["stalled_stream", "truncated_stream"])
def test_a_broken_answer_breaks_where_told_or_anywhere(name: str) -> None:
    assert plan_of(name, {"after_chunks": 5}).ending_after == 5
    assert plan_of(name, {"after_chunks": 50}).ending_after == 16
    anywhere = {plan_of(name, seed=seed, chunks=3).ending_after for seed in range(200)}
    assert anywhere == {0, 1, 2, 3}


@pytest.mark.parametrize("how", ["cut", "reset", "unfinished"])
def test_a_cut_has_three_forms(how: str) -> None:
    assert plan_of("truncated_stream", {"how": how}).ending == how


def test_an_error_event_comes_first_unless_told_otherwise() -> None:
    plan = plan_of("in_band_error")
    assert plan.ending_trouble is not None
    assert (plan.ending, plan.ending_after, plan.ending_trouble.problem) == (Ending.ERROR_EVENT, 0, "overloaded")
    assert {
        plan_of("in_band_error", {"after_chunks": None}, seed=seed, chunks=2).ending_after for seed in range(99)
    } == {0, 1, 2}


def test_corrupt_answers_take_every_form() -> None:
    plans = [plan_of("corrupt_answers", seed=seed) for seed in range(200)]
    wrong = {Content.BROKEN_JSON, Content.WRONG_SHAPE, Content.HTML, Content.EMPTY}
    assert {plan.content for plan in plans} == {*wrong, Content.TEXT}  # TEXT is that of the one that is no HTTP at all
    assert {plan.reply for plan in plans} == {Reply.ANSWER, Reply.NOT_HTTP}


def test_a_partition_lets_nobody_in_and_silences_those_who_are() -> None:
    cut = {"from_s": 10, "to_s": 20}
    assert plan_of("partition", cut, now_s=10.0).connect is Connect.TIMEOUT
    assert plan_of("partition", cut, now_s=7.0).hushed_at_s == 3.0
    assert plan_of("partition", cut, now_s=7.0).dies_at_s == inf
    assert plan_of("partition", cut, now_s=20.0) == Plan()


def test_a_wrong_clock_misdates_and_far_off_it_refuses_credentials() -> None:
    near, far = (plan_of("clock_skew", {"skew_s": skew_s}) for skew_s in (-90.0, 400.0))
    assert (near.skew_s, near.reply) == (-90.0, Reply.ANSWER)
    assert (far.skew_s, far.reply) == (400.0, Reply.ERROR)
    assert far.trouble is not None
    assert far.trouble.problem == "expired_token"


@pytest.mark.no_cover
def test_a_slow_death_has_no_moment_at_which_it_begins() -> None:
    settings = {"from_s": 100, "to_s": 300, "dies_in_s": 100, "headers_s": 10.0}

    def at(now_s: float) -> list[Plan]:
        return [plan_of("slow_death", settings, now_s=now_s, seed=seed) for seed in range(1000)]

    failing = [statistics.fmean(plan.reply is Reply.ERROR for plan in at(now_s)) for now_s in (100, 110, 150, 190, 199)]
    assert failing == sorted(failing)
    assert failing[:2] == pytest.approx([0.0, 0.01], abs=0.01)
    assert failing[2:] == pytest.approx([0.25, 0.81, 0.98], abs=0.05)
    assert at(150.0)[0].headers_s == 2.5
    assert at(150.0)[0].dies_at_s == 50.0
    assert at(200.0)[0].connect is at(299.0)[0].connect is Connect.REFUSED
    assert at(300.0)[0] == Plan()
    assert at(50.0)[0] == Plan().dies(150.0)


def test_overload_grows_with_what_comes_and_sheds_the_surplus() -> None:
    def plans(requests: int) -> list[Plan]:
        arrivals = Arrivals()
        for _ in range(requests):
            arrivals.note(9.0)
        return [
            plan_of("overload", {"per_s": 10, "headers_s": 2.0}, now_s=10.0, arrivals=arrivals, seed=seed)
            for seed in range(1000)
        ]

    assert all(plan == Plan() for plan in plans(19))
    assert {plan.headers_s for plan in plans(29)} == {1.0}
    crowded = plans(79)
    assert statistics.fmean(plan.reply is Reply.ERROR for plan in crowded) == pytest.approx(0.5, abs=0.05)
    assert {plan.headers_s for plan in crowded if plan.reply is Reply.ANSWER} == {6.0}


def test_a_quota_is_not_refilled_by_waiting() -> None:
    arrivals = Arrivals()
    passed = []
    for second in range(0, 2000, 100):
        plan = plan_of(
            "quota_exhaustion", {"from_s": 200, "to_s": 1500, "requests": 3}, now_s=float(second), arrivals=arrivals
        )
        arrivals.note(float(second))
        if plan.trouble is None:
            passed.append(second)
        else:
            assert (plan.trouble.problem, plan.trouble.retry_after_s) == ("insufficient_quota", None)
    assert passed == [0, 100, 200, 300, 400, *range(1500, 2000, 100)]


def test_a_name_is_remembered_for_a_while_after_its_resolver_failed() -> None:
    settings = {"from_s": 10, "to_s": 60, "remembered_s": 30, "takes_s": 2.0}
    failing = [second for second in range(70) if plan_of("dns_failure", settings, now_s=float(second)).connect is Connect.DNS_FAILED]  # fmt: skip
    assert failing == list(range(40, 60))
    assert plan_of("dns_failure", settings, now_s=50.0).connect_s == 2.0
    assert plan_of("dns_failure", settings, now_s=9.0).dies_at_s == inf, "what is connected goes on"


def test_an_expired_certificate_is_shown_until_it_is_renewed() -> None:
    shown = [second for second in range(8) if plan_of("certificate_expiry", {"from_s": 2, "to_s": 5}, now_s=float(second)).connect is Connect.TLS_FAILED]  # fmt: skip
    assert shown == [2, 3, 4]
    assert share_struck("certificate_expiry", {"share": 0.5}) == pytest.approx(0.5, abs=0.04)


def test_a_revocation_spreads_from_machine_to_machine_and_ends_with_a_new_key() -> None:
    settings = {"from_s": 100, "to_s": 200, "spreads_s": 40, "problem": "expired_token"}
    assert share_struck("credential_revocation", settings, now_s=110.0) == pytest.approx(0.25, abs=0.04)
    assert share_struck("credential_revocation", settings, now_s=140.0) == 1.0
    assert share_struck("credential_revocation", settings, now_s=200.0) == 0.0
    assert plan_of("credential_revocation", now_s=0.0).trouble is not None


def test_lies_take_every_form_and_some_are_answers_all_the_same() -> None:
    plans = [plan_of("byzantine_answers", seed=seed) for seed in range(200)]
    assert {plan.content for plan in plans} == {Content.MISTYPED, Content.FOREIGN, Content.MISCOUNTED}
    assert all((plan.pieces > 0) == (plan.content is Content.MISCOUNTED) for plan in plans)


def test_a_giant_has_its_size_and_its_packing() -> None:
    plan = plan_of("giant_answers", {"mib": 0.5, "packing": "gzip"})
    assert (plan.content, plan.giant_bytes, plan.packing) == (Content.GIANT, 512 * 1024, Packing.GZIP)
    assert plan_of("giant_answers").ends(Ending.CUT, 3).breaks is False


@pytest.mark.no_cover
@pytest.mark.parametrize("kind", ["constant", "uniform", "exponential", "lognormal", "pareto"])
def test_a_latency_has_the_median_it_is_given(kind: str) -> None:
    settings = {"kind": kind, "headers_s": 2.0, "spread": 1.5}
    drawn = [plan_of("latency", settings, seed=seed).headers_s for seed in range(4000)]
    assert statistics.median(drawn) == pytest.approx(2.0, rel=0.1)
    assert all(draw >= 0 for draw in drawn)
    assert (len(set(drawn)) == 1) == (kind == "constant")


def test_no_latency_exceeds_its_bound() -> None:
    settings = {"kind": "pareto", "headers_s": 2.0, "spread": 0.5, "max_s": 9.0}
    assert max(plan_of("latency", settings, seed=seed).headers_s for seed in range(500)) == 9.0


def test_a_trickle_is_small_and_slow() -> None:
    plan = plan_of("slow_trickle", {"bytes": 3, "pause_s": 0.5})
    assert (plan.drip_bytes, plan.chunk_s) == (3, 0.5)


def test_a_share_of_attempts_is_struck() -> None:
    for name in ("outage", "reset", "silence", "truncated_stream", "corrupt_answers", "error_burst"):
        assert share_struck(name, {"share": 0.3}) == pytest.approx(0.3, abs=0.04), name


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("outage", {"from_s": 5, "to_s": 5}, "`to_s` (5.0) must be later than `from_s` (5.0)"),
        ("outage", {"share": 1.5}, "`share` (1.5) must lie between 0 and 1"),
        ("outage", {"how": "slowly"}, "must be one of refused, timeout, dns_failed"),
        ("cascading_outage", {}, "spreads: must be given"),
        ("cascading_outage", {"spreads": ["a"], "step_s": -1}, "`step_s` (-1.0) must not be negative"),
        ("cascading_outage", {"spreads": ["a"], "lasts_s": 0}, "`lasts_s` (0.0) must be above 0"),
        ("flapping", {"up_s": 0}, "`up_s` (0.0) must be above 0"),
        ("rate_limit_exhaustion", {"per_s": -1}, "`per_s` (-1.0) must be above 0"),
        ("rate_limit_exhaustion", {"hint": "retry-after"}, "no spelling 'retry-after'; did you mean 'retry_after'?"),
        ("error_burst", {"problem": "overload"}, "no problem 'overload'; did you mean 'overloaded'?"),
        ("error_burst", {"every_s": 0}, "`every_s` (0.0) must be above 0"),
        ("in_band_error", {"problem": "bad_gateway"}, "'bad_gateway' is a page from the edge"),
        ("latency", {"headers_s": -1}, "`headers_s` must not be negative"),
        ("latency", {"spread": 0}, "`spread` (0.0) must be above 0"),
        ("slow_trickle", {"bytes": 0}, "`bytes` (0) must be above 0"),
        ("clock_skew", {"tolerance_s": 0}, "`tolerance_s` (0.0) must be above 0"),
        ("slow_death", {"dies_in_s": 0}, "`dies_in_s` (0.0) must be above 0"),
        ("slow_death", {"headers_s": -1}, "`headers_s` must not be negative"),
        ("overload", {"per_s": 0}, "`per_s` (0.0) must be above 0"),
        ("overload", {"headers_s": -1}, "`headers_s` must not be negative"),
        ("overload", {"sheds_at": 0.5}, "`sheds_at` (0.5) must be at least 1"),
        ("quota_exhaustion", {"problem": "poverty"}, "no problem 'poverty'"),
        ("dns_failure", {"takes_s": -1}, "must not be negative"),
        ("credential_revocation", {"spreads_s": -1}, "`spreads_s` must not be negative"),
        ("byzantine_answers", {"how": "gently"}, "not 'gently'"),
        ("giant_answers", {"mib": 0}, "`mib` (0.0) must be above 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(name: str, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(BadSettings) as error:
        FAULTS.build(name, settings)
    assert words in str(error.value)
    assert str(error.value).startswith(f"fault {name}: ")
