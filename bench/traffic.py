"""What is sent and what is answered: request bodies, the provider's answer, its failure and its stream."""

import json

WORDS = "the show goes on and the audience is told who played; when the lead cannot, the understudy steps in, "
CALLER_KEY = "bench-caller-key"


def prose(size: int) -> str:
    """Plain English of exactly `size` characters, without quotes, so that it is as long in JSON."""
    return (WORDS * (size // len(WORDS) + 1))[:size]


def compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def chat_request(route: str, size: int, *, stream: bool = False) -> bytes:
    """A Chat Completions request of `size` bytes for one of the benchmark's routes."""

    def request(prompt: str) -> bytes:
        messages = [{"role": "system", "content": "You are a careful prompter."}, {"role": "user", "content": prompt}]
        options = {"temperature": 0.7, "max_tokens": 512} | ({"stream": True} if stream else {})
        return compact({"model": route, "messages": messages, **options})

    return request(prose(size - len(request(""))))


def messages_request(route: str, size: int) -> bytes:
    """A Messages request (Anthropic's format) of `size` bytes for one of the benchmark's routes."""

    def request(prompt: str) -> bytes:
        messages = [{"role": "user", "content": [{"type": "text", "text": prompt}]}]
        system = "You are a careful prompter."
        return compact(
            {"model": route, "max_tokens": 512, "system": system, "messages": messages, "temperature": 0.7},
        )

    return request(prose(size - len(request(""))))


USAGE = {"prompt_tokens": 212, "completion_tokens": 128, "total_tokens": 340}


def answer(size: int = 1024) -> bytes:
    """A Chat Completions answer of `size` bytes."""

    def body(text: str) -> bytes:
        message = {"role": "assistant", "content": text, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        head = {"id": "chatcmpl-bench", "object": "chat.completion", "created": 1760000000, "model": "gpt-bench"}
        return compact({**head, "choices": [choice], "usage": USAGE, "system_fingerprint": "fp_bench"})

    return body(prose(size - len(body(""))))


def failure() -> bytes:
    """What an OpenAI-like provider says with a 500."""
    text = "The server had an error while processing your request. Sorry about that!"
    return compact({"error": {"message": text, "type": "server_error", "param": None, "code": None}})


STREAM_CHUNKS = 50
STREAM_WORDS = STREAM_CHUNKS - 3  # the others: role, stop, usage
STREAM_FIRST_WORD = "word0"
STREAM_LAST_WORD = f"word{STREAM_WORDS - 1}"


def stream_events() -> list[bytes]:
    """The data of each event of a stream: `STREAM_CHUNKS` chunks (role, text, stop, usage) and the end mark."""
    head = {"id": "chatcmpl-bench", "object": "chat.completion.chunk", "created": 1760000000, "model": "gpt-bench"}

    def chunk(delta: dict[str, object], finish_reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return compact({**head, "system_fingerprint": "fp_bench", "choices": [choice]})

    text = [chunk({"content": f" word{n}"}) for n in range(STREAM_WORDS)]
    first, stop = chunk({"role": "assistant", "content": ""}), chunk({}, "stop")
    return [first, *text, stop, compact({**head, "choices": [], "usage": USAGE}), b"[DONE]"]
