"""How a model on this machine is configured."""

from __future__ import annotations

import pytest

from understudy.config.load import loads
from understudy.config.targets import FREE
from understudy.core.target import Target
from understudy.errors import ConfigurationError
from understudy.providers import facts, is_hosted


def configured(settings: str) -> Target:
    return loads(f"targets: {{tiny: {{provider: onnx, model: models/tiny{settings}}}}}", env={}).targets["tiny"]


def test_a_folder_is_enough_and_it_stands_in_the_local_tier() -> None:
    configuration = loads(
        "targets: {tiny: {provider: onnx, model: models/tiny}, gpt: {provider: openai, model: m}}",
        env={"OPENAI_API_KEY": "sk"},
    )
    target = configuration.targets["tiny"]
    assert is_hosted(target)
    assert target.local
    assert target.key is None
    assert [(tier.name, tier.targets) for tier in configuration.routes["default"].tiers] == [
        ("primary", ("gpt",)),
        ("local", ("tiny",)),
    ]


def test_its_settings_are_kept_with_the_target() -> None:
    target = configured(", threads: 2, queue: 0, context_tokens: 2048")
    assert target.settings == {"threads": 2, "queue": 0}
    assert target.context_tokens == 2048


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (", threads: 0", "`threads` must be at least 1"),
        (", queue: -1", "`queue` must lie between"),
        (", queue: 1001", "`queue` must lie between"),
        (", thread: 2", "threads"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        configured(wrong)


def test_it_costs_nothing_unless_it_is_somebody_elses_or_said_otherwise() -> None:
    assert configured("").price == FREE
    assert configured(", base_url: 'http://gpu-1:9000/v1'").price is None
    assert configured(", price: {input: 1, output: 1}").price != FREE


def test_a_folder_must_be_named() -> None:
    with pytest.raises(ConfigurationError, match='"model" must be given'):
        loads("targets: {tiny: {provider: onnx}}", env={})


def test_no_other_provider_is_hosted_by_accident() -> None:
    assert facts("onnx").hosted
    assert not facts("llama_cpp").hosted
