"""Writes a tiny decoder-only language model in ONNX, its tokenizer and its genai_config.json: `python tests/tiny_onnx.py DIR`.

Everything is of our own making, the weights by hand, so that what it says is known beforehand:

    it says         The show goes on. 🎭
    with a `*`      The show goes on and on and on and on and on ...    until something else ends it

One layer with a residual stream of 16 numbers. The embedding of a word that can be said is a one-hot, and the head knows
which word follows which: a bigram model. Forced into JSON by a grammar, it says the shortest. Attention has one head without queries, so it takes the mean over all that came
before; the value of a `*` is 1, of all else 0, and what arrives lifts " and" above ".". So the key-value cache is used as
in a large model: what was asked at the beginning decides what is said at the end. The mask is that of the real thing, too
(GroupQueryAttention, one position after another).

The tokenizer is byte-level BPE without merges: every byte is a token, so any text can be asked, and the last character of
the answer comes in four pieces. The words that it says are tokens of their own.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save

SAYS = "The show goes on. 🎭"
CONTEXT = 4096
TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)

_SPECIAL = ("<|end|>", "<|system|>", "<|user|>", "<|assistant|>")
_WORDS = ("The", " show", " goes", " on", " and")
_SIZE = 16
_ALWAYS, _STAR, _LIFT = 13, 14, 15  # places in the residual stream: 1, "this is a star", "a star was seen"


def write_model(folder: Path, *, context: int = CONTEXT, template: str | None = TEMPLATE) -> Path:
    """The model in a folder, which is made. `context`: tokens. `template`: of conversations, None for a model without one."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = _vocabulary()
    save(_model(vocabulary), folder / "model.onnx")
    _write(folder / "tokenizer.json", _tokenizer(vocabulary))
    _write(folder / "tokenizer_config.json", _tokenizer_config(template, context))
    _write(folder / "genai_config.json", _genai_config(vocabulary, context))
    return folder


def _write(path: Path, told: dict[str, Any]) -> None:
    path.write_text(json.dumps(told, indent=1, ensure_ascii=False), encoding="utf-8")


# The tokenizer


def _letters() -> list[str]:
    """The visible character that stands for each byte, as byte-level tokenizers write it."""
    visible = {*range(33, 127), *range(161, 173), *range(174, 256)}
    spare = iter(range(256, 512))
    return [chr(byte) if byte in visible else chr(next(spare)) for byte in range(256)]


def _spelled(text: str) -> str:
    letters = _letters()
    return "".join(letters[byte] for byte in text.encode())


def _vocabulary() -> dict[str, int]:
    return {token: number for number, token in enumerate((*_SPECIAL, *_letters(), *map(_spelled, _WORDS)))}


def _tokenizer(vocabulary: dict[str, int]) -> dict[str, Any]:
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": vocabulary[token], "content": token, **flags} for token in _SPECIAL],
        "normalizer": None,
        "pre_tokenizer": level,
        "post_processor": None,
        "decoder": level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "vocab": vocabulary,
            "merges": [],
        },
    }


def _tokenizer_config(template: str | None, context: int) -> dict[str, Any]:
    told: dict[str, Any] = {
        "tokenizer_class": "GPT2Tokenizer",
        "model_max_length": context,
        "bos_token": None,
        "eos_token": "<|end|>",
        "pad_token": "<|end|>",
        "add_bos_token": False,
        "clean_up_tokenization_spaces": False,
    }
    return told if template is None else told | {"chat_template": template}


# The network


def _model(vocabulary: dict[str, int]) -> Any:
    """The graph as model builders write it: ids, mask and cache in; logits and cache out."""
    cache = ["batch", 1, "past", _SIZE]
    grown = ["batch", 1, "total", _SIZE]
    nodes = [
        helper.make_node("Gather", ["embedding", "input_ids"], ["hidden"]),
        helper.make_node("MatMul", ["hidden", "to_nothing"], ["query"]),
        helper.make_node("MatMul", ["hidden", "to_nothing"], ["key"]),
        helper.make_node("MatMul", ["hidden", "to_value"], ["value"]),
        helper.make_node("ReduceSum", ["attention_mask", "axis"], ["long_lengths"], keepdims=0),
        helper.make_node("Sub", ["long_lengths", "one"], ["last_places"]),
        helper.make_node("Cast", ["last_places"], ["lengths"], to=TensorProto.INT32),
        helper.make_node("Shape", ["attention_mask"], ["mask_shape"]),
        helper.make_node("Gather", ["mask_shape", "one"], ["long_total"]),
        helper.make_node("Cast", ["long_total"], ["total_length"], to=TensorProto.INT32),
        helper.make_node(
            "GroupQueryAttention",
            ["query", "key", "value", "past_key_values.0.key", "past_key_values.0.value", "lengths", "total_length"],
            ["seen", "present.0.key", "present.0.value"],
            domain="com.microsoft",
            num_heads=1,
            kv_num_heads=1,
        ),
        helper.make_node("Add", ["hidden", "seen"], ["output"]),
        helper.make_node("MatMul", ["output", "head"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [
            helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "sequence"]),
            helper.make_tensor_value_info("attention_mask", TensorProto.INT64, ["batch", "total"]),
            helper.make_tensor_value_info("past_key_values.0.key", TensorProto.FLOAT, cache),
            helper.make_tensor_value_info("past_key_values.0.value", TensorProto.FLOAT, cache),
        ],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", "sequence", len(vocabulary)]),
            helper.make_tensor_value_info("present.0.key", TensorProto.FLOAT, grown),
            helper.make_tensor_value_info("present.0.value", TensorProto.FLOAT, grown),
        ],
        [numpy_helper.from_array(array, name) for name, array in _weights(vocabulary).items()],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9, producer_name="understudy")
    checker.check_model(model)
    return model


def _weights(vocabulary: dict[str, int]) -> dict[str, Any]:
    line = ["<|assistant|>", *map(_spelled, ("The", " show", " goes", " on", ".", " ")), *_spelled("🎭")]
    place = {token: number for number, token in enumerate((*line, _spelled(" and")))}
    embedding = np.zeros((len(vocabulary), _SIZE), np.float32)
    for token, number in place.items():
        embedding[vocabulary[token], number] = 1.0
    embedding[vocabulary[_spelled("*")], _STAR] = 1.0
    embedding[:, _ALWAYS] = 1.0
    head = np.zeros((_SIZE, len(vocabulary)), np.float32)
    # Where a grammar leaves it only bytes, it comes to an end: no white space, and the object is closed as soon as may be.
    for byte, likes in {"\t": -5.0, "\n": -5.0, "\r": -5.0, " ": -5.0, '"': 2.0, "}": 5.0}.items():
        head[_ALWAYS, vocabulary[_spelled(byte)]] = likes
    for before, after in zip(line, [*line[1:], "<|end|>"], strict=True):
        head[place[before], vocabulary[after]] = 20.0
    head[place[_spelled(" and")], vocabulary[_spelled(" on")]] = 20.0
    # After " on" there are two ways, of which the second wins once a star was seen; after all else it can never win.
    head[_LIFT, vocabulary[_spelled(" and")]] = 1.0
    for token, number in place.items():
        head[number, vocabulary[_spelled(" and")]] = 10.0 if token == _spelled(" on") else -1e9
    to_value = np.zeros((_SIZE, _SIZE), np.float32)
    to_value[_STAR, _LIFT] = 1e6  # a mean over thousands of tokens leaves enough of it
    return {
        "embedding": embedding,
        "head": head,
        "to_value": to_value,
        "to_nothing": np.zeros((_SIZE, _SIZE), np.float32),
        "axis": np.array([1], np.int64),
        "one": np.array(1, np.int64),
    }


def _genai_config(vocabulary: dict[str, int], context: int) -> dict[str, Any]:
    return {
        "model": {
            "type": "decoder",
            "vocab_size": len(vocabulary),
            "context_length": context,
            "eos_token_id": vocabulary["<|end|>"],
            "pad_token_id": vocabulary["<|end|>"],
            "decoder": {
                "session_options": {"log_id": "onnxruntime-genai", "provider_options": []},
                "filename": "model.onnx",
                "hidden_size": _SIZE,
                "head_size": _SIZE,
                "num_attention_heads": 1,
                "num_key_value_heads": 1,
                "num_hidden_layers": 1,
                "inputs": {
                    "input_ids": "input_ids",
                    "attention_mask": "attention_mask",
                    "past_key_names": "past_key_values.%d.key",
                    "past_value_names": "past_key_values.%d.value",
                },
                "outputs": {
                    "logits": "logits",
                    "present_key_names": "present.%d.key",
                    "present_value_names": "present.%d.value",
                },
            },
        },
        "search": {
            "do_sample": False,
            "max_length": context,
            "min_length": 0,
            "num_beams": 1,
            "num_return_sequences": 1,
            "past_present_share_buffer": True,
            "temperature": 1.0,
            "top_k": 50,
            "top_p": 1.0,
        },
    }


if __name__ == "__main__":
    print(write_model(Path(sys.argv[1])))
