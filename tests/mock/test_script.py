"""Scripts: read from YAML, checked before anything starts; every example is one."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from understudy.core.dice import Dice
from understudy.faults import FAULTS, Reply, Scene, plan_attempt
from understudy.mock import MODELS, BadScript, Script, load_script, read_script
from understudy.mock.by_name import fault_of
from understudy.mock.script import read_faults

EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "mock").glob("*.yaml"))


def test_an_empty_script_is_a_mock_that_always_answers() -> None:
    assert read_script("") == Script()


def test_a_script_names_faults_with_their_settings() -> None:
    script = read_script("seed: 3\nfaults: [silence, {outage: {how: reset, from_s: 5}}]")
    silence, outage = read_faults(script.faults)
    assert plan_attempt(Scene(now_s=1.0), [silence], Dice(1)).reply is Reply.SILENCE
    assert plan_attempt(Scene(now_s=6.0), [outage], Dice(1)).reply is Reply.RESET


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("[]", "a mapping of settings"),
        ("faults: [", "not YAML"),
        ("fault: []", "no setting 'fault'; did you mean 'faults'?"),
        ("seed: abc", "`int`"),
        ("faults: [outrage]", "no fault 'outrage'; did you mean 'outage'?"),
        ("faults: [{outage: {form_s: 3}}]", "no setting 'form_s'; did you mean 'from_s'?"),
        ("faults: [1]", "a fault is written as its name"),
        ("match: perhaps", "perhaps"),
    ],
)
def test_a_mistake_in_a_script_is_named(tmp_path: Path, source: str, words: str) -> None:
    with pytest.raises(BadScript) as error:
        read_script(source)
    assert words in str(error.value)
    path = tmp_path / "script.yaml"
    path.write_text(source)
    with pytest.raises(BadScript, match=r"script\.yaml"):
        load_script(path)


def test_a_missing_script_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadScript, match=r"nowhere\.yaml"):
        load_script(tmp_path / "nowhere.yaml")


def test_a_recording_is_found_beside_its_script(tmp_path: Path) -> None:
    path = tmp_path / "script.yaml"
    path.write_text("recording: traffic.jsonl")
    assert load_script(path).recording == str(tmp_path / "traffic.jsonl")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_a_script_that_says_what_it_is_for(path: Path) -> None:
    script = load_script(path)
    assert path.read_text().startswith("# ")
    assert script.faults or script.recording


def test_the_examples_show_every_fault() -> None:
    shown = {spec if isinstance(spec, str) else next(iter(spec)) for path in EXAMPLES for spec in yaml.safe_load(path.read_text())["faults"]}  # fmt: skip
    assert shown == set(FAULTS.names())


@pytest.mark.parametrize("model", MODELS)
def test_every_telling_model_name_has_a_fault(model: str) -> None:
    spec = fault_of(model)
    assert spec is not None
    assert fault_of(f"acme/{model}") == spec
    read_faults([spec])


def test_an_ordinary_model_name_has_none() -> None:
    assert fault_of("mock-small") is fault_of("gpt-5.1") is None
