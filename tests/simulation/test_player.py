"""The provider `simulated` in the engine, in virtual time: its faults end as those of a real provider do, and as late."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from theatre import Theatre
from understudy.core.failure import FailureKind as K
from understudy.faults import FAULTS
from understudy.sim.client import Listener
from understudy.sim.loop import run_virtual

ROUTES = """
routes:
  default:
    tiers: {primary: [played, steady]}
    policy:
      deadline_s: 60
      retry: {kind: none}
      timeouts: {connect_s: 2, headers_s: 5, first_content_s: 6, idle_s: 3, answer_s: 8}
"""


def cast(*faults: Any) -> str:
    played = {"provider": "simulated", "text": "one two three four", "faults": list(faults)}
    steady = {"provider": "openai_compatible", "model": "m", "base_url": "http://steady:80/v1"}
    return yaml.safe_dump({"targets": {"played": played, "steady": steady}}) + ROUTES


@pytest.mark.parametrize(
    ("fault", "stream", "kind", "after_s"),
    [
        ("partition", False, K.CONNECT_TIMEOUT, 2.0),
        ("partition", True, K.CONNECT_TIMEOUT, 2.0),
        ({"partition": {"from_s": 0.02}}, False, K.ANSWER_TIMEOUT, 8.0),
        ({"partition": {"from_s": 0.02}}, True, K.HEADERS_TIMEOUT, 5.0),
        ({"partition": {"from_s": 0.07}}, True, K.FIRST_CONTENT_TIMEOUT, 6.0),
        ("silence", False, K.ANSWER_TIMEOUT, 8.0),
        ("silence", True, K.HEADERS_TIMEOUT, 5.0),
        ({"silence": {"after": "headers"}}, True, K.FIRST_CONTENT_TIMEOUT, 6.0),
        ({"dns_failure": {"takes_s": 1}}, False, K.DNS_FAILED, 1.0),
        ("certificate_expiry", True, K.TLS_FAILED, 0.0),
        ("credential_revocation", False, K.AUTH, 0.05),
        ({"clock_skew": {"skew_s": 400}}, False, K.AUTH, 0.05),
        ("quota_exhaustion", False, K.INSUFFICIENT_QUOTA, 0.05),
        ("giant_answers", False, K.ANSWER_TOO_LARGE, 0.1),
        ("giant_answers", True, K.ANSWER_TOO_LARGE, 0.1),
        ({"byzantine_answers": {"how": "foreign"}}, False, K.MALFORMED, 0.1),
    ],
)
def test_a_fault_ends_as_it_would_on_a_wire(fault: Any, stream: bool, kind: K, after_s: float) -> None:
    async def main() -> None:
        theatre = Theatre(text=cast(fault))
        result = await theatre.ask(Listener(), stream=stream)
        assert result is not None
        failed, answered = result.attempts
        assert failed.failure is not None
        assert failed.failure.kind is kind
        assert failed.ended_s - failed.started_s == pytest.approx(after_s, abs=1e-9)
        assert answered.good

    run_virtual(main())


@pytest.mark.parametrize("fault", [{"stalled_stream": {"after_chunks": 2}}, {"partition": {"from_s": 0.13}}])
def test_a_stream_that_falls_silent_is_given_up_after_idle_s(fault: Any) -> None:
    async def main() -> None:
        theatre = Theatre(text=cast(fault))
        listener = Listener()
        result = await theatre.ask(listener, stream=True)
        assert result is not None
        assert result.failure is not None
        assert result.failure.kind is K.IDLE_TIMEOUT
        assert 3.0 < result.ended_s < 3.2
        assert b"one" in listener.body
        assert b"[DONE]" not in listener.body

    run_virtual(main())


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", [name for name in FAULTS if name != "cascading_outage"])
def test_every_fault_of_a_player_is_survived(fault: str, stream: bool) -> None:
    async def main() -> None:
        theatre = Theatre(text=cast(fault))
        listener = Listener()
        result = await theatre.ask(listener, stream=stream)
        assert result is not None
        assert listener.status == 200
        assert result.winner is not None
        assert all(theatre.board.standing(name).in_flight == 0 for name in theatre.board.targets())

    run_virtual(main())
