"""Amazon Bedrock, in the format that all of its models share (`Converse`). `model` is an id, an inference profile or an ARN.

Where: `region`, or a `base_url`. Requests are signed with the keys that `key: aws` finds, which is the default, as Amazon's own libraries do;
an API key (`AWS_BEARER_TOKEN_BEDROCK`) is found by it, too, or given as any other key.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import ClassVar

from understudy.core.conversation import Conversation, Message, Role, Text, Tool
from understudy.core.projection import COSMETIC, LOSSY, Loss
from understudy.core.value import keyword_value
from understudy.dialects import Quirks
from understudy.dialects._claude import CLAUDE_RULES
from understudy.providers import Provider, bedrock_converse
from understudy.providers._anthropic_models import BOOK as CLAUDE
from understudy.providers._anthropic_models import MODELS as CLAUDES
from understudy.transport.sigv4 import Scope

_USUAL_REGION = "us-east-1"
_HOST = re.compile(r"(?:^|\.)bedrock-runtime(?:-fips)?\.([a-z0-9-]+)\.")
_WHERE = re.compile(r"\A(?:us-gov|us|eu|apac|au|ca|jp|sa|af|il|mx|me|global)\.")  # of an inference profile

# Where Bedrock's families of models differ. The pages: docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-supported-models-features.html,
# .../structured-output.html, .../prompt-caching.html; docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html.


_BEFORE_THE_FIRST = "(The assistant speaks first.)"


def a_user_first(conversation: Conversation) -> tuple[Conversation, tuple[Loss, ...]]:
    """The first turn is a user's ("A conversation must start with a user message."): a greeting or a cut history gets one before it.

    Current Claudes do without (recording eaa040ae94830b89).
    """
    messages = conversation.messages
    place = next((at for at, message in enumerate(messages) if message.role is not Role.SYSTEM), len(messages))
    if place == len(messages) or messages[place].role is not Role.ASSISTANT:
        return conversation, ()
    opening = Message(Role.USER, (Text(_BEFORE_THE_FIRST),))
    return replace(conversation, messages=(*messages[:place], opening, *messages[place:])), (
        Loss("messages.role", COSMETIC),
    )


def without_marks_on_tools(conversation: Conversation) -> tuple[Conversation, tuple[Loss, ...]]:
    """Nova takes cache points in messages and in the system prompt, and refuses them among tools."""
    tools = tuple(replace(tool, cache=None) if isinstance(tool, Tool) else tool for tool in conversation.tools)
    if tools == conversation.tools:
        return conversation, ()
    return replace(conversation, tools=tools), (Loss("tools.cache_control", COSMETIC),)


def unbounded_at_full_effort(conversation: Conversation) -> tuple[Conversation, tuple[Loss, ...]]:
    """Nova 2 at its highest effort refuses any bound on the answer and on its sampling."""
    settings = conversation.settings
    if settings.reasoning is None or settings.reasoning.effort != "high":
        return conversation, ()
    lost = tuple(name for name in ("max_tokens", "temperature", "top_p") if getattr(settings, name) is not None)
    if not lost:
        return conversation, ()
    settings = replace(settings, max_tokens=None, temperature=None, top_p=None)
    return replace(conversation, settings=settings), tuple(Loss(name, LOSSY) for name in lost)


def _spelled(name: str) -> tuple[tuple[str, str], ...]:
    return (("thinking", name),)


_NOVA_TOP_K = ("top_k", "inferenceConfig.topK")  # recording 8976db08932588b7
_EFFORTS = ("low", "medium", "high")
_BOOK = Quirks(rules=(a_user_first,))
_PLAIN = replace(_BOOK, drop=("thinking", "top_k"), cache_marks=False)
_WORDED = replace(_PLAIN, adaptive=True, efforts=_EFFORTS, drop=("top_k",))
_NOVA = Quirks(drop=("outputConfig", "thinking"), names=(_NOVA_TOP_K,), rules=(a_user_first, without_marks_on_tools))

# Older Claudes neither hold themselves to a schema nor, still older, think.
_UNSHAPED = replace(CLAUDE, drop=("outputConfig",))
_THOUGHTLESS = replace(CLAUDE, drop=("outputConfig", "thinking"), rules=(a_user_first,))
_CLAUDES = (
    (r"claude-(3-7|(opus|sonnet)-4(-1)?-2025).*", _UNSHAPED),
    (r"claude-(3|instant|v2).*", _THOUGHTLESS),
    *CLAUDES,
    (r"claude-.*", CLAUDE),
)

MODELS = (
    *((pattern, replace(quirks, rules=(*quirks.rules, *CLAUDE_RULES))) for pattern, quirks in _CLAUDES),
    (
        r"amazon\.nova-2-.*",
        replace(
            _NOVA,
            drop=("outputConfig",),
            adaptive=True,
            efforts=_EFFORTS,
            names=(*_spelled("reasoningConfig"), _NOVA_TOP_K),
            rules=(*_NOVA.rules, unbounded_at_full_effort),
        ),
    ),
    (r"amazon\.nova-.*", _NOVA),
    (r"openai\.gpt-oss-.*", replace(_WORDED, names=_spelled("reasoning_effort"))),  # 272b5a6469582352
    (r"qwen\.qwen3-.*", replace(_WORDED, names=_spelled("reasoning_config"))),  # 9e5778044ec3fb7b
    (r"(amazon\.titan|meta\.).*", replace(_PLAIN, drop=(*_PLAIN.drop, "outputConfig", "toolChoice"))),
    (r"[a-z0-9]+\..+", _PLAIN),
)
"""By the name without the place and, for Claude, without the maker. An ARN that does not say which model it is: by the book."""


@keyword_value
class Bedrock:
    """`region`: such as `us-east-1`. `serves`: the model behind an ARN that does not name it, such as `anthropic.claude-sonnet-4-6`."""

    region: str = ""
    serves: str = ""

    facts: ClassVar[Provider] = Provider(
        title="Amazon Bedrock", wires=(bedrock_converse(quirks=_BOOK, models=MODELS),), key="aws"
    )

    def __post_init__(self) -> None:
        if not all(char.isascii() and (char.isalnum() or char == "-") for char in self.region):
            raise ValueError("`region` is letters, digits and dashes: us-east-1")

    def where(self) -> str:
        domain = "amazonaws.com.cn" if self.region.startswith("cn-") else "amazonaws.com"
        return f"https://bedrock-runtime.{self.region}.{domain}" if self.region else ""

    def path(self, base: str, path: str) -> str:
        return base.removesuffix("/v1") + path

    def known_as(self, model: str) -> str:
        named = (self.serves or model).rpartition("/")[2]  # behind the last slash of an ARN
        return _WHERE.sub("", named).removeprefix("anthropic.")

    def scope(self, host: str) -> Scope:
        """The region that was given, else the one that the host names."""
        found = _HOST.search(host)
        return Scope(region=self.region or (found[1] if found else _USUAL_REGION), service="bedrock")


PROVIDER = Bedrock
