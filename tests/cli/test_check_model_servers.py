"""`understudy check --probe` starts the model servers of our own for the question."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from understudy.cli import app


def check(tmp_path: Path, model: Path, *options: str):
    path = tmp_path / "understudy.yaml"
    path.write_text(f"targets: {{tiny: {{provider: onnx, model: '{model}'}}}}")
    return CliRunner().invoke(app, ["check", "--config", str(path), "--probe", *options])


def test_a_model_that_loads_answers_its_probe(tmp_path: Path, tiny_model: Path) -> None:
    done = check(tmp_path, tiny_model, "--json")
    assert done.exit_code == 0
    [probe] = json.loads(done.output)["probes"]
    assert (probe["target"], probe["ok"]) == ("tiny", True)


def test_a_folder_without_a_model_is_told(tmp_path: Path) -> None:
    done = check(tmp_path, tmp_path)
    assert done.exit_code == 1
    assert "holds no genai_config.json" in done.output
