"""onnxruntime-genai with a model whose every word is known; and what is told when there is none."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from understudy.core.answer import Stop
from understudy.local.onnx_model import CONTEXT_USUAL, SLICE, OnnxModel
from understudy.local.orders import Orders
from understudy.local.speaker import CannotLoad, CannotRead, CannotSpeak, Manner, TooLong

HELLO = [{"role": "user", "content": "Hello."}]
STAR = [{"role": "user", "content": "Go *."}]
SAYS = "The show goes on. 🎭"


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> OnnxModel:
    return OnnxModel(Orders(target="tiny", folder=str(tiny_model), threads=1))


def said(model: OnnxModel, messages: list[dict[str, str]] = HELLO, **manner) -> tuple[str, Stop | None]:
    utterance = model.hear(messages, Manner(**manner))
    text = ""
    while utterance.stop is None:
        text += utterance.step()
    return text, utterance.stop


def test_it_says_what_it_was_made_to_say_and_no_character_in_pieces(model: OnnxModel) -> None:
    utterance = model.hear(HELLO, Manner())
    steps = []
    while utterance.stop is None:
        steps.append(utterance.step())
    assert "".join(steps) == SAYS
    assert [step for step in steps if step] == ["The", " show", " goes", " on", ".", " ", "🎭"]
    assert utterance.stop is Stop.END
    assert utterance.tokens_in == len("Hello.") + 3  # and the marks of who speaks
    assert utterance.tokens_out == 11


def test_what_was_asked_first_decides_what_is_said_last(model: OnnxModel) -> None:
    assert said(model, STAR, max_tokens=8) == ("The show goes on and on and on", Stop.LENGTH)
    before = [*STAR, {"role": "assistant", "content": "x" * 1000}, *HELLO]
    assert said(model, before, max_tokens=8)[0] == "The show goes on and on and on"


def test_a_long_question_is_read_slice_by_slice_and_answered_alike(model: OnnxModel) -> None:
    messages = [{"role": "user", "content": "*" + "x" * (2 * SLICE)}]
    utterance = model.hear(messages, Manner(max_tokens=6))
    reading = 0
    while utterance.tokens_out == 0:
        utterance.step()
        reading += 1
    assert reading == 4  # three slices, and the first word
    assert said(model, messages, max_tokens=6)[0] == "The show goes on and on"


def test_chance_is_repeatable_by_its_seed_and_off_at_zero(model: OnnxModel) -> None:
    wild = {"temperature": 2.0, "max_tokens": 30}
    first = [said(model, STAR, seed=seed, **wild)[0] for seed in range(8)]
    assert [said(model, STAR, seed=seed, **wild)[0] for seed in range(8)] == first
    assert len(set(first)) > 1
    assert {said(model, STAR, temperature=0.0, seed=seed, max_tokens=5)[0] for seed in range(4)} == {
        "The show goes on and"
    }
    assert {said(model, STAR, top_p=0.01, temperature=2.0, seed=seed, max_tokens=5)[0] for seed in range(4)} == {
        "The show goes on and"
    }
    assert said(model, seed=2**63, temperature=1.0, max_tokens=1)[0] == "The"
    assert said(model, temperature=2.0, top_k=1, max_tokens=4)[0] == "The show goes on"


def test_an_answer_obeys_its_schema(model: OnnxModel) -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "integer"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    text, stop = said(model, schema=json.dumps(schema), max_tokens=40)
    assert json.loads(text) == {"a": 0}
    assert stop is Stop.END


def test_a_schema_that_is_none_is_the_callers_mistake(model: OnnxModel) -> None:
    with pytest.raises(CannotRead, match="schema"):
        said(model, schema='{"type": "nonsense"}')


def test_the_context_bounds_question_and_answer(tiny_model: Path) -> None:
    small = OnnxModel(Orders(target="tiny", folder=str(tiny_model), context_tokens=20))
    text, stop = said(small, STAR)  # 8 of the question, 12 of the answer
    assert (text, stop) == ("The show goes" + " on and" * 4 + " on", Stop.LENGTH)
    with pytest.raises(TooLong, match="maximum context length is 20 tokens; the messages are 20"):
        small.hear([{"role": "user", "content": "x" * 17}], Manner())


def test_no_more_context_is_held_than_the_model_has_or_anybody_needs(tiny_model: Path, tmp_path: Path) -> None:
    assert OnnxModel(Orders(target="t", folder=str(tiny_model), context_tokens=10**6)).context == 4096
    from tiny_onnx import write_model

    large = write_model(tmp_path / "large", context=131_072)
    assert OnnxModel(Orders(target="t", folder=str(large))).context == CONTEXT_USUAL
    assert OnnxModel(Orders(target="t", folder=str(large), context_tokens=16_384)).context == 16_384


def test_a_folder_without_a_model_is_told_and_final(tmp_path: Path) -> None:
    with pytest.raises(CannotLoad, match=r"holds no genai_config\.json") as raised:
        OnnxModel(Orders(target="t", folder=str(tmp_path)))
    assert raised.value.final


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"model": {"context_length": "long"}}'])
def test_a_description_that_cannot_be_read_is_told_and_final(tmp_path: Path, text: str) -> None:
    (tmp_path / "genai_config.json").write_text(text)
    with pytest.raises(CannotLoad, match=r"genai_config\.json cannot be read") as raised:
        OnnxModel(Orders(target="t", folder=str(tmp_path)))
    assert raised.value.final


def test_a_damaged_model_is_told_and_may_be_tried_again(tiny_model: Path, tmp_path: Path) -> None:
    broken = Path(shutil.copytree(tiny_model, tmp_path / "broken"))
    (broken / "model.onnx").write_bytes(b"nothing of the kind")
    with pytest.raises(CannotLoad, match="broken") as raised:
        OnnxModel(Orders(target="t", folder=str(broken)))
    assert not raised.value.final


def test_a_model_without_a_template_holds_no_conversations(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime_genai")
    from tiny_onnx import write_model

    with pytest.raises(CannotLoad, match="chat template") as raised:
        OnnxModel(Orders(target="t", folder=str(write_model(tmp_path, template=None))))
    assert raised.value.final


def test_what_the_template_refuses_is_the_callers_mistake(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime_genai")
    from tiny_onnx import TEMPLATE, write_model

    strict = "{% for one in messages %}{% if one['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}{% endfor %}"
    model = OnnxModel(Orders(target="t", folder=str(write_model(tmp_path, template=strict + TEMPLATE))))
    with pytest.raises(CannotRead, match="template"):
        model.hear([{"role": "system", "content": "Be brief."}, *HELLO], Manner())


def test_without_the_library_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tiny_model: Path) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime_genai", None)
    with pytest.raises(CannotLoad, match=r"pip install 'understudy\[onnx\]'") as raised:
        OnnxModel(Orders(target="t", folder=str(tiny_model)))
    assert raised.value.final


def test_a_failure_of_the_library_while_it_speaks_has_its_words(model: OnnxModel) -> None:
    class Exhausted:
        def append_tokens(self, tokens: object) -> None:
            raise RuntimeError("failed to allocate")

    utterance = model.hear(HELLO, Manner())
    utterance._generator = Exhausted()
    with pytest.raises(CannotSpeak, match="failed to allocate"):
        utterance.step()
