"""`python bench/choosing.py`: how long a choice takes and how good it is. Writes results/choosing.md and results/choosing.json.

- Time of one choice (eligibility, scores, order) for every strategy and balancer among 12, 100 and 1,000 targets that all have a past.
- Evenings in a drifting world (`understudy.sim.drift`), with regret over time for each strategy, drawn in docs/guides/regret.svg.
"""

import json
from math import log10
from pathlib import Path

from understudy.sim.crowd import PAIRS, Crowd, unit_us
from understudy.sim.drift import NEAR, World, play

HERE = Path(__file__).resolve().parent
SIZES = (12, 100, 1000)
SEEDS = range(100, 140)
EVENINGS = (
    ("failover", "adaptive"),
    ("shuffle", "adaptive"),
    ("composite", "adaptive"),
    ("adaptive", "adaptive"),
    ("failover", "composite"),
    ("composite", "composite"),
)


CURVES = (("failover", "#888888"), ("shuffle", "#c77700"), ("composite", "#1b7f4b"), ("adaptive", "#1f5fbf"))
"""Who is drawn, as judged by the weights of `adaptive`, and in which colour."""

WIDTH, HEIGHT, MARGIN = 640, 360, 56
DECADES = 4


def times() -> list[tuple[str, str, list[float]]]:
    return [
        (strategy, balancer, [Crowd(count, strategy, balancer).choice_us(9) for count in SIZES])
        for strategy, balancer in PAIRS
    ]


def evenings() -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for strategy, judged in EVENINGS:
        played = [play(World(seed=seed), strategy, judged=judged) for seed in SEEDS]
        count = len(played)
        rows.append(
            {
                "strategy": strategy,
                "judged": judged,
                "optimal": sum(one.optimal for one in played) / count,
                "near": sum(one.near for one in played) / count,
                "worth": sum(one.worth for one in played) / count,
                "best": sum(one.best for one in played) / count,
                "regret": [sum(points) / count for points in zip(*(one.regret for one in played), strict=True)],
            }
        )
    return rows


def page(measured: list[tuple[str, str, list[float]]], played: list[dict[str, object]], unit: float) -> str:
    lines = ["# Choosing", "", f"One choice, us (a value of nine fields: {unit:.2f} us).", ""]
    lines += ["| strategy | balancer | 12 targets | 100 | 1,000 |", "|---|---|---|---|---|"]
    lines += [
        f"| {strategy} | {balancer} | " + " | ".join(f"{us:,.1f}" for us in row) + " |"
        for strategy, balancer, row in measured
    ]
    lines += [
        "",
        f"{len(SEEDS)} evenings of two hours, two requests per second, eight targets, a change every quarter of an hour somewhere.",
    ]
    lines += [
        f"Near: within {NEAR} of the best target's true worth, the part of a choice that can be told from chance.",
        "",
    ]
    lines += [
        "| strategy | judged by the weights of | the very best | near it | mean worth | the best's | regret after 1/4, 1/2, all |"
    ]
    lines += ["|---|---|---|---|---|---|---|"]
    for row in played:
        regret = row["regret"]
        assert isinstance(regret, list)
        curve = ", ".join(f"{regret[point]:,.0f}" for point in (24, 49, 99))
        lines.append(
            f"| {row['strategy']} | {row['judged']} | {row['optimal']:.1%} | {row['near']:.1%} | {row['worth']:.3f} | {row['best']:.3f} | {curve} |"
        )
    return "\n".join([*lines, ""])


def drawing(played: list[dict[str, object]], hours: float) -> str:
    """Regret over the evening as a picture: worth lost so far (of requests worth at most 1), on a scale of tens."""
    right, bottom = WIDTH - 2 * MARGIN, HEIGHT - MARGIN

    def height(lost: float) -> float:
        return bottom - (bottom - MARGIN / 2) * log10(max(1.0, lost)) / DECADES

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
        "<title>Regret over time</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    for power in range(DECADES + 1):
        y = height(10.0**power)
        parts.append(f'<path d="M{MARGIN} {y:.1f}H{right}" stroke="#dddddd"/>')
        parts.append(f'<text x="{MARGIN - 6}" y="{y + 4:.1f}" text-anchor="end">{10**power:,}</text>')
    for quarter in range(5):
        x = MARGIN + (right - MARGIN) * quarter / 4
        parts.append(f'<text x="{x:.0f}" y="{bottom + 18}" text-anchor="middle">{hours * quarter / 4:g} h</text>')
    parts.append(
        f'<text x="{MARGIN}" y="{HEIGHT - 12}">worth lost against perfect knowledge, summed up; mean of {len(SEEDS)} evenings</text>'
    )
    lowest = 0.0
    for name, colour in CURVES:
        regret = next(row["regret"] for row in played if (row["strategy"], row["judged"]) == (name, "adaptive"))
        assert isinstance(regret, list)
        points = " ".join(
            f"{MARGIN + (right - MARGIN) * (place + 1) / len(regret):.1f},{height(lost):.1f}"
            for place, lost in enumerate(regret)
        )
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        lowest = max(
            lowest + 14.0, height(regret[-1]) + 4.0
        )  # names of curves that end together stand below each other
        parts.append(f'<text x="{right + 6}" y="{lowest:.1f}" fill="{colour}">{name}</text>')
    return "\n".join([*parts, "</svg>", ""])


def main() -> None:
    measured, played, unit = times(), evenings(), unit_us(9)
    text = page(measured, played, unit)
    results = HERE / "results"
    (results / "choosing.md").write_text(text)
    document = {"unit_us": unit, "times_us": [[*pair[:2], *pair[2]] for pair in measured], "evenings": played}
    (results / "choosing.json").write_text(json.dumps(document, indent=1) + "\n")
    (HERE.parent / "docs" / "guides" / "regret.svg").write_text(drawing(played, World(seed=0).hours))
    print(text)


if __name__ == "__main__":
    main()
