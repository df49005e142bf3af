"""Any server that speaks Anthropic's Messages; `base_url` says where, and ends before `/v1`."""

from understudy.providers import Provider, anthropic_count_tokens, anthropic_messages

PROVIDER = Provider(
    title="Any Anthropic-compatible server",
    wires=(anthropic_messages(), anthropic_count_tokens()),
    key_required=False,
)
