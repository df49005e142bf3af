"""What every command keeps to: help, JSON, exit codes, and a quick start."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from conftest import ROOT
from understudy import __version__
from understudy.cli import Commands, app
from understudy.cli._output import columns

COMMANDS = Commands(name="understudy").list_commands(None)


def run(*arguments: str):
    return CliRunner().invoke(app, list(arguments))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_json(command):
    done = run(command, "--help")
    assert done.exit_code == 0
    assert "--json" in done.output


def test_the_help_lists_every_command_with_a_line():
    done = run("--help")
    assert done.exit_code == 0
    for command in COMMANDS:
        assert command in done.output


def test_without_a_command_the_help_is_shown():
    done = run()
    assert done.exit_code == 2
    assert "version" in done.output


@pytest.mark.parametrize(
    ("arguments", "phrase"),
    [
        (["chek"], "Did you mean 'check'?"),
        (["check", "--cnofig", "x"], "No such option"),
        (["version", "x"], "unexpected"),
        (["serve", "--port", "99999"], "less than or equal to 65535"),
        (["serve", "--control-port=-1"], "greater than or"),
        (["demo", "--port", "65536"], "less than or equal to 65535"),
    ],
)
def test_asking_wrongly_is_exit_code_2_with_a_hint(arguments, phrase):
    done = run(*arguments)
    assert done.exit_code == 2
    assert phrase in done.output


def test_help_breaks_lines_where_the_terminal_ends_not_where_the_source_does():
    told = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["check", "--help"]).output
    assert "Keys that are not set here are told" in told


def test_what_cannot_be_written_is_told(tmp_path):
    labels = tmp_path / "labels.jsonl"
    labels.write_text(
        "".join(f'{{"prompt": "{n}", "correct": {{"weak": {n % 2}, "strong": 1}}}}\n' for n in range(400))
    )
    done = run("train", str(labels), "--out", str(tmp_path / "nowhere" / "router.json"))
    assert done.exit_code == 1
    assert "cannot be written: No such file or directory" in done.stderr


def test_version_tells_the_version():
    assert run("version").output.startswith(f"understudy {__version__} (")
    assert json.loads(run("version", "--json").output)["understudy"] == __version__
    assert run("--version").output == f"understudy {__version__}\n"


def test_version_loads_nothing_of_the_engine_and_no_configuration():
    code = """
import sys
from understudy.cli import app
try:
    app(["version"])
except SystemExit as done:
    assert done.code == 0
heavy = {"yaml", "msgspec", "uvloop", "httptools", "understudy.engine", "understudy.config", "understudy.wiring"}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30, cwd=ROOT
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_python_dash_m_is_the_command():
    run_it = [sys.executable, "-m", "understudy", "version"]
    done = subprocess.run(run_it, capture_output=True, text=True, check=True, timeout=30, cwd=ROOT)
    assert done.stdout.startswith(f"understudy {__version__}")


def test_ctrl_c_while_the_program_still_loads_shows_no_traceback():
    code = (
        "import sys\n"
        "class Interrupted:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name == 'understudy.cli': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupted())\n"
        "from understudy.__main__ import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


@pytest.mark.parametrize(("module", "command", "extra"), [("typer", "version", "cli"), ("uvicorn", "serve", "serve")])
def test_an_extra_that_is_not_installed_is_named(module, command, extra, tmp_path):
    (tmp_path / "understudy.yaml").write_text("targets: {hi: {provider: simulated}}")
    code = f"import sys; sys.modules[{module!r}] = None; sys.argv = ['understudy', {command!r}]; from understudy.__main__ import main; main()"
    run_it = [sys.executable, "-c", code]
    done = subprocess.run(run_it, capture_output=True, text=True, check=False, timeout=30, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == f"{module} is not installed, which this command needs: pip install 'understudy[{extra}]'\n"


def test_columns_are_aligned_and_end_without_blanks():
    assert columns([("a", "b"), ("longer", "")]) == "  a       b\n  longer"
    assert columns([]) == ""
