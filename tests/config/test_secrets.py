"""Credentials by reference: read when needed, re-read when a file changes, never printed."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import traceback

import pytest

from understudy.config import secrets
from understudy.config.secrets import CredentialUnavailable, Secret, Vault, reference_problem

CANARY = "sk-canary-7c1d9e"


def test_no_way_of_printing_a_secret_shows_it():
    secret = Secret(CANARY)
    shown = [repr(secret), str(secret), f"{secret}", f"{secret!r:>20}", repr([secret]), repr({"key": secret})]
    assert [text for text in shown if CANARY in text] == []
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)
    with pytest.raises(ValueError) as caught:
        raise ValueError(secret)
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert secret.reveal() == CANARY


def test_secrets_compare_by_what_they_hold():
    assert Secret("a") == Secret("a")
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
    assert not Secret("")


@pytest.mark.parametrize(
    "text",
    [
        "env:OPENAI_API_KEY",
        "file:/run/secrets/openai",
        "file:key.txt",
        "file:~/key",
        "gcp",
        "gcp:account.json",
        "aws:prod",
        'entra:{"managed": true}',
    ],
)
def test_a_reference_is_accepted(text):
    assert reference_problem(text) is None


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        (CANARY, "keys do not belong into a configuration"),
        ("vault:kv/openai", "`vault:` references are not available yet"),
        ("gcp:{", "what follows is no JSON object"),
        ('entra:{"x": 1}', "there is no setting 'x'"),
        ("env:not a name", "the name of an environment variable"),
        ("env:", "looks like a key itself"),
        ("file: ", "is followed by a path"),
        ("file:a\0b", "is followed by a path"),
    ],
)
def test_what_is_no_reference_is_explained_without_repeating_it(text, phrase):
    problem = reference_problem(text)
    assert problem is not None
    assert phrase in problem
    assert CANARY not in problem


async def test_a_variable_is_read_each_time():
    env = {"KEY": " one\n"}
    vault = Vault(env)
    assert (await vault.read("env:KEY")).reveal() == "one"
    env["KEY"] = "two"
    assert (await vault.read("env:KEY")).reveal() == "two"


@pytest.mark.parametrize(
    ("content", "phrase"),
    [
        (None, "cannot be read: No such file"),
        (b"", "the file is empty"),
        (b"\n \n", "the file is empty"),
        (b"two words", "no key has"),
        (b"line\nbreak", "no key has"),
        ("schlüssel".encode(), "no key has"),
        (b"\xff\xfe", "no key has"),
        (b"x" * 70_000, "larger than"),
    ],
)
async def test_a_file_that_holds_no_key_is_named_and_not_quoted(tmp_path, content, phrase):
    if content is not None:
        (tmp_path / "key").write_bytes(content)
    with pytest.raises(CredentialUnavailable) as caught:
        await Vault({}, tmp_path).read("file:key")
    assert str(caught.value).startswith("file:key: ")
    assert phrase in str(caught.value)


@pytest.mark.parametrize("env", [{}, {"KEY": ""}, {"KEY": "two words"}])
async def test_a_variable_that_holds_no_key_is_a_failure(env):
    with pytest.raises(CredentialUnavailable, match=r"^env:KEY: "):
        await Vault(env).read("env:KEY")


async def test_a_changed_file_is_read_again_in_the_background(tmp_path, monkeypatch):
    monkeypatch.setattr(secrets, "FRESH_S", 0.0)
    file = tmp_path / "key"
    file.write_text("one\n")
    vault = Vault({}, tmp_path)
    assert (await vault.read("file:key")).reveal() == "one"
    file.write_text("another\n")
    assert (await vault.read("file:key")).reveal() == "one"  # nobody waits for the renewal
    assert await settled(vault) == "another"


async def test_while_a_file_cannot_be_read_again_the_earlier_content_stays_in_use(tmp_path, monkeypatch):
    monkeypatch.setattr(secrets, "FRESH_S", 0.0)
    file = tmp_path / "key"
    file.write_text("one")
    vault = Vault({}, tmp_path)
    await vault.read("file:key")
    file.unlink()
    await vault.read("file:key")
    assert await settled(vault) == "one"


async def test_a_fresh_file_is_not_looked_at(tmp_path, monkeypatch):
    (tmp_path / "key").write_text("one")
    vault = Vault({}, tmp_path)
    await vault.read("file:key")
    monkeypatch.setattr(secrets, "_from_file", lambda *_: pytest.fail("read again"))
    monkeypatch.setattr(secrets, "_mark", lambda *_: pytest.fail("looked at again"))
    assert [(await vault.read("file:key")).reveal() for _ in range(3)] == ["one"] * 3


async def test_many_readers_of_an_unread_file_wait_for_one_reading(tmp_path, monkeypatch):
    (tmp_path / "key").write_text("one")
    readings = []
    real = secrets._from_file
    monkeypatch.setattr(secrets, "_from_file", lambda *given: readings.append(given) or real(*given))
    vault = Vault({}, tmp_path)
    found = await asyncio.gather(*(vault.read("file:key") for _ in range(20)))
    assert {secret.reveal() for secret in found} == {"one"}
    assert len(readings) == 1


async def test_a_reader_that_is_cancelled_does_not_cancel_the_others(tmp_path):
    (tmp_path / "key").write_text("one")
    vault = Vault({}, tmp_path)
    first = asyncio.create_task(vault.read("file:key"))
    second = asyncio.create_task(vault.read("file:key"))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).reveal() == "one"


async def test_a_failed_reading_is_tried_again_by_the_next_reader(tmp_path):
    vault = Vault({}, tmp_path)
    with pytest.raises(CredentialUnavailable):
        await vault.read("file:key")
    (tmp_path / "key").write_text("one")
    assert (await vault.read("file:key")).reveal() == "one"


def test_look_reads_at_once_and_outside_a_loop(tmp_path):
    (tmp_path / "key").write_text("one")
    vault = Vault({"KEY": "two"}, tmp_path)
    assert (vault.look("file:key").reveal(), vault.look("env:KEY").reveal()) == ("one", "two")


def test_a_home_folder_that_does_not_exist_is_a_failure_and_no_crash():
    with pytest.raises(CredentialUnavailable, match="cannot be read"):
        Vault({}).look("file:~nobody-of-that-name/key")


async def settled(vault: Vault) -> str:
    while vault._reading:
        await asyncio.gather(*vault._reading.values(), return_exceptions=True)
        await asyncio.sleep(0)
    return vault._files["file:key"].secret.reveal()


async def test_what_a_source_hands_out_is_read_like_any_other_secret(tmp_path):
    (tmp_path / "aws").write_text("[default]\naws_access_key_id = A\naws_secret_access_key = s\n")
    vault = Vault({"AWS_SHARED_CREDENTIALS_FILE": "aws"}, tmp_path)
    assert (await vault.read("aws")).reveal() == "s"
    granted = await vault.grant("aws:default")
    assert (granted.access_key, granted.secret.reveal(), granted.session_token) == ("A", "s", None)
    vault.doubt("aws")


async def test_a_source_that_is_asked_over_the_network_wants_a_client(tmp_path):
    with pytest.raises(CredentialUnavailable, match=r"^gcp:metadata: .*not to be asked here"):
        await Vault({}, tmp_path).read("gcp:metadata")


async def test_nobody_waits_for_long_for_a_file_that_does_not_come(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "key")
    monkeypatch.setattr(secrets, "WAIT_S", 0.02)
    vault = Vault({}, tmp_path)
    with pytest.raises(CredentialUnavailable, match="file:key: not read within"):
        await vault.read("file:key")
    monkeypatch.setattr(secrets, "WAIT_S", 5)
    writing = asyncio.create_task(asyncio.to_thread((tmp_path / "key").write_text, "one"))
    assert (await vault.read("file:key")).reveal() == "one"
    await writing
