"""Where Anthropic's models differ from each other: at Anthropic itself, on Vertex and on Azure.

The page: platform.claude.com/docs/en/build-with-claude/adaptive-thinking. From Opus 4.7 on a budget of thinking tokens is a
400 (`"thinking.type.enabled" is not supported for this model`, anomalyco/opencode#23007, lidge-jun/opencodex#65), and so are
`temperature`, `top_p` and `top_k`. Recordings: Opus 4.7 and 4.8 and Opus 5 think adaptively with the effort `xhigh`
(ee831333910e77e1, e997f3a4135553a0, c4ab55643f893533), which Opus 4.6 refuses (8d28363d03a393df).

A system turn among the messages is known from Opus 4.8 on (platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages;
recorded of it and of Fable 5); those before answer 400 (`role 'system' is not supported on this model`, anthropics/claude-code#61412).
"""

from __future__ import annotations

from dataclasses import replace

from understudy.dialects import Quirks

BOOK = Quirks()

_ADAPTIVE = replace(BOOK, adaptive=True, drop=("temperature", "top_k", "top_p"))

_EARLIER = replace(BOOK, late_system="user")

MODELS = (
    (r"claude-(opus|sonnet)-4-6([@-].*)?", replace(_EARLIER, efforts=("low", "medium", "high", "max"))),
    (r"claude-opus-4-7([@-].*)?", replace(_ADAPTIVE, late_system="user")),
    (r"claude-opus-4-([89]|\d\d)([@-].*)?", _ADAPTIVE),
    # A date is no version: claude-sonnet-4-20250514 takes a budget still.
    (r"claude-(fable|haiku|mythos|opus|sonnet)-([5-9]|\d\d)([@-].*)?", _ADAPTIVE),
    (r"claude-(instant|v?[23]|(haiku|opus|sonnet)-4)([.@-].*)?", _EARLIER),
)
