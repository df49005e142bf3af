"""Training and evaluation on made-up labels whose truth is known, and on the shared ones."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

pytest.importorskip("numpy")

import msgspec
import numpy as np
from typer.testing import CliRunner

from conftest import shared
from understudy.cli import app
from understudy.config.load import loads
from understudy.core.prompts.heads import Trained
from understudy.core.prompts.traits import traits
from understudy.errors import ConfigurationError
from understudy.learn.evaluation import halves
from understudy.learn.fitting import fit_heads, gains_of
from understudy.learn.fixed import arbitrage, arbitrage_by_task, balance_above, budget_aware, budget_by_task
from understudy.learn.labels import BadLabels, Row, holds_labels, models_of, read_rows
from understudy.learn.measures import apgr, calls_for, saved_at
from understudy.learn.policies import ways
from understudy.learn.report import Plan, read_samples, report
from understudy.learn.samples import Sample, read_prices, sample_of
from understudy.learn.training import train
from understudy.library.router import Router

PRICES = {"big": (10.0, 10.0), "small": (1.0, 1.0), "tiny": (0.5, 0.5)}


def made_up(count: int = 600, seed: int = 1) -> list[dict]:
    """Hard prompts hold numbers; the small ones get those wrong. `tiny` agrees with `small` where both are right."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        hard = rng.random() < 0.4
        words = " ".join(rng.choice(["sky", "blue", "river", "stone", "house"], 8))
        prompt = f"compute {rng.integers(100, 999)} * {rng.integers(100, 999)} for {words}" if hard else f"say {words}"
        small = int(rng.random() < (0.2 if hard else 0.95))
        tiny = int(rng.random() < (0.15 if hard else 0.9))
        right = {"big": int(rng.random() < 0.97), "small": small, "tiny": tiny}
        answer = {name: "7" if fine else f"no {name}" for name, fine in right.items()}
        rows.append(
            {"id": number, "prompt": prompt, "correct": right, "answer": answer, "task": "t", "in_tokens": 50}
            | {"out_tokens": {"big": 40, "small": 60 if hard else 20, "tiny": 30}}
        )
    return rows


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "set").mkdir()
    with gzip.open(tmp_path / "set" / "dev.jsonl.gz", "wt") as file:
        file.writelines(json.dumps(row) + "\n" for row in made_up())
    (tmp_path / "prices_x.json").write_text(json.dumps({"usd_per_million_tokens": PRICES}))
    (tmp_path / "other.jsonl").write_text('{"timestamp": 3}\n')
    return tmp_path


def rows_of(tmp_path: Path, *told: dict):
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps(one) for one in told))
    return read_rows(path)


def test_labels_come_in_three_shapes(tmp_path):
    assert rows_of(tmp_path, {"prompt": "p", "weak_correct": 0, "strong_correct": 1})[0].right == {
        "weak": 0,
        "strong": 1,
    }
    assert rows_of(tmp_path, {"prompt": "p", "scores": {"a": 0.5}, "category": "c"})[0].task == "c"
    rated = [{"prompt": "p", "target": "a", "score": score} for score in (0, 1)] + [
        {"prompt": "p", "model": "b", "rating": 1}
    ]
    assert rows_of(tmp_path, *rated)[0].right == {"a": 0.5, "b": 1.0}


@pytest.mark.parametrize(
    "told", [{"prompt": "p"}, {"prompt": 3}, {"prompt": "p", "correct": {"a": 2}}, {"prompt": "p", "contaminated": 1}]
)
def test_labels_that_cannot_be_used_say_where(tmp_path, told):
    with pytest.raises(BadLabels, match=r"rows\.jsonl"):
        rows_of(tmp_path, told)


def test_other_data_beside_the_labels_is_left_alone(folder):
    assert not holds_labels(folder / "other.jsonl")
    assert [sample.name for sample in read_samples(folder)] == ["set/dev"]


def test_plain_python_and_numpy_say_the_same(folder):
    sample = read_samples(folder)[0]
    inputs = sample.inputs()
    heads = fit_heads(inputs, sample.right["small"], sample.right["big"], tuple(map(str, range(inputs.shape[1]))))
    many = gains_of(heads, inputs)
    for number in range(0, 600, 50):
        one = heads.gain(traits(sample.prompts[number]))
        assert (one is None and np.isinf(many[number])) or one == pytest.approx(many[number], abs=1e-9)


def test_a_perfect_ranking_beats_chance_and_a_reversed_one_does_not():
    weak, strong = np.array([1.0, 1, 0, 0]), np.ones(4)
    good = np.array([0.0, 0, 1, 1])
    assert apgr(good, weak, strong) == pytest.approx(0.75)
    assert apgr(-good, weak, strong) < 0.5
    assert calls_for(good, weak, strong, 1.0) == 0.5
    assert saved_at(good, weak, strong, np.zeros(4), np.ones(4), 1.0) == 0.5


def test_what_is_trained_keeps_what_was_aimed_at(folder):
    sample = read_samples(folder)[0]
    trial = train(sample, "small", "big", quality=0.95, seed=3)
    assert trial.apgr > 0.7
    assert trial.kept > 0.9
    assert trial.avoided > 0.3


def test_too_few_labels_are_refused(folder):
    rows = read_rows(folder / "set" / "dev.jsonl.gz")[:50]
    with pytest.raises(BadLabels, match="too few"):
        train(sample_of("x", rows, {}), "small", "big")
    assert models_of(rows) == ["big", "small", "tiny"]
    with pytest.raises(BadLabels, match="nobody is called"):
        train(sample_of("x", rows, {}), "nobody", "big")


@pytest.mark.no_cover
def test_the_page_is_the_same_each_time_and_holds_every_pair(folder):
    plan = Plan(labels=300, seeds=(1,))
    samples = read_samples(folder)
    page = report(samples, plan)
    assert page == report(samples, plan)
    assert "| agreement | small + tiny |" in page
    assert "routing by quality" in page


def test_a_price_file_of_another_shape_is_told(tmp_path):
    (tmp_path / "p.json").write_text('{"m": 3}')
    with pytest.raises(ValueError, match=r"p\.json"):
        read_prices(tmp_path / "p.json")


async def test_a_trained_router_routes(folder):
    runner = CliRunner()
    labels, out = str(folder / "set" / "dev.jsonl.gz"), folder / "router.json"
    done = runner.invoke(
        app, ["train", labels, "--weak", "small", "--strong", "big", "--quality", "0.9", "--out", str(out)]
    )
    assert done.exit_code == 0, done.output
    msgspec.json.decode(out.read_bytes(), type=Trained)
    quick = "provider: simulated, headers_s: 0, first_content_s: 0, word_s: 0"
    text = (
        f'targets:\n  big: {{{quick}, text: "big"}}\n  small: {{{quick}, text: "small"}}\n'
        "routes:\n  default: {tiers: {primary: [big, small]}, strategy: {prompt_router: {file: router.json}}}\n"
    )
    configuration = loads(text, source=str(folder / "understudy.yaml"), env={})
    async with Router(configuration=configuration) as router:
        easy = await router.chat("default", "say sky blue river stone house sky blue river")
        hard = await router.chat("default", "compute 123 * 456 for sky blue river stone house sky blue river")
        unlike = await router.chat("default", "?")
    assert (easy.target, hard.target, unlike.target) == ("small", "big", "big")
    assert easy.decision.needs.traits
    with pytest.raises(ConfigurationError, match="cannot be read"):
        loads(text.replace("router.json", "gone.json"), source=str(folder / "understudy.yaml"), env={})
    with pytest.raises(ConfigurationError, match="needs `file`"):
        loads(text.replace("{prompt_router: {file: router.json}}", "prompt_router"), env={})
    (folder / "router.json").write_text("{}")
    with pytest.raises(ConfigurationError, match="understudy train"):
        loads(text, source=str(folder / "understudy.yaml"), env={})


def test_the_gate_of_a_cascade_is_trained_on_drafts(folder):
    out = folder / "gate.json"
    labels = str(folder / "set" / "dev.jsonl.gz")
    done = CliRunner().invoke(
        app,
        ["train", labels, "--weak", "small", "--strong", "big", "--drafts", "tiny,small", "--out", str(out), "--json"],
    )
    assert done.exit_code == 0, done.output
    gate = msgspec.json.decode(out.read_bytes(), type=Trained)
    assert (gate.reads, gate.weak, gate.besides) == ("drafts", "small", ("tiny",))
    assert gate.problem("drafts") is None


def test_commands_say_what_they_miss(folder, tmp_path):
    runner = CliRunner()
    assert runner.invoke(app, ["evaluate", "--data", str(tmp_path / "nowhere")]).exit_code == 2
    assert runner.invoke(app, ["train", str(tmp_path / "nowhere.jsonl")]).exit_code == 2
    done = runner.invoke(
        app, ["evaluate", "--data", str(folder), "--seeds", "1", "--labels", "300", "--out", str(tmp_path / "page.md")]
    )
    assert done.exit_code == 0, done.output
    assert (tmp_path / "page.md").read_text().startswith("# Routing by quality")


@pytest.mark.no_cover
def test_on_real_labels_the_router_ranks_better_than_the_published_ones():
    sample = sample_of("mmlu", read_rows(shared("data", "routellm", "mmlu.jsonl.gz")), {})
    trials = [train(sample, "weak", "strong", seed=seed, held_out=1 - 1500 / len(sample)) for seed in (1, 2, 3, 4, 5)]
    assert sum(trial.apgr for trial in trials) / 5 > 0.64
    assert all(0.975 <= trial.kept <= 0.99 for trial in trials), [trial.kept for trial in trials]
    assert sum(trial.avoided for trial in trials) / 5 >= 0.25


def two_kinds(count: int = 800) -> Sample:
    """At easy tasks the small model is as good as the big one, at hard ones it is not."""
    rows = made_up(count)
    for row in rows:
        row["task"] = "hard" if row["prompt"].startswith("compute") else "easy"
        if row["task"] == "easy":
            row["correct"]["small"] = row["correct"]["big"]
    return sample_of("two kinds", [read_row(row) for row in rows], PRICES)


def read_row(told: dict) -> Row:
    return Row(
        prompt=told["prompt"], right=told["correct"], task=told["task"], tokens_in=told["in_tokens"],
        written=told["out_tokens"], answer=told["answer"],
    )  # fmt: skip


def test_no_prompt_is_on_both_sides_however_often_it_comes() -> None:
    rows = made_up(150)
    sample = sample_of("twice", [read_row(row) for row in [*rows, *rows[:90], *rows[:40]]], {})
    for seed in range(5):
        for share in (0.0, 0.3, 0.5, 0.7, 1.0):
            seen, unseen = sample.drawn(seed, share)
            assert sorted([*seen, *unseen]) == list(range(len(sample)))
            assert not {sample.prompts[row] for row in seen} & {sample.prompts[row] for row in unseen}
            assert len(seen) == pytest.approx(share * len(sample), abs=3)


def test_whose_answer_is_kept_is_told_by_the_rows_seen() -> None:
    prices = {"big": (10.0, 10.0), "small": (1.0, 1.0), "tiny": (1.0, 1.0)}
    sample = sample_of("one", [read_row(row) for row in made_up(400)], prices)
    seen, unseen = halves(sample, 1)
    sample.right["tiny"][unseen] = 1.0  # where nobody has looked
    assert sample.models.index("tiny") < sample.models.index("small")
    (pair,) = [one for one in ways(sample, "big", seen, unseen, 1) if one[0].kind == "agreement"]
    assert (pair[1].kept == sample.right["small"][unseen]).all()


@pytest.mark.parametrize("choose", [balance_above, arbitrage_by_task, budget_by_task])
def test_who_tells_tasks_apart_saves_without_losing(choose) -> None:
    sample = two_kinds()
    seen, unseen = halves(sample, 1)
    usd, right = choose(sample, seen, unseen)
    assert usd.sum() < 0.8 * sample.usd["big"][unseen].sum()
    assert right.sum() >= 0.93 * sample.right["big"][unseen].sum()


def test_who_tells_nothing_apart_pays_or_loses() -> None:
    sample = two_kinds()
    seen, unseen = halves(sample, 1)
    strong = sample.usd["big"][unseen].sum(), sample.right["big"][unseen].sum()
    for choose in (arbitrage, budget_aware):
        usd, right = choose(sample, seen, unseen)
        assert usd.sum() == pytest.approx(strong[0]) or right.sum() < 0.95 * strong[1]


def test_rare_tasks_are_judged_by_all_and_a_budget_that_cannot_be_kept_is_not() -> None:
    sample = two_kinds(120)
    seen, unseen = halves(sample, 1)
    assert len(set(arbitrage_by_task(sample, seen, unseen)[0] / sample.usd["big"][unseen])) == 1
    alone = sample_of("alone", [read_row(row) for row in made_up(300)], {"big": (10.0, 10.0)})
    seen, unseen = halves(alone, 1)
    assert budget_by_task(alone, seen, unseen)[0].sum() == alone.usd["big"][unseen].sum()


def test_further_seeds_are_told_of_routers() -> None:
    told = [{**row, "correct": {name: row["correct"][name] for name in ("big", "small")}} for row in made_up(600)]
    sample = sample_of("pair", [read_row(row) for row in told], {})
    page = report([sample], Plan(labels=300, seeds=(1,), further=(11, 12)))
    assert "Seeds 11 to 12" in page
    assert "Seeds 11" not in report([sample], Plan(labels=300, seeds=(1,), further=()))
