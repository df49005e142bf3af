"""How far `Needs.tokens_in` is from what providers counted, over every recorded request of text that was answered.

Method: estimate / counted, by wire format and by whether there are tools. Requests with media, and those for which the provider ran
tools of its own (it counts what these read, too), are left out. The bounds are a little worse than what was measured; what was
measured stands in docs/guides/counting-tokens.md.
"""

from __future__ import annotations

import json
from statistics import median
from typing import Any

import pytest

from conftest import read_recordings
from understudy.core.usage import Usage
from understudy.dialects import BadAnswer, BadBody
from understudy.wiring import make_dialects

DIALECTS = make_dialects()
APIS = {
    "chat_completions": "openai_chat",
    "messages": "anthropic_messages",
    "embeddings": "openai_embeddings",
    "count_tokens": "anthropic_count_tokens",
}
MEDIA = {"audio", "documents", "images", "video"}


def counted(record: dict[str, Any], body: bytes) -> int | None:
    """What the provider said that it read; None when it said nothing."""
    answer = (record["response"].get("body_text") or "").encode()
    if record["api"] == "count_tokens":
        return json.loads(answer).get("input_tokens")
    usage: Usage | None = DIALECTS[APIS[record["api"]]].glance(answer).usage
    return None if usage is None else usage.prompt


def ratios(api: str, *, tools: bool) -> list[float]:
    found = []
    for name in (api, "misc"):
        for record in read_recordings(name):
            request = record["request"] or {}
            usable = record["api"] == api and record["response"]["status"] == 200 and not record["stream"]
            if not usable or not isinstance(request.get("body"), dict) or "server_tools" in record["features"]:
                continue
            body = (request.get("body_text") or json.dumps(request["body"], separators=(",", ":"))).encode()
            try:
                needs = DIALECTS[APIS[api]].needs(body)
                real = counted(record, body)
            except (BadBody, BadAnswer):
                continue  # another format under the same name: its own tests read it
            if real and ("tools" in needs.features) == tools and not MEDIA & set(needs.features):
                found.append(needs.tokens_in / real)
    return found


@pytest.mark.shared("recordings")
@pytest.mark.parametrize(
    ("api", "tools", "middle", "within_twice"),
    [
        ("chat_completions", False, (1.3, 1.7), 0.70),
        ("chat_completions", True, (1.0, 1.4), 0.60),
        ("messages", False, (1.5, 2.1), 0.55),
        ("messages", True, (0.8, 1.0), 0.95),
        ("count_tokens", False, (1.2, 2.0), 0.70),
        ("count_tokens", True, (0.6, 0.9), 1.0),
        ("embeddings", False, (0.7, 1.7), 0.80),
    ],
)
def test_the_estimate_is_as_good_as_the_guide_says(api, tools, middle, within_twice):
    found = sorted(ratios(api, tools=tools))
    share = sum(0.5 <= one <= 2.0 for one in found) / len(found)
    edges = found[len(found) // 20], found[-1 - len(found) // 20]
    print(
        f"{api}, tools {tools}: n {len(found)}, median {median(found):.2f}, 5 % to 95 % {edges}, within 2: {share:.0%}"
    )
    assert middle[0] <= median(found) <= middle[1]
    assert share >= within_twice
