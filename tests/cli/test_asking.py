"""`chat`, `explain`, `demo` and `simulate`, as a user runs them."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest
from typer.testing import CliRunner

from understudy import Router
from understudy.cli import app
from understudy.cli.demo import NEXT, _summed_up


class Told(NamedTuple):
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


def run(*words: str, folder: Path) -> Told:
    """Run a command in this process: one of its own takes half a second to begin."""
    with contextlib.chdir(folder):
        done = CliRunner(env={"KEY": "sk-test"}).invoke(app, list(words))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Told(done.exit_code, done.stdout, done.stderr)


@pytest.fixture
def mock_url() -> Iterator[str]:
    """A provider in a process of its own: the commands run in theirs."""
    code = (
        "import asyncio\n"
        "from understudy.mock import start_mock\n"
        "async def main():\n"
        "    async with await start_mock() as mock:\n"
        "        print(mock.base_url, flush=True)\n"
        "        await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


def configured(folder: Path, url: str) -> Path:
    (folder / "understudy.yaml").write_text(f"""
targets:
  lead: {{provider: openai_compatible, model: m, base_url: "{url}", key: env:KEY, price: {{input: 3, output: 15}}}}
  blind: {{provider: openai_compatible, model: m, base_url: "{url}", key: env:KEY, limits: {{in_flight: 1}}}}
  sorry: {{provider: static, text: "Please try again shortly."}}
routes:
  default: {{tiers: {{primary: [lead, blind], local: [sorry]}}, policy: {{retry: {{kind: none}}, wait_max_s: 0}}}}
""")
    return folder


def test_chat_prints_the_answer_and_who_gave_it(tmp_path: Path, mock_url: str) -> None:
    told = run("chat", "Why is the sky blue?", folder=configured(tmp_path, mock_url))
    assert told.returncode == 0, told.stderr
    assert "Why is the sky blue?" in told.stdout
    assert "lead (primary), 1 attempt(s)" in told.stdout
    assert "$0.0" in told.stdout


def test_chat_as_json_from_standard_input_by_route(tmp_path: Path, mock_url: str) -> None:
    folder = configured(tmp_path, mock_url)
    command = [sys.executable, "-m", "understudy", "chat", "-", "--json", "--route", "sorry", "--max-tokens", "50"]
    told = subprocess.run(command, input="Hello?", capture_output=True, text=True, check=True, timeout=40, cwd=folder)
    page = json.loads(told.stdout)
    assert page["text"] == "Please try again shortly."
    assert (page["target"], page["degraded"], page["problem"]) == ("sorry", True, None)


def test_chat_names_who_was_asked_in_vain(tmp_path: Path, mock_url: str) -> None:
    folder = configured(tmp_path, "http://127.0.0.1:9/v1")
    told = run("chat", "Hello?", folder=folder)
    assert told.returncode == 0
    assert "sorry (local), 3 attempt(s)" in told.stdout
    assert "not lead: connection_refused: no connection to 127.0.0.1:9: Connection refused\n" in told.stdout
    page = json.loads(run("chat", "Hello?", "--json", folder=folder).stdout)
    assert [one["target"] for one in page["failed"]] == ["lead", "blind"]
    compared = run("chat", "Hello?", "--compare", "lead,sorry", folder=folder).stdout
    assert "tried lead: connection_refused" in compared


def test_explain_says_whose_key_is_not_set_of_those_that_it_puts_in_order(tmp_path: Path) -> None:
    (tmp_path / "understudy.yaml").write_text(
        """
targets:
  lead: {provider: openai, model: gpt-5.1, key: env:NOBODY_SET_THIS}
  blind: {provider: openai, model: gpt-5.1, key: env:KEY}
  other: {provider: openai, model: gpt-5.1, key: env:NOBODY_SET_THIS}
routes: {default: {tiers: {primary: [lead, blind]}}}
"""
    )
    (tmp_path / "request.json").write_text('{"model": "default", "messages": [{"role": "user", "content": "Hi"}]}')
    told = run("explain", "request.json", folder=tmp_path)
    assert told.returncode == 0
    assert [line for line in told.stdout.splitlines() if line.startswith("warning: ")] == [told.stdout.splitlines()[-1]]
    assert told.stdout.splitlines()[-1].startswith("warning: lead cannot be asked: ")
    assert "NOBODY_SET_THIS" in told.stdout.splitlines()[-1]
    page = json.loads(run("explain", "request.json", "--json", folder=tmp_path).stdout)
    assert [one.split()[0] for one in page["warnings"]] == ["lead"]


def test_explain_takes_standard_input_and_the_short_names_of_wire_formats(tmp_path: Path) -> None:
    folder = configured(tmp_path, "http://127.0.0.1:9/v1")
    command = [sys.executable, "-m", "understudy", "explain", "-", "--dialect", "messages"]
    body = '{"model": "default", "max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}]}'
    told = subprocess.run(command, input=body, capture_output=True, text=True, check=True, timeout=40, cwd=folder)
    assert told.stdout.startswith("route default, asked in anthropic_messages, about ")


def test_explain_knows_who_may_ask(tmp_path: Path) -> None:
    folder = configured(tmp_path, "http://127.0.0.1:9/v1")
    file = folder / "understudy.yaml"
    file.write_text(file.read_text() + f"principals: [{{name: app, key_sha256: {'a' * 64}}}]\n")
    (folder / "request.json").write_text('{"model": "default", "messages": [{"role": "user", "content": "Hi"}]}')
    assert run("explain", "request.json", "--principal", "app", folder=folder).returncode == 0
    told = run("explain", "request.json", "--principal", "ap", folder=folder)
    assert told.returncode == 2
    assert "no principal is called 'ap'; there are: app" in told.stderr


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("said", "code", "words"),
    [
        (b"\xff\xfe", 2, b"standard input is not UTF-8 text"),
        ("grüße".encode(), 0, b"gr??e 1"),
        (b"", 2, b"no question"),
    ],
)
def test_chat_speaks_and_hears_any_encoding(tmp_path: Path, said: bytes, code: int, words: bytes) -> None:
    (tmp_path / "understudy.yaml").write_text("targets: {hi: {provider: static, text: grüße 1}}", encoding="utf-8")
    command = [sys.executable, "-m", "understudy", "chat", "-"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    told = subprocess.run(
        command, input=said, capture_output=True, check=False, timeout=40, cwd=tmp_path, env=environment
    )
    assert told.returncode == code
    assert words in told.stdout + told.stderr
    assert b"Traceback" not in told.stderr


@pytest.mark.no_cover
def test_json_loses_nothing_in_any_encoding(tmp_path: Path) -> None:
    (tmp_path / "understudy.yaml").write_text("targets: {hi: {provider: static, text: grüße 1}}", encoding="utf-8")
    command = [sys.executable, "-m", "understudy", "chat", "Hello", "--json"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    told = subprocess.run(command, capture_output=True, check=True, timeout=40, cwd=tmp_path, env=environment)
    assert json.loads(told.stdout)["text"] == "grüße 1"


def test_chat_that_cannot_be_answered_says_why(tmp_path: Path) -> None:
    folder = configured(tmp_path, "http://127.0.0.1:9/v1")
    failed = run("chat", "Hello?", "--route", "lead", folder=folder)
    assert failed.returncode == 1
    assert "connection_refused" in failed.stderr
    assert failed.stderr.splitlines()[-1] == "Check that the target's server runs.", "what to do comes last"
    assert run("chat", " ", folder=folder).returncode == 2
    assert "nobody" in run("chat", "Hello?", "--route", "nobody", folder=folder).stderr


def test_explain_tells_the_order_and_the_reasons(tmp_path: Path) -> None:
    folder = configured(tmp_path, "http://127.0.0.1:9/v1")
    (folder / "request.json").write_text('{"model": "default", "messages": [{"role": "user", "content": "Hi"}]}')
    told = run("explain", "request.json", folder=folder)
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("route default")
    rows = [line.split()[1] for line in told.stdout.splitlines() if line.split() and line.split()[0] in ("1", "2")]
    assert rows == ["lead", "blind", "sorry"]
    assert "position +1 (1)" in told.stdout
    assert "first by score, ahead of blind by 1 (100 %); settled" in told.stdout
    assert "if breaker of lead: closed -> open: blind would be first" in told.stdout
    assert "bounds: each input alone" in told.stdout
    page = json.loads(run("explain", "request.json", "--json", folder=folder).stdout)
    assert page["tiers"][1] == {"tier": "local", "degraded": True, "order": [["sorry", 0.0]], "excluded": []}
    assert page["explained"]["choices"][0]["candidates"][1]["parts"][0]["name"] == "position"


async def test_explain_takes_a_decision_that_was_made_and_makes_it_again(tmp_path: Path) -> None:
    folder = configured(tmp_path, "http://127.0.0.1:9/v1")
    async with Router.from_file(folder / "understudy.yaml", env={"KEY": "sk-test"}) as router:
        answer = await router.chat("default", "Hello?")
    record = answer.record()
    (folder / "decision.json").write_text(json.dumps({"id": "x", "record": record}))
    told = run("explain", "decision.json", folder=folder)
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith(f"decision {answer.decision.id}")
    assert "tried: connection_refused" in told.stdout
    assert told.stdout.rstrip().endswith("made again: the same")
    attempts = [
        {"target": "blind", "dropped": ["seed", "answer.choices.logprobs"]},
        {"target": "lead", "dropped": []},
        3,
    ]
    (folder / "decision.json").write_text(json.dumps({"record": record, "result": {"attempts": attempts}}))
    told = run("explain", "decision.json", folder=folder)
    assert "lost in translation by blind: seed, answer.choices.logprobs" in told.stdout
    told = run("explain", "decision.json", "--json", folder=folder)
    assert json.loads(told.stdout)["lost"] == attempts[:1]
    record["choices"][0]["order"].reverse()
    (folder / "decision.json").write_text(json.dumps(record))
    differs = run("explain", "decision.json", "--json", folder=folder)
    assert differs.returncode == 1
    assert json.loads(differs.stdout)["replay"]["differences"] == ["choice 1: order: now lead, blind, then blind, lead"]
    del record["seed"]
    (folder / "decision.json").write_text(json.dumps(record))
    assert "as openai_chat" in run("explain", "decision.json", folder=folder).stderr, "no decision, and no request"
    (folder / "decision.json").write_text(json.dumps(record | {"seed": "0x1", "version": "other"}))
    other = run("explain", "decision.json", folder=folder)
    assert (other.returncode, "missing: configuration other" in other.stderr) == (1, True)


def test_explain_tells_who_embeds(tmp_path: Path) -> None:
    folder = configured(tmp_path, "http://127.0.0.1:9/v1")
    (folder / "request.json").write_text('{"model": "default", "input": "Hi"}')
    told = run("explain", "request.json", "--dialect", "openai_embeddings", folder=folder)
    assert told.returncode == 0, told.stderr
    assert "operation: does not embed" in told.stdout


RULES = """
rules:
  - {name: nights, when: {hour_of_day: {from: 22, to: 6}}, then: {targets: {preferred: [sorry]}}}
  - {name: closed, when: {labels: {team: x}, header: {x-env: test}, principal: app}, then: {refuse: not for x}}
principals: [{name: app, key_sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08}]
"""


def test_explain_tells_what_rules_say(tmp_path: Path) -> None:
    folder = configured(tmp_path, "http://127.0.0.1:9/v1")
    file = folder / "understudy.yaml"
    file.write_text(file.read_text() + RULES)
    (folder / "request.json").write_text('{"model": "default", "messages": [{"role": "user", "content": "Hi"}]}')
    night = run("explain", "request.json", "--at", "2026-03-01T23:00Z", folder=folder)
    assert "rule nights applies: hour_of_day 23:00" in night.stdout
    assert "preferred" in night.stdout
    day = run("explain", "request.json", "--at", "2026-03-01T12:00", folder=folder)
    assert "rule nights does not apply" in day.stdout
    said = ("--label", "team=x", "--header", "x-env=test", "--principal", "app", "--at", "2026-03-01T12:00")
    refused = run("explain", "request.json", *said, folder=folder)
    assert refused.returncode == 2
    assert "refused: not for x" in refused.stderr
    assert run("explain", "request.json", "--label", "team", folder=folder).returncode == 2
    assert "write it as 2026-03-01T23:00Z" in run("explain", "request.json", "--at", "noon", folder=folder).stderr


def test_rules_are_listed_in_their_order_and_switched_only_where_a_gateway_runs(tmp_path: Path, free_port: int) -> None:
    folder = configured(tmp_path, "http://127.0.0.1:9/v1")
    assert "there are no rules" in run("rules", folder=folder).stdout
    file = folder / "understudy.yaml"
    file.write_text(file.read_text() + RULES)
    nowhere = ("--control-port", str(free_port))
    listed = json.loads(run("rules", "--json", *nowhere, folder=folder).stdout)
    assert [(one["name"], one["state"], one["switched"]) for one in listed] == [
        ("nights", "on", None),
        ("closed", "on", None),
    ]
    assert isinstance(listed[0]["when"], dict)
    told = run("rules", *nowhere, folder=folder).stdout
    assert "closed" in told
    assert "as the configuration says: no gateway answers" in told
    failed = run("rules", "--disable", "nights", "--control-port", str(free_port), folder=folder)
    assert failed.returncode == 1
    assert "no control plane answers" in failed.stderr
    assert run("rules", "--disable", "a", "--enable", "b", folder=folder).returncode == 2


def test_rules_are_listed_as_they_stand_where_a_gateway_runs(tmp_path: Path, control_port: int) -> None:
    folder = configured(tmp_path, "http://127.0.0.1:9/v1")
    file = folder / "understudy.yaml"
    file.write_text(file.read_text() + RULES)
    gateway = ("--control-port", str(control_port))
    told = run("rules", *gateway, folder=folder).stdout.splitlines()
    assert told[0].split()[:5] == ["100", "nights", "off", "by", "hand"]
    assert "applied 5" in told[0]
    assert told[1].split()[2] == "on"
    assert told[-1] == f"as the gateway behind 127.0.0.1:{control_port} has them"


@pytest.fixture
def control_port() -> Iterator[int]:
    """A control plane whose two workers tell how rules stand."""

    class Told(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = {
                "nights": [{"enabled": False, "switched": True, "applied": n} for n in (2, 3)],
                "closed": [{"enabled": True, "switched": False, "applied": 0}] * 2,
            }
            body = json.dumps(page).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Told) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join(5)


@pytest.mark.parametrize(
    ("body", "options", "words"),
    [
        ('{"model": "nobody", "messages": []}', [], "default"),
        ('{"model": 7}', [], "model"),
        ("{}", ["--dialect", "klingon"], "openai_chat"),
        (None, [], "No such file"),
    ],
)
def test_explain_refuses_what_it_cannot_read(tmp_path: Path, body: str | None, options: list[str], words: str) -> None:
    folder = configured(tmp_path, "http://127.0.0.1:9/v1")
    if body is not None:
        (folder / "request.json").write_text(body)
    told = run("explain", "request.json", *options, folder=folder)
    assert told.returncode == 2
    assert words in told.stderr


def test_the_demo_plays_and_sums_up(tmp_path: Path) -> None:
    told = run("demo", "--port", "0", "--seconds", "5", folder=tmp_path)
    assert told.returncode == 0, told.stderr
    assert "claude answers 529 Overloaded" in told.stdout
    assert "answered after a fallback" in told.stdout
    assert "statuses: 200 " in told.stdout
    assert "curl -i http://127.0.0.1:" in told.stdout


def test_the_demo_takes_another_port_and_says_so(tmp_path: Path) -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        told = run("demo", "--port", str(port), "--seconds", "1", folder=tmp_path)
    assert told.returncode == 0, told.stderr
    assert f"({port} is taken)" in told.stdout
    assert told.stdout.splitlines()[-1] == NEXT


def test_the_demo_says_when_it_ended_before_anything_happened() -> None:
    assert _summed_up({"requests": 0, "answered_by": {}}) == "ended before the first request was answered"


def test_the_demo_as_json(tmp_path: Path) -> None:
    told = run("demo", "--port", "0", "--seconds", "2", "--json", folder=tmp_path)
    page = json.loads(told.stdout)
    assert page["requests"] > 5
    assert set(page["statuses"]) == {"200"}


def test_simulate_reports_and_refuses(tmp_path: Path) -> None:
    told = run("simulate", "--seeds", "3", "--fault", "outage", "--json", folder=tmp_path)
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)
    assert run("simulate", "--fault", "bad mood", folder=tmp_path).returncode == 2


SCHEDULE = """
lasts_s: 120
per_s: 4
targets:
  ada: {provider: openai_compatible, model: m, base_url: "http://ada:80/v1"}
  ben: {provider: openai_compatible, model: m, base_url: "http://ben:80/v1"}
routes: {default: {tiers: {primary: [ada, ben]}, policy: {deadline_s: 60, attempts_max: 4}}}
faults: [{outage: {where: [ada], from_s: 30, to_s: 60}}]
"""


def test_simulate_tells_the_availability_under_a_schedule(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(SCHEDULE)
    told = run("simulate", "--traffic", "burst", "--schedule", "mine.yaml", "--json", folder=tmp_path)
    assert told.returncode == 0, told.stderr
    [figures] = json.loads(told.stdout).values()
    assert figures["availability"] == figures["streams_begun"] == 1.0
    assert figures["requests"] > 400
    (tmp_path / "mine.csv").write_text("t_s,in_tokens,out_tokens\n" + "".join(f"{n},10,5\n" for n in range(20)))
    told = run("simulate", "--schedule", "mine.yaml", "--trace", "mine.csv", folder=tmp_path)
    assert told.returncode == 0, told.stderr
    assert "trace" in told.stdout
    assert "100.000%" in told.stdout


def test_simulate_fails_below_what_is_promised_and_lists_who_was_lost(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(SCHEDULE.replace("attempts_max: 4", "attempts_max: 1"))
    told = run("simulate", "--traffic", "steady", "--schedule", "mine.yaml", folder=tmp_path)
    assert told.returncode == 1
    assert "steady: availability is below 99.99%" in told.stderr
    assert "ada: first: connection_refused" in told.stderr
    told = run("simulate", "--traffic", "steady", "--schedule", "mine.yaml", "--json", folder=tmp_path)
    assert told.returncode == 1
    assert json.loads(told.stdout)["steady"]["lost"]


@pytest.mark.parametrize(
    "asked",
    [
        ["--traffic", "heavy"],
        ["--traffic", "steady", "--fault", "outage"],
        ["--schedule", "none.yaml"],
        ["--trace", "none.csv"],
    ],
)
def test_simulate_asked_wrongly_says_so(tmp_path: Path, asked: list[str]) -> None:
    told = run("simulate", *asked, folder=tmp_path)
    assert told.returncode == 2
    assert told.stderr.strip()
