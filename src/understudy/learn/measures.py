"""What a router is judged by, given how right the weak and the strong model were and the gains by which it ranks prompts.

PGR: the share of the quality gap between weak and strong that is recovered; APGR: its mean over all shares of strong calls
(0.5 at random); CPT(x): the share of strong calls needed for x % PGR (I. Ong et al., "RouteLLM", 2024).
"""

from __future__ import annotations

import numpy as np

from understudy.learn.fitting import Floats


def recovered(gains: Floats, weak: Floats, strong: Floats) -> Floats:
    """PGR with 0, 1, ... all rows sent to the strong model, those with the highest gain first. NaN where there is no gap."""
    order = np.argsort(-gains, kind="stable")
    gap = float((strong - weak).sum())
    if gap == 0:
        return np.full(len(gains) + 1, np.nan)
    return np.concatenate([[0.0], np.cumsum((strong - weak)[order]) / gap])


def apgr(gains: Floats, weak: Floats, strong: Floats) -> float:
    """The area under PGR over the share of strong calls."""
    curve = recovered(gains, weak, strong)
    return float((curve[1:] + curve[:-1]).mean() / 2)


def calls_for(gains: Floats, weak: Floats, strong: Floats, share: float) -> float:
    """CPT: the least share of strong calls with which so much of the gap is recovered."""
    curve = recovered(gains, weak, strong)
    reached = np.flatnonzero(curve >= share)
    return float(reached[0] / (len(curve) - 1)) if len(reached) else float("nan")


def saved_at(gains: Floats, weak: Floats, strong: Floats, weak_usd: Floats, strong_usd: Floats, share: float) -> float:
    """The most that can be saved against always asking the strong one, keeping a share of its quality (in hindsight)."""
    order = np.argsort(gains, kind="stable")
    lost = np.concatenate([[0.0], np.cumsum((strong - weak)[order])])
    saved = np.concatenate([[0.0], np.cumsum((strong_usd - weak_usd)[order])])
    fine = lost <= (1.0 - share) * strong.sum() + 1e-9
    return float(saved[fine].max() / strong_usd.sum())
