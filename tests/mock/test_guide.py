"""Every example of the mock's page does what the page says."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import httpx2

from conftest import ROOT
from understudy.config.load import loads
from understudy.mock import read_script, start_mock
from understudy.mock.server import FAULTS_HEADER

PAGE = (ROOT / "docs" / "mock.md").read_text(encoding="utf-8")
HELLO = [{"role": "user", "content": "Hello"}]


def examples(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_its_configuration_and_its_script_load() -> None:
    configuration, script = examples("yaml")
    assert loads(configuration, env={}).warnings == ()
    assert len(read_script(script).faults) == 3


async def test_its_requests_fail_as_it_says() -> None:
    requests = re.findall(r"^\$ curl (.*)$", PAGE, re.MULTILINE)
    by_name, by_header = (json.loads(re.search(r"-d '(.*)'", one)[1]) for one in requests)
    faults = re.search(rf"-H '{FAULTS_HEADER}: (.*?)'", requests[1])[1]
    async with await start_mock() as mock, httpx2.AsyncClient(base_url=mock.base_url) as http:
        assert (await http.post("/chat/completions", json=by_name)).status_code == 429
        try:
            await http.post("/chat/completions", json=by_header, headers={FAULTS_HEADER: faults})
            broke = False
        except httpx2.TransportError:
            broke = True
        assert broke


async def test_its_recording_is_replayed(tmp_path: Path) -> None:
    [line] = examples("json")
    recording = tmp_path / "traffic.jsonl"
    recording.write_text(line, encoding="utf-8")
    async with (
        await start_mock(f"recording: {recording}") as mock,
        httpx2.AsyncClient(base_url=mock.base_url) as http,
    ):
        answer = await http.post("/chat/completions", json={"model": "another", "messages": HELLO})
        assert answer.json()["choices"][0]["message"]["content"] == "Hello."
        unknown = await http.post("/chat/completions", json={"model": "m", "messages": HELLO, "stop": "x"})
        assert (unknown.status_code, "no such request" in unknown.text) == (404, True)


async def test_its_program_runs(monkeypatch, capsys) -> None:
    monkeypatch.setenv("ANY_KEY", "sk-any")
    [program] = examples("python")
    names: dict = {"__name__": "example"}
    exec(program.replace("asyncio.run(main())", ""), names)
    await asyncio.wait_for(names["main"](), 10)
    assert capsys.readouterr().out.startswith("sorry openai_chat Failure(kind=<FailureKind.OVERLOADED")
