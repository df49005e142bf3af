"""Where OpenAI's models differ from each other, in Chat Completions and in Responses: at OpenAI itself and on Azure.

The page: platform.openai.com/docs/guides/latest-model, "Parameter compatibility", and each model's own page. Recordings:
o1-mini refuses both roles (ab5303917bf16d95, 56db6eeb5f59862b); a reasoning model refuses `max_tokens` (8a7d7a7ff6e0d06e);
gpt-5.6 takes a temperature while its effort is `none` (3965a69853219f26).
"""

from __future__ import annotations

from dataclasses import replace

from understudy.dialects import Quirks

BOOK = Quirks(max_tokens_field="max_completion_tokens", cache_marks=False)

_SAMPLING = (
    "frequency_penalty", "logit_bias", "logprobs", "presence_penalty", "temperature", "top_logprobs", "top_p",
)  # fmt: skip
_THINKS = replace(BOOK, drop=_SAMPLING)

MODELS = (
    # Sampling is fixed, whatever the effort.
    (
        r"o1-(mini|preview)(-.*)?",
        replace(
            _THINKS,
            roles=(("developer", "user"), ("system", "user")),
            drop=tuple(sorted((*_SAMPLING, "reasoning_effort"))),
        ),
    ),
    (r"o\d(-.*)?", replace(_THINKS, efforts=("low", "medium", "high"))),
    (r"gpt-5-chat.*", BOOK),
    (r"gpt-5(-.*)?", replace(_THINKS, efforts=("minimal", "low", "medium", "high"))),
    # From 5.1 on sampling is free while the effort is `none`: the default up to 5.4, to be asked for from 5.5 on.
    (r"gpt-5\.\d+-chat.*", BOOK),
    (
        r"gpt-5\.1(-.*)?",
        replace(BOOK, efforts=("none", "low", "medium", "high"), refuses_thinking=_SAMPLING),
    ),
    (
        r"gpt-5\.[2-4](-.*)?",
        replace(BOOK, efforts=("none", "low", "medium", "high", "xhigh"), refuses_thinking=_SAMPLING),
    ),
    (
        r"gpt-5\.\d+(-.*)?",
        replace(
            BOOK, efforts=("none", "low", "medium", "high", "xhigh"), refuses_thinking=_SAMPLING, thinks_unasked=True
        ),
    ),
)

# Responses has other names for the same, and fewer settings of sampling.
_IN_RESPONSES = {
    "reasoning_effort": "reasoning",
    "temperature": "temperature",
    "top_logprobs": "top_logprobs",
    "top_p": "top_p",
}

SEALS = r"gAAAA.*"
"""How OpenAI's encrypted thinking begins, wherever it is hosted: thinking of others in the same format does not."""

_UNKEPT = ("store", False)  # a caller of another format did not ask for an answer to be kept
_SEALED = (
    "include",
    ["reasoning.encrypted_content"],
)  # models that do not think refuse this: pydantic/pydantic-ai#2865


def _in_responses(quirks: Quirks) -> Quirks:
    return Quirks(
        drop=tuple(_IN_RESPONSES[name] for name in quirks.drop if name in _IN_RESPONSES),
        roles=quirks.roles,
        efforts=quirks.efforts,
        refuses_thinking=tuple(_IN_RESPONSES[name] for name in quirks.refuses_thinking if name in _IN_RESPONSES),
        thinks_unasked=quirks.thinks_unasked,
        seals=SEALS,
        translated=(_UNKEPT,) if quirks == BOOK else (_UNKEPT, _SEALED),
    )


RESPONSES_BOOK = _in_responses(BOOK)
# What does not think refuses to be asked how much, and for thinking under seal. An unknown model may think.
_THOUGHTLESS = replace(RESPONSES_BOOK, drop=("include.reasoning.encrypted_content", "reasoning"))
RESPONSES_MODELS = (
    (r"(chatgpt-|gpt-[34]|gpt-5(\.\d+)?-chat).*", _THOUGHTLESS),
    *((pattern, _in_responses(quirks)) for pattern, quirks in MODELS),
)
