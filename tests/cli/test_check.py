from __future__ import annotations

import asyncio
import json
import threading

import pytest
from typer.testing import CliRunner

from conftest import ROOT
from understudy.cli import app
from understudy.config.load import loads
from understudy.mock import start_mock

GOOD = """
targets:
  a: {provider: openai, model: m, key: env:CHECK_KEY}
  b: {provider: openai, model: n, key: env:CHECK_KEY}
  s: {provider: static, text: Sorry}
routes:
  default: {tiers: {primary: [a, b], local: [s]}}
"""


def check(*arguments: str, env=None):
    return CliRunner().invoke(app, ["check", *arguments], env=env)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "understudy.yaml"
    path.write_text(GOOD)
    return path


def test_a_good_configuration_shows_targets_keys_and_steps(file):
    done = check("--config", str(file), env={"CHECK_KEY": "k"})
    assert done.exit_code == 0
    assert "default: a -> b -> s (degraded)" in done.output
    assert "key env:CHECK_KEY" in done.output
    assert "in memory" in done.output


def test_json_holds_the_whole_configuration_and_never_a_key(file):
    done = check("--config", str(file), "--json", env={"CHECK_KEY": "sk-canary"})
    told = json.loads(done.output)
    assert told["ok"]
    assert told["version"] == loads(json.dumps(told["configuration"]), env={}).version
    assert told["keys"] == {"a": {"readable": True, "problem": None}, "b": {"readable": True, "problem": None}}
    assert [(edge["from"], edge["to"]) for edge in told["edges"]] == [(None, "a"), ("a", "b"), ("b", "s")]
    assert "sk-canary" not in done.output


def test_a_key_that_is_not_set_here_is_told_and_no_failure(file):
    done = check("--config", str(file), env={"CHECK_KEY": ""})
    assert done.exit_code == 0
    assert "the environment variable CHECK_KEY is not set or empty" in done.output


def test_problems_go_to_standard_error_with_exit_code_2(tmp_path):
    path = tmp_path / "understudy.yaml"
    path.write_text("targets: {a: {provider: opnai}}\nruels: 1\n")
    done = check("--config", str(path))
    assert done.exit_code == 2
    assert done.stdout == ""
    assert done.stderr.splitlines()[0].startswith(f"{path}:1:25: targets.a.provider: unknown provider")
    assert done.stderr.splitlines()[1].startswith(f"{path}:2:1: ruels: unknown section")
    told = json.loads(check("--config", str(path), "--json").stdout)
    assert told["ok"] is False
    assert len(told["problems"]) == 2


def test_a_step_that_is_never_reached_is_exit_code_1(tmp_path):
    path = tmp_path / "understudy.yaml"
    path.write_text(GOOD.replace("local: [s]}", "local: [s]}, policy: {attempts_max: 1}"))
    done = check("--config", str(path))
    assert done.exit_code == 1
    assert "never reached: b: attempts_max is 1" in done.output


def test_without_a_file_the_keys_in_the_environment_count(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    done = check()
    assert done.exit_code == 0
    assert done.output.startswith("provider keys in the environment: version ")
    assert "openai/gpt-5.1" in done.output


def test_without_a_file_and_keys_it_says_what_to_do(tmp_path, monkeypatch):
    from understudy.config.ready import key_variables

    monkeypatch.chdir(tmp_path)
    for name in key_variables():
        monkeypatch.delenv(name, raising=False)
    done = check()
    assert done.exit_code == 2
    assert "there is no understudy.yaml here, and no provider key in the environment" in done.stderr


def test_a_configuration_without_routes_says_how_it_is_asked(tmp_path):
    path = tmp_path / "understudy.yaml"
    path.write_text("targets: {hi: {provider: static, text: Hello}}")
    assert "no routes: each target is asked by its own name" in check("--config", str(path)).output


def test_the_file_in_the_folder_is_the_default(file, monkeypatch):
    monkeypatch.chdir(file.parent)
    assert check().output.startswith("understudy.yaml: version ")


@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*.yaml")), ids=lambda path: path.name)
def test_every_example_passes(example):
    assert check("--config", str(example)).exit_code == 0


@pytest.fixture
def mock():
    """A mock provider on a thread of its own: the command runs its own loop."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    one = asyncio.run_coroutine_threadsafe(start_mock(), loop).result(10)
    yield one
    asyncio.run_coroutine_threadsafe(one.close(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


def probed(tmp_path, mock, model: str):
    root = mock.base_url.removesuffix("/v1")
    path = tmp_path / "understudy.yaml"
    path.write_text(f"""
targets:
  chat: {{provider: openai_compatible, model: {model}, base_url: "{root}/v1"}}
  messages: {{provider: anthropic_compatible, model: {model}, base_url: "{root}"}}
  vectors: {{provider: openai_compatible, model: {model}, base_url: "{root}/v1", embeds: true}}
  s: {{provider: static, text: Sorry}}
""")
    return check("--config", str(path), "--probe", "--json")


def test_probing_asks_every_target_for_a_word(tmp_path, mock):
    done = probed(tmp_path, mock, "mock-small")
    told = json.loads(done.output)
    assert [(one["target"], one["ok"]) for one in told["probes"]] == [
        ("chat", True),
        ("messages", True),
        ("vectors", True),
    ]
    assert done.exit_code == 0
    assert sorted(request.path for request in mock.requests) == [
        "/v1/chat/completions",
        "/v1/embeddings",
        "/v1/messages",
    ]


def test_probing_a_local_server_shows_its_models_and_asks_one_of_them(tmp_path, mock):
    path = tmp_path / "understudy.yaml"
    path.write_text(f"targets: {{box: {{provider: vllm, base_url: '{mock.base_url}'}}}}")
    done = check("--config", str(path), "--probe", "--json")
    [told] = json.loads(done.output)["probes"]
    assert (told["ok"], told["models"]) == (True, ["mock-small", "mock-large"])
    assert mock.requests[-1].model == "mock-small"
    assert "box has: mock-small, mock-large" in check("--config", str(path), "--probe").output
    assert "vllm/(what its server has)" in check("--config", str(path)).output


def test_probing_a_local_server_that_is_away_is_a_failure_in_words(tmp_path, free_port):
    path = tmp_path / "understudy.yaml"
    path.write_text(f"targets: {{box: {{provider: vllm, base_url: 'http://127.0.0.1:{free_port}/v1'}}}}")
    done = check("--config", str(path), "--probe")
    assert done.exit_code == 1
    assert "its server tells no models; start it, or give the target a `model`" in done.output


def test_a_probe_that_fails_is_exit_code_1_with_advice(tmp_path, mock):
    done = probed(tmp_path, mock, "mock-429")
    told = json.loads(done.output)
    assert done.exit_code == 1
    assert [one["failure"]["kind"] for one in told["probes"]] == ["rate_limit"] * 3
    assert told["probes"][0]["failure"]["advice"]


def test_a_probe_of_a_server_that_is_not_there_is_a_failure_in_words(tmp_path, free_port):
    path = tmp_path / "understudy.yaml"
    path.write_text(
        f'targets: {{a: {{provider: openai_compatible, model: m, base_url: "http://127.0.0.1:{free_port}/v1", key: env:NO_SUCH_KEY}},'
        f' b: {{provider: openai_compatible, model: m, base_url: "http://127.0.0.1:{free_port}/v1"}}}}'
    )
    done = check("--config", str(path), "--probe")
    assert done.exit_code == 1
    assert "credential_unavailable" in done.output
    assert "connection_refused" in done.output


def test_a_probe_is_signed_where_requests_are(tmp_path, mock):
    path = tmp_path / "understudy.yaml"
    line = (
        f"{{provider: bedrock, model: amazon.nova-lite-v1:0, region: eu-west-1, base_url: '{mock.origin}', key: aws}}"
    )
    path.write_text(f"targets: {{nova: {line}}}\nroutes: {{default: {{tiers: {{primary: [nova]}}}}}}\n")
    env = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_BEARER_TOKEN_BEDROCK": ""}
    done = check("--config", str(path), "--probe", "--json", env=env)
    assert json.loads(done.output)["probes"][0]["ok"], done.output
    assert mock.requests[-1].headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
