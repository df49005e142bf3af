"""Where Anthropic's models differ from each other: at Anthropic itself, on Vertex and on Azure.

The page: platform.claude.com/docs/en/build-with-claude/adaptive-thinking. From Opus 4.7 on a budget of thinking tokens is a
400 (`"thinking.type.enabled" is not supported for this model`, anomalyco/opencode#23007, lidge-jun/opencodex#65), and so are
`temperature`, `top_p` and `top_k`. Recordings: Opus 4.7 and 4.8 and Opus 5 think adaptively with the effort `xhigh`
(ee831333910e77e1, e997f3a4135553a0, c4ab55643f893533), which Opus 4.6 refuses (8d28363d03a393df).
"""

from __future__ import annotations

from dataclasses import replace

from understudy.dialects import Quirks

BOOK = Quirks()

_ADAPTIVE = replace(BOOK, adaptive=True, drop=("temperature", "top_k", "top_p"))

MODELS = (
    (r"claude-(opus|sonnet)-4-6([@-].*)?", replace(BOOK, efforts=("low", "medium", "high", "max"))),
    (r"claude-opus-4-([7-9]|\d\d)([@-].*)?", _ADAPTIVE),
    # A date is no version: claude-sonnet-4-20250514 takes a budget still.
    (r"claude-(fable|haiku|mythos|opus|sonnet)-([5-9]|\d\d)([@-].*)?", _ADAPTIVE),
)
