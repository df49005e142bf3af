"""A model in a folder, run by onnxruntime-genai.

The library holds Python's lock while it computes, so a thread of its own would gain nothing: a step is a call that blocks, and as
short as the library allows. What it raises is always a `RuntimeError`, with words meant for people.

Sources: the package's own docstrings, and its reference of `genai_config.json` (onnxruntime.ai/docs/genai/reference/config.html).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from understudy.core.answer import Stop
from understudy.core.value import JsonObject
from understudy.local.orders import Orders
from understudy.local.speaker import CannotLoad, CannotRead, CannotSpeak, Manner, TooLong

CONTEXT_USUAL = 8192
"""How many tokens are held unless a target says more: the memory for all of them is taken with each answer, and the 131072 of which a
model of one billion parameters is capable are 8 GB."""

SLICE = 512
"""Tokens of a question that are read in one step: between two steps, others are served, and one who left is noticed."""

_READS_IN_SLICES = ("CPU", "CUDA")
_SEED_BITS = 31


class OnnxModel:
    """`understudy.local.speaker.Speaker` for a folder with `genai_config.json`. Raises `CannotLoad`."""

    def __init__(self, orders: Orders) -> None:
        folder = Path(orders.folder)
        own = _context(folder)
        self.name = folder.name
        self.context = min(own, orders.context_tokens or CONTEXT_USUAL)
        self._og = og = _library()
        try:
            config = og.Config(str(folder))
            if orders.threads is not None:
                config.overlay(_with_threads(orders.threads))
            self._model = og.Model(config)
            self._tokenizer = og.Tokenizer(self._model)
        except RuntimeError as error:
            raise CannotLoad(f"{folder}: {error}", final=False) from error
        self._ends = frozenset(int(token) for token in self._tokenizer.eos_token_ids)
        self._slice = SLICE if str(self._model.device_type).upper() in _READS_IN_SLICES else self.context
        self._check_template(folder)

    def _check_template(self, folder: Path) -> None:
        try:
            self._written([{"role": "user", "content": "Hello."}])
        except CannotRead as error:
            message = f"{folder}: {error}; a model that holds conversations has one in tokenizer_config.json"
            raise CannotLoad(message, final=True) from error

    def _written(self, messages: Sequence[dict[str, str]]) -> str:
        """The conversation as the model was trained to read it. Raises `CannotRead`."""
        try:
            return str(self._tokenizer.apply_chat_template(json.dumps(messages), add_generation_prompt=True))
        except RuntimeError as error:
            raise CannotRead(f"the model's chat template does not take this conversation: {error}") from error

    def hear(self, messages: Sequence[dict[str, str]], manner: Manner) -> OnnxUtterance:
        """Begin to answer. Raises `CannotRead`, `TooLong`, `CannotSpeak`."""
        asked = self._tokenizer.encode(self._written(messages))
        count = len(asked)
        if count >= self.context:
            raise TooLong(
                f"this model's maximum context length is {self.context} tokens; the messages are {count} tokens long"
            )
        longest = self.context if manner.max_tokens is None else min(self.context, count + manner.max_tokens)
        try:
            settings = self._og.GeneratorParams(self._model)
            settings.set_search_options(max_length=longest, **_search(manner))
            if manner.schema is not None:
                settings.set_guidance("json_schema", manner.schema)
            generator = self._og.Generator(self._model, settings)
        except RuntimeError as error:
            if manner.schema is not None:
                raise CannotRead(f"the schema cannot be used: {error}") from error
            raise CannotSpeak(str(error)) from error
        stream = self._tokenizer.create_stream()
        return OnnxUtterance(generator, stream, asked, self._slice, self._ends)


class OnnxUtterance:
    """`understudy.local.speaker.Utterance`: first the question is read, slice by slice, then every step is a token."""

    def __init__(self, generator: Any, stream: Any, asked: Any, slice_: int, ends: frozenset[int]) -> None:
        self._generator = generator
        self._stream = stream
        self._asked = asked
        self._read = 0
        self._slice = slice_
        self._ends = ends
        self.tokens_in = len(asked)
        self.tokens_out = 0
        self.stop: Stop | None = None

    def step(self) -> str:
        """Read another slice, or say another token. Raises `CannotSpeak`."""
        try:
            if self._read < self.tokens_in:
                self._generator.append_tokens(self._asked[self._read : self._read + self._slice])
                self._read += self._slice
                return ""
            self._generator.generate_next_token()
            token = int(self._generator.get_next_tokens()[0])
            self.tokens_out += 1
            if self._generator.is_done():
                self.stop = Stop.END if token in self._ends else Stop.LENGTH
            return str(self._stream.decode(token))
        except RuntimeError as error:
            raise CannotSpeak(str(error)) from error


def _library() -> Any:
    """The library, told to keep to itself what it sees. Raises `CannotLoad`."""
    try:
        import onnxruntime_genai as og
    except ImportError as error:
        message = f"onnxruntime-genai cannot be imported ({error}): pip install 'understudy[onnx]'"
        raise CannotLoad(message, final=True) from error
    og.disable_telemetry_events()
    return og


def _context(folder: Path) -> int:
    """How many tokens the model can hold, by its own word. Raises `CannotLoad`."""
    path = folder / "genai_config.json"
    try:
        told: JsonObject = json.loads(path.read_text(encoding="utf-8"))
        return int(told["model"]["context_length"])
    except FileNotFoundError:
        message = f"{folder} holds no genai_config.json; `model` is a folder with a model for onnxruntime-genai"
        raise CannotLoad(message, final=True) from None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise CannotLoad(f"{path} cannot be read: {error!r}", final=True) from error


def _with_threads(threads: int) -> str:
    return json.dumps({"model": {"decoder": {"session_options": {"intra_op_num_threads": threads}}}})


def _search(manner: Manner) -> JsonObject:
    """The library's words for it. Whoever sets the temperature wants chance, which many a model's own file turns off."""
    told: JsonObject = {}
    if manner.temperature == 0:
        return {"do_sample": False}
    if manner.temperature is not None or manner.top_p is not None:
        told |= {"do_sample": True, "top_k": 0, "top_p": 1.0}
    if manner.temperature is not None:
        told["temperature"] = manner.temperature
    if manner.top_p is not None:
        told["top_p"] = manner.top_p
    if manner.top_k is not None:
        told["top_k"] = manner.top_k
    if manner.seed is not None:
        told["random_seed"] = manner.seed % (1 << _SEED_BITS)
    return told
