from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request

import pytest

from conftest import ROOT


def start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "understudy", "mock", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)


def test_it_says_where_it_is_answers_and_stops_on_a_signal():
    with start("--port", "0", "--json") as process:
        assert process.stdout is not None
        where = json.loads(process.stdout.readline())["base_url"]
        with urllib.request.urlopen(where.removesuffix("/v1") + "/v1/models", timeout=10) as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0


@pytest.mark.parametrize(
    ("arguments", "code", "phrase"),
    [
        (["no-such-script.yaml"], 2, "no-such-script.yaml: cannot be read: No such file or directory"),
        (["--recording", "nothing.jsonl"], 2, "recording nothing.jsonl: No such file or directory"),
        (["--port", "0", "--host", "203.0.113.1"], 1, "cannot listen on 203.0.113.1:0"),
        (["--port", "70000"], 2, "65535"),
    ],
)
def test_what_cannot_be_served_is_told_with_its_exit_code(arguments, code, phrase):
    with start(*arguments) as process:
        _, told = process.communicate(timeout=20)
        assert process.returncode == code
        assert phrase in told
        assert "Traceback" not in told
