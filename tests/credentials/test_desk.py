"""What sources hand out is kept, renewed ahead by one errand at a time, and no request waits long for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from credentials.clouds import NOW_S, Cloud, token
from understudy.core.value import keyword_value
from understudy.credentials import CredentialUnavailable, Grant, Means, Secret, _desk
from understudy.credentials._desk import Desk

TOKEN_PATH = "/computeMetadata/v1/instance/service-accounts/default/token"
ASKED = f"GET {TOKEN_PATH}"
GOOGLE = {"metadata-flavor": "Google"}
GCP = "gcp:metadata"


@pytest.fixture
def desk(cloud: Cloud, means: Callable[..., Means]) -> Desk:
    cloud.answers[ASKED] = (200, GOOGLE, token()[2])
    return Desk(means(GCE_METADATA_HOST=cloud.host))


def gives(cloud: Cloud, text: str, expires_in: object = 3600) -> None:
    cloud.answers[ASKED] = (200, GOOGLE, {"access_token": text, "expires_in": expires_in})


async def settled(desk: Desk) -> None:
    """Wait until no errand is under way."""
    while desk._errands:
        await asyncio.sleep(0.001)


async def test_many_readers_send_one_errand(desk, cloud):
    cloud.gate.clear()
    readers = [asyncio.create_task(desk.read(GCP)) for _ in range(20)]
    await asyncio.sleep(0.01)
    cloud.gate.set()
    assert {(await reader).secret.reveal() for reader in readers} == {"ya29.fresh"}
    assert len(cloud.asked) == 1


async def test_what_is_good_is_given_at_once_and_renewed_ahead_of_its_end(desk, cloud, monkeypatch):
    first = await desk.read(GCP)
    assert await desk.read(GCP) is first
    assert len(cloud.asked) == 1
    gives(cloud, "ya29.second")
    desk._kept[GCP].renew_s = 0.0
    cloud.gate.clear()
    assert await desk.read(GCP) is first  # nobody waits for a renewal
    cloud.gate.set()
    await settled(desk)
    assert (await desk.read(GCP)).secret.reveal() == "ya29.second"


@pytest.mark.parametrize(
    ("good_for_s", "renew_s", "ends_s"),
    [
        (3600.0, 3375.0, 3590.0),
        (100.0, 75.0, 90.0),
        (1e12, 86400.0 - 225, 86390.0),
        (None, 86400.0 - 225, float("inf")),
    ],
)
def test_the_end_and_the_renewal_follow_from_the_life(good_for_s, renew_s, ends_s):
    kept = _desk._Kept(Grant(secret=Secret("x"), good_for_s=good_for_s), 0.0)
    assert (kept.renew_s, kept.ends_s) == (renew_s, ends_s)


async def test_what_has_ended_is_not_given(desk, cloud):
    gives(cloud, "ya29.short", expires_in=0.02)
    assert (await desk.read(GCP)).secret.reveal() == "ya29.short"
    await asyncio.sleep(0.03)
    gives(cloud, "ya29.next")
    assert (await desk.read(GCP)).secret.reveal() == "ya29.next"


async def test_a_slow_source_holds_no_request_and_its_answer_is_kept(desk, cloud, monkeypatch):
    monkeypatch.setattr(_desk, "WAIT_S", 0.02)
    cloud.gate.clear()
    with pytest.raises(CredentialUnavailable, match="has not answered within"):
        await desk.read(GCP)
    cloud.gate.set()
    await settled(desk)
    assert (await desk.read(GCP)).secret.reveal() == "ya29.fresh"
    assert len(cloud.asked) == 1


async def test_a_request_that_leaves_does_not_stop_the_errand(desk, cloud):
    cloud.gate.clear()
    reader = asyncio.create_task(desk.read(GCP))
    await asyncio.sleep(0.01)
    reader.cancel()
    cloud.gate.set()
    await settled(desk)
    assert GCP in desk._kept


async def test_an_errand_ends_even_when_its_source_does_not(desk, cloud, monkeypatch):
    monkeypatch.setattr(_desk, "ERRAND_S", 0.02)
    cloud.gate.clear()
    with pytest.raises(CredentialUnavailable, match=r"has not answered within 0.02 s"):
        await desk.read(GCP)


async def test_after_a_failure_requests_are_told_at_once_and_the_next_errand_waits(desk, cloud):
    cloud.answers.clear()
    for _ in range(5):
        with pytest.raises(CredentialUnavailable, match=r"gcp:metadata: "):
            await desk.read(GCP)
    assert len(cloud.asked) == 1
    desk._troubles[GCP].again_s = 0.0
    gives(cloud, "ya29.back")
    assert (await desk.read(GCP)).secret.reveal() == "ya29.back"
    assert desk._troubles == {}


async def test_a_failed_renewal_leaves_what_is_good_in_use_and_does_not_hammer(desk, cloud):
    first = await desk.read(GCP)
    cloud.answers.clear()
    desk._kept[GCP].renew_s = 0.0
    for _ in range(5):
        assert await desk.read(GCP) is first
        await settled(desk)
    assert len(cloud.asked) == 2


async def test_a_dead_source_is_named(means):
    desk = Desk(means(GCE_METADATA_HOST="127.0.0.1:1"))
    with pytest.raises(CredentialUnavailable, match=r"^gcp:metadata: 127.0.0.1 cannot be asked: "):
        await desk.read(GCP)


@pytest.mark.parametrize(
    ("answer", "phrase"),
    [
        ((500, GOOGLE, {"error": "internal"}), "answered 500: internal"),
        ((200, GOOGLE, b"<html>"), "no JSON object"),
        ((200, GOOGLE, [1]), "no JSON object"),
        ((200, GOOGLE, {"expires_in": 1}), "without access_token"),
        ((200, GOOGLE, {"access_token": 7, "expires_in": 1}), "without access_token"),
        ((200, GOOGLE, {"access_token": "t"}), "without a number in expires_in"),
        ((200, GOOGLE, {"access_token": "t", "expires_in": "soon"}), "without a number in expires_in"),
        ((200, GOOGLE, {"access_token": "t", "expires_in": True}), "without a number in expires_in"),
        ((200, GOOGLE, {"access_token": "t", "expires_in": "NaN"}), "without a number in expires_in"),
        ((200, GOOGLE, {"access_token": "t", "expires_in": "inf"}), "without a number in expires_in"),
        ((200, GOOGLE, {"access_token": "t", "expires_in": -5}), "has ended already; check the clocks"),
        ((200, GOOGLE, {"access_token": "t", "expires_in": 0}), "has ended already"),
        ((200, GOOGLE, {"access_token": "", "expires_in": 9}), "cannot be a token"),
        ((200, GOOGLE, {"access_token": "a\r\nx-evil: 1", "expires_in": 9}), "cannot be a token"),
        ((200, GOOGLE, {"access_token": "täg", "expires_in": 9}), "cannot be a token"),
        ((200, GOOGLE, {"access_token": "t" * 40_000, "expires_in": 9}), "hardly a token"),
        ((302, {"location": "http://elsewhere/"}, b""), "is not Google's"),
        ((200, {}, {"access_token": "t", "expires_in": 9}), "is not Google's"),
    ],
)
async def test_a_source_that_lies_is_not_believed(desk, cloud, answer, phrase):
    cloud.answers[ASKED] = answer
    with pytest.raises(CredentialUnavailable, match=phrase):
        await desk.read(GCP)


async def test_what_an_error_quotes_of_a_secret_is_masked(desk, cloud):
    cloud.answers[ASKED] = (400, GOOGLE, {"error_description": "bad key sk-abcdef123456 given"})
    with pytest.raises(CredentialUnavailable) as caught:
        await desk.read(GCP)
    assert "sk-abcdef123456" not in str(caught.value)


async def test_a_mistake_of_a_source_is_a_credential_that_cannot_be_had(desk, monkeypatch):
    @keyword_value
    class Broken:
        async def grant(self, means: Means) -> Grant:
            raise KeyError("x")

    desk._sources[GCP] = Broken()
    with pytest.raises(CredentialUnavailable, match="its source failed: KeyError"):
        await desk.read(GCP)


async def test_a_doubted_token_is_renewed_but_not_all_the_time(desk, cloud):
    await desk.read(GCP)
    desk.doubt(GCP)  # fresh: the provider's refusal is about something else
    desk.doubt("entra")  # never asked for
    assert len(cloud.asked) == 1
    gives(cloud, "ya29.new")
    desk._kept[GCP].since_s -= _desk.DOUBT_S
    desk.doubt(GCP)
    desk.doubt(GCP)
    await settled(desk)
    assert len(cloud.asked) == 2
    assert (await desk.read(GCP)).secret.reveal() == "ya29.new"


async def test_without_the_network_nothing_is_asked(tmp_path):
    desk = Desk(Means(env={}, folder=tmp_path, http=None, wall_s=lambda: NOW_S))
    with pytest.raises(CredentialUnavailable, match="is not to be asked here"):
        await desk.read(GCP)
