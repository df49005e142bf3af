"""Anthropic's token counting (`/v1/messages/count_tokens`): a request of Messages, without what concerns the answer."""

from understudy.dialects import CountForm

DIALECT = CountForm(
    of="anthropic_messages",
    inbound=("/v1/messages/count_tokens",),
    keeps=(
        "cache_control", "context_management", "mcp_servers", "messages", "model", "output_config", "output_format", "speed",
        "system", "thinking", "tool_choice", "tools",
    ),
    field="input_tokens",
)  # fmt: skip
