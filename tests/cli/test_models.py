"""`understudy models`: what the catalogue knows, and where it is doubted."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from conftest import ROOT
from understudy.cli import app
from understudy.config.catalogue import Catalogue
from understudy.core.money import Price


def models(*arguments: str):
    return CliRunner().invoke(app, ["models", *arguments])


def test_the_models_of_a_provider_are_listed_with_prices_and_windows():
    done = models("--provider", "gemini")
    assert done.exit_code == 0
    [line] = [line for line in done.output.splitlines() if " gemini-2.5-pro " in line]
    assert line.split()[:7] == ["gemini", "gemini-2.5-pro", "$1.25", "$10", "$0.125", "1,048,576", "65,536"]
    assert "Copyright (c) 2025 models.dev" in done.output


def test_every_provider_is_listed_as_json_with_the_licence():
    told = json.loads(models("--json").output)
    assert "MIT" in told["about"]["licence"]
    found = {(one["provider"], one["model"]): one for one in told["models"]}
    sonnet = found["anthropic", "claude-sonnet-4-5"]
    assert (sonnet["price"]["input"], sonnet["context_tokens"], sonnet["tier"]) == (3.0, 200_000, "balanced")
    assert found["gemini", "gemini-2.5-pro"]["price"]["longer"]["above"] == 200_000
    assert len({provider for provider, _ in found}) >= 15


def test_an_unknown_provider_gets_the_nearest():
    done = models("--provider", "anthropc")
    assert done.exit_code == 2
    assert 'did you mean "anthropic"' in done.output


def test_a_model_is_shown_wherever_it_runs_cheapest_first():
    told = json.loads(models("show", "openai/gpt-5.1", "--json").output)
    places = {one["place"] for one in told["places"]}
    assert {"openai/gpt-5.1", "azure/gpt-5.1", "openrouter/openai/gpt-5.1"} <= places
    assert told["quality"] is None
    priced = [one["price"] for one in told["places"]]
    rates = [3 * price["input"] + price["output"] for price in priced if price]
    assert rates == sorted(rates)
    assert all(priced[: len(rates)])


def test_a_family_is_shown_with_all_its_models_and_long_requests():
    done = models("show", "gemini-pro")
    assert "google/gemini-2.5-pro: requests that read more than 200,000 tokens cost $2.5 in, $15 out" in done.output
    assert "quality: unknown" in done.output


def test_a_tier_is_shown_with_what_tells_it_or_as_unknown():
    assert 'tier: balanced: "claude sonnet" in its maker\'s range' in models("show", "claude-sonnet-4-5").output
    assert "tier: flagship: $15 among" in models("show", "gpt-4-turbo").output
    assert "tier: unknown" in models("show", "gpt-oss-120b").output
    every = json.loads(models("--json").output)["models"]
    assert all((one["tier"] is None) is (one["tier_source"] is None) for one in every)
    assert all((one["price"] is None) is (one["cost_tier"] is None) for one in every)


def test_an_unknown_model_is_told():
    done = models("show", "no-such-model-1")
    assert done.exit_code == 1
    assert 'no model "no-such-model-1"' in done.output


def test_prices_that_disagree_are_told_with_both_figures():
    done = models("check", "--provider", "vertex", "--json")
    told = json.loads(done.output)
    assert told["compared"] > 5
    assert done.exit_code == (1 if told["differences"] else 0)
    assert all(one["ours"] != one["genai-prices"] for one in told["differences"])


def test_prices_that_agree_are_exit_code_0():
    done = models("check", "--provider", "cerebras")
    assert done.exit_code == (1 if "  $" in done.output else 0)
    assert "priced by both" in done.output


def test_the_prices_of_a_configuration_are_compared_as_they_are_booked(tmp_path):
    file = tmp_path / "understudy.yaml"
    file.write_text(
        "targets: {a: {provider: anthropic, model: claude-sonnet-4-5, price: {input: 7, output: 15}}, s: {provider: static, text: x},"
        " b: {provider: openai, model: ours, price: {input: 1, output: 1}}, c: {provider: openai, model: nobody-knows-it}}"
    )
    told = json.loads(models("check", "--config", str(file), "--json").output)
    assert (told["compared"], told["unknown"]) == (1, 1)
    assert told["differences"] == [
        {"provider": "anthropic", "model": "claude-sonnet-4-5", "rate": "input", "ours": 7.0, "genai-prices": 3.0}
    ]


def test_without_the_second_opinion_its_installation_is_told(monkeypatch):
    monkeypatch.delitem(sys.modules, "understudy.config.catalogue.comparison", raising=False)
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    monkeypatch.setitem(sys.modules, "genai_prices.data_snapshot", None)
    done = models("check")
    assert done.exit_code == 1
    assert "install understudy[prices]" in done.output


def test_a_snapshot_is_made_from_a_fetched_file_and_read_again(tmp_path):
    source, made = tmp_path / "api.json", tmp_path / "made.zip"
    source.write_text(json.dumps({"xai": {"models": {"grok-9": {"cost": {"input": 1, "output": 2}}}}}))
    told = json.loads(models("refresh", "--from", str(source), "--to", str(made), "--json").output)
    assert (told["models"], told["file"]) == (1, str(made))
    assert Catalogue(made).sheet("xai")["grok-9"].same_as == "grok-9"
    assert "grok-9" in models("--provider", "xai", "--catalogue", str(made)).output


@pytest.mark.parametrize("content", [None, "{}"])
def test_a_file_that_is_no_catalogue_is_told(tmp_path, content):
    source = tmp_path / "api.json"
    if content is not None:
        source.write_text(content)
    done = models("refresh", "--from", str(source), "--to", str(tmp_path / "made.zip"))
    assert done.exit_code == 2
    assert "api.json" in done.output
    assert not (tmp_path / "made.zip").exists()


@pytest.mark.parametrize("where", ["nowhere/made.zip", "."])
def test_a_place_that_cannot_be_written_is_told_and_nothing_is_left_behind(tmp_path, where):
    source = tmp_path / "api.json"
    source.write_text(json.dumps({"xai": {"models": {"grok-9": {}}}}))
    (tmp_path / "there").mkdir()
    done = models("refresh", "--from", str(source), "--to", str(tmp_path / "there" / where))
    assert done.exit_code == 1
    assert "cannot be written: " in done.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["api.json", "there"]
    assert "cannot be read: No such file" in models("refresh", "--from", str(tmp_path / "none.json")).output


@pytest.mark.parametrize("name", ["about", "names", "../evil", "", "a/b"])
def test_a_provider_whose_name_is_none_is_told(tmp_path, name):
    source = tmp_path / "api.json"
    source.write_text(json.dumps({name: {"models": {"grok-9": {}}}}))
    done = models("refresh", "--from", str(source), "--to", str(tmp_path / "made.zip"))
    assert done.exit_code == 2
    assert "a provider cannot be called" in done.output
    assert not (tmp_path / "made.zip").exists()


def test_of_what_makes_no_sense_nothing_is_taken_and_the_rest_is(tmp_path):
    source, made = tmp_path / "api.json", tmp_path / "made.zip"
    odd = {
        "cost": [1], "limit": "x", "modalities": {"input": 5, "output": [1]}, "family": 7, "tool_call": "yes", "status": 1,
        "release_date": 20260101, "base_model": 3,
    }  # fmt: skip
    steps = {"cost": {"input": 1, "output": 2, "tiers": [3, {"tier": 4, "input": 5, "output": 6}]}}
    source.write_text(json.dumps({"xai": {"models": {"grok-8": 5, "grok-9": odd, "grok-10": steps}}}))
    assert models("refresh", "--from", str(source), "--to", str(made)).exit_code == 0
    sheet = Catalogue(made).sheet("xai")
    assert set(sheet) == {"grok-9", "grok-10"}
    one = sheet["grok-9"]
    assert (one.price, one.context, one.gives, one.family, one.tools, one.status, one.released) == (
        None, None, ("text",), None, None, None, None,
    )  # fmt: skip
    assert sheet["grok-10"].price == Price(input=1_000_000, output=2_000_000)


def test_a_snapshot_that_cannot_be_read_is_exit_code_2(tmp_path):
    assert models("--catalogue", str(tmp_path / "none.zip")).exit_code == 2


def test_check_shows_where_each_figure_is_from(tmp_path):
    file = tmp_path / "understudy.yaml"
    file.write_text(
        "targets: {a: {provider: openai, model: gpt-5.1, quality: 0.5, max_output_tokens: 9}, s: {provider: static, text: x}}"
    )
    done = CliRunner().invoke(app, ["check", "--config", str(file), "--json"])
    figures = json.loads(done.output)["figures"]
    assert figures["a"]["price"] == {
        "value": {"input": 1.25, "output": 10.0},
        "source": "models.dev 2026-07-02: openai/gpt-5.1",
    }
    assert figures["a"]["max_output_tokens"] == {"value": 9, "source": "configuration"}
    assert figures["a"]["quality"] == {"value": 0.5, "source": "configuration"}
    assert figures["a"]["scores"] == {"value": None, "source": "unknown"}
    assert set(figures) == {"a"}
    text = CliRunner().invoke(app, ["check", "--config", str(file)]).output
    assert "price $1.25 in $10 out, context_tokens 400,000" in text


def test_no_model_is_looked_up_before_it_is_asked_for():
    code = (
        "import sys, understudy.cli.models; print(*sorted({'zipfile', 'msgspec', 'genai_prices'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30, cwd=ROOT
    )
    assert done.stdout.strip() == ""
