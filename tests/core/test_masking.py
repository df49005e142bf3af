"""Keys that providers quote in their errors are masked; ordinary words stay."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.core.masking import MASK, mask_secrets


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (
            "Incorrect API key provided: sk-proj-abc123DEF456. You can find",
            f"Incorrect API key provided: {MASK}. You can find",
        ),
        ("Incorrect API key provided: hello-there. You", f"Incorrect API key provided: {MASK}. You"),
        ("key sk-ant-api03-AbC_123-xyz was refused", f"key {MASK} was refused"),
        ("got sk-ab****************wxyz", f"got {MASK}"),
        ("Your api key: ****-key is invalid", f"Your api key: {MASK} is invalid"),
        ("gsk_1234567890abcdef and xai-abc1234567", f"{MASK} and {MASK}"),
        ("Authorization: Bearer abc.def-123", f"Authorization: Bearer {MASK}"),
        ("authorization: BASIC dXNlcjpwYXNz", f"authorization: BASIC {MASK}"),
        ("GET https://host/v1?key=AIzaSyA-1234567890&alt=sse", f"GET https://host/v1?key={MASK}&alt=sse"),
        ("the key AIzaSyA-1234567890abcd is bad", f"the key {MASK} is bad"),
        ("token ya29.a0AfH6SMB", f"token {MASK}"),
        ("credential AKIAIOSFODNN7EXAMPLE", f"credential {MASK}"),
        ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_1", f"jwt {MASK}"),
        ('{"api_key": "0123456789abcdef"}', f'{{"api_key": "{MASK}"}}'),
        ("client_secret missing, access_token=abcd1234;x", f"client_secret missing, access_token={MASK};x"),
        ("postgres://user:hunter2@db/x", f"postgres://user:{MASK}@db/x"),
    ],
)
def test_credentials_are_masked(text: str, masked: str):
    assert mask_secrets(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "invalid x-api-key",
        "API key not valid. Please pass a valid API key.",
        "Rate limit reached for gpt-4o in organization org-abc123 on tokens per min (TPM): Limit 30000",
        "model: claude-3-7-sonnet-20250219",
        "task-12345678 in us-east-1, req_011CVEA3SF7rnb3DuBZytqQa",
        "The server had an error while processing your request. Sorry about that!",
        "bearer of bad news",
    ],
)
def test_ordinary_words_stay(text: str):
    assert mask_secrets(text) == text


@given(st.text(max_size=300))
def test_masking_twice_is_masking_once(text: str):
    once = mask_secrets(text)
    assert mask_secrets(once) == once


@pytest.mark.parametrize(
    "text", ["sk-" * 200, "eyJ-" * 200, "://a:" * 200, "api_key:" * 100, "?key=" * 150, "Bearer " * 100]
)
def test_hostile_text_takes_no_time(text: str):
    began = time.perf_counter()
    mask_secrets(text)
    assert time.perf_counter() - began < 0.1
