"""ONNX models on this machine: a folder of a model for onnxruntime-genai is all that a target names.

We run the server ourselves: a process that loads the model and speaks Chat Completions on loopback, started with the router,
restarted when it dies, ended with it. Needs `understudy[onnx]`. With a `base_url` it is somebody else's server.
"""

from __future__ import annotations

from typing import ClassVar

from understudy.core.value import keyword_value
from understudy.dialects import Quirks
from understudy.providers import Auth, Provider, openai_chat, path_under


@keyword_value
class Onnx:
    """`model`: the folder with `genai_config.json`, relative to the configuration's own. `context_tokens`: how many it is to hold.

    `threads`: how many compute, None for as many as the machine has cores. `queue`: how many requests may wait while one is
    answered; one more is refused at once, so that it can be answered elsewhere.
    """

    threads: int | None = None
    queue: int = 8

    facts: ClassVar[Provider] = Provider(
        title="ONNX Runtime",
        wires=(
            openai_chat(
                auth=Auth.NONE,
                quirks=Quirks(
                    max_tokens_field="max_tokens",
                    roles=(("developer", "system"),),
                    cache_marks=False,
                    drop=("frequency_penalty", "logit_bias", "presence_penalty"),
                ),
            ),
        ),
        key_required=False,
        local=True,
        lacks=("audio", "documents", "images", "logprobs", "many", "stored", "tools", "video"),
        hosted=True,
    )

    def __post_init__(self) -> None:
        if self.threads is not None and self.threads < 1:
            raise ValueError("`threads` must be at least 1")
        if not 0 <= self.queue <= 1000:
            raise ValueError("`queue` must lie between 0 and 1000")

    def where(self) -> str:
        return ""  # the address of a hosted target is made of its name

    def path(self, base: str, path: str) -> str:
        return path_under(base, path)

    def known_as(self, model: str) -> str:
        return model


PROVIDER = Onnx
