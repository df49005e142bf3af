"""OpenAI's token counting (`/v1/responses/input_tokens`): a request of Responses, without what concerns the answer."""

from understudy.dialects import CountForm

DIALECT = CountForm(
    of="openai_responses",
    inbound=("/v1/responses/input_tokens",),
    keeps=(
        "conversation", "input", "instructions", "model", "parallel_tool_calls", "previous_response_id", "reasoning", "text",
        "tool_choice", "tools", "truncation",
    ),
    field="input_tokens",
    besides=(("object", "response.input_tokens"),),
)  # fmt: skip
