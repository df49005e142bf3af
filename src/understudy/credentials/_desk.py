"""Where requests get what sources hand out: kept while it is good, renewed ahead of its end, one errand at a time.

A request waits at most `WAIT_S`, and only where nothing that is good is at hand. While errands fail, what is still good stays in
use; when nothing is, requests are told so at once, and the next errand goes out after `AGAIN_S`.
"""

from __future__ import annotations

import asyncio

from understudy.core.masking import mask_secrets
from understudy.credentials import CredentialUnavailable, Grant, Means, Secret, Source, source

WAIT_S = 2.5
"""How long a request waits for its first credential: a fallback is better than a slow cloud."""

ERRAND_S = 15.0
"""How long an errand may take."""

AGAIN_S = 5.0
"""After a failed errand."""

AHEAD_S = 225.0
"""Renewed so long before its end, or after three quarters of its life, whichever comes later. (Google's and Amazon's metadata
servers hand out the old token until four or five minutes before it ends.)"""

SPARE_S = 10.0
"""Not used any more so shortly before its end: the request has a way to go, and clocks differ."""

LIFE_MAX_S = 24 * 3600.0
"""Whoever says that a token is good for longer is not believed: it is renewed all the same."""

SECRET_MAX = 32 * 1024
DOUBT_S = 30.0
"""A token that a provider refuses is renewed early, but not more often than this."""


class _Kept:
    """A grant, from when, until when it is used, and when to renew it (loop time)."""

    __slots__ = ("ends_s", "grant", "renew_s", "since_s")

    def __init__(self, grant: Grant, since_s: float) -> None:
        life_s = LIFE_MAX_S if grant.good_for_s is None else min(grant.good_for_s, LIFE_MAX_S)
        self.grant = grant
        self.since_s = since_s
        self.ends_s = float("inf") if grant.good_for_s is None else since_s + life_s - min(SPARE_S, life_s / 10)
        self.renew_s = since_s + life_s - min(AHEAD_S, life_s / 4)


class _Trouble:
    """Why the last errand failed, and when the next may go (loop time)."""

    __slots__ = ("again_s", "why")

    def __init__(self, why: str, again_s: float) -> None:
        self.why = why
        self.again_s = again_s


class Desk:
    """Grants by reference. It belongs to the event loop on which it is used."""

    __slots__ = ("_errands", "_kept", "_means", "_sources", "_troubles")

    def __init__(self, means: Means) -> None:
        self._means = means
        self._sources: dict[str, Source] = {}
        self._kept: dict[str, _Kept] = {}
        self._troubles: dict[str, _Trouble] = {}
        self._errands: dict[str, asyncio.Task[Grant]] = {}

    async def read(self, reference: str) -> Grant:
        """What is good now. Raises `CredentialUnavailable`, after `WAIT_S` at the latest."""
        now_s = asyncio.get_running_loop().time()
        kept = self._kept.get(reference)
        trouble = self._troubles.get(reference)
        resting = trouble is not None and now_s < trouble.again_s
        if kept is not None and now_s < kept.ends_s:
            if now_s >= kept.renew_s and not resting:
                _ = self._send_out(reference)
            return kept.grant
        if trouble is not None and resting:
            raise CredentialUnavailable(f"{reference}: {trouble.why}")
        errand = self._send_out(reference)
        # Not cancelled with the request: whoever comes next profits.
        await asyncio.wait((errand,), timeout=WAIT_S)
        if not errand.done():
            raise CredentialUnavailable(
                f"{reference}: its source has not answered within {WAIT_S:g} s and is still being asked"
            )
        try:
            return errand.result()
        except CredentialUnavailable as error:
            raise CredentialUnavailable(f"{reference}: {error}") from None

    def warm(self, reference: str) -> None:
        """Begin to fetch it, so that the first request need not wait."""
        if reference not in self._kept:
            _ = self._send_out(reference)

    def doubt(self, reference: str) -> None:
        """A provider refused what this reference gave: renew it, whatever its life."""
        kept, now_s = self._kept.get(reference), asyncio.get_running_loop().time()
        if kept is not None and now_s >= kept.since_s + DOUBT_S:
            _ = self._send_out(reference)

    def _send_out(self, reference: str) -> asyncio.Task[Grant]:
        errand = self._errands.get(reference)
        if errand is None:
            errand = self._errands[reference] = asyncio.create_task(self._errand(reference))
            errand.add_done_callback(lambda done: self._back(reference, done))
        return errand

    def _back(self, reference: str, errand: asyncio.Task[Grant]) -> None:
        del self._errands[reference]
        if not errand.cancelled():
            errand.exception()  # told to whoever waits, and else kept as the trouble that it is

    async def _errand(self, reference: str) -> Grant:
        loop = asyncio.get_running_loop()
        try:
            if reference not in self._sources:
                self._sources[reference] = source(reference)
            granted = await asyncio.wait_for(self._sources[reference].grant(self._means), ERRAND_S)
            _check(granted)
        except TimeoutError:
            why = f"its source has not answered within {ERRAND_S:g} s"
        except CredentialUnavailable as error:
            why = mask_secrets(str(error))
        except Exception as error:  # noqa: BLE001  a source may be anybody's: its mistake is a credential that cannot be had
            why = f"its source failed: {type(error).__name__}"
        else:
            self._kept[reference] = _Kept(granted, loop.time())
            self._troubles.pop(reference, None)
            return granted
        self._troubles[reference] = _Trouble(why, loop.time() + AGAIN_S)
        raise CredentialUnavailable(why)


def _check(granted: Grant) -> None:
    """Refuse what cannot be a credential, or is one no more. Raises `CredentialUnavailable`."""
    for secret in (granted.secret, granted.session_token):
        text = secret.reveal() if isinstance(secret, Secret) else ""
        if secret is not None and not (text and text.isascii() and text.isprintable() and " " not in text):
            raise CredentialUnavailable("its source gave something that cannot be a token")
        if len(text) > SECRET_MAX:
            raise CredentialUnavailable(f"its source gave more than {SECRET_MAX} bytes, so hardly a token")
    if granted.good_for_s is not None and not granted.good_for_s > 0:
        raise CredentialUnavailable("its source gave one that has ended already; check the clocks")
