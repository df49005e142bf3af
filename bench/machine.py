"""The machine a benchmark ran on: its cores, its processes' CPU time and memory, and its description."""

import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import time
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Cores:
    """Which core each part runs on; `note` says what had to be shared."""

    program: int
    upstream: int
    load: int
    note: str


def plan_cores() -> Cores:
    """Core 0 is left to the kernel and the neighbours where there are four."""
    have = sorted(os.sched_getaffinity(0))
    if len(have) >= 4:
        return Cores(have[1], have[2], have[3], "program, upstream and load each on a core of its own")
    if len(have) == 3:
        return Cores(have[1], have[2], have[0], "program, upstream and load each on a core of its own; none left over")
    if len(have) == 2:
        return Cores(have[1], have[0], have[0], "two cores: upstream and load share one, so the program may idle")
    return Cores(have[0], have[0], have[0], "one core for everything: CPU per request still counts, rates do not")


def pin(core: int) -> None:
    os.sched_setaffinity(0, {core})


def process_tree(root: int) -> list[int]:
    """The process and all its descendants, parents first."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):  # ended while we were looking
                continue
            # The name stands in parentheses and may hold spaces; the parent is the second field after it.
            parents.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(entry.name))
    tree = [root]
    for pid in tree:
        tree.extend(parents.get(pid, []))
    return tree


def cpu_ns(pid: int) -> int:
    """User and system time of a process, all threads, ended ones too: utime + stime of its stat, but in nanoseconds.

    The clock's number is what clock_getcpuclockid(3) answers: the complement of the pid, and 2 for the scheduler's count.
    """
    return time.clock_gettime_ns((~pid << 3) | 2)


def resident_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise LookupError(f"process {pid} has no resident memory: it has ended")


def cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def output_of(*command: str) -> str:
    """What a command says on either stream, or nothing when it is not there."""
    if shutil.which(command[0]) is None:
        return ""
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=REPOSITORY)
    return (done.stdout + done.stderr).strip()


def commit() -> str:
    """The commit that was measured, marked when the tree held changes."""

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], check=False, capture_output=True, text=True, cwd=REPOSITORY)
        return done.stdout.strip()

    if shutil.which("git") is None:
        return "unknown"
    head = git("rev-parse", "--short", "--verify", "--quiet", "HEAD") or "none yet"
    return head + (" with changes" if git("status", "--porcelain", "--untracked-files=no") else "")


def interpreter_build() -> str:
    """How the interpreter was built, as far as it says so: Debian profiles its own by other means than the usual option."""
    if "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or ""):
        return "PGO"
    return "the distribution's" if sys.base_prefix == "/usr" else "no PGO"


def describe() -> dict[str, str]:
    return {
        "cpu": cpu_model(),
        "cores": f"{os.cpu_count()}, of which usable {len(os.sched_getaffinity(0))}",
        "kernel": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()} ({interpreter_build()})",
        **{package: installed(package) for package in ("uvloop", "httptools", "msgspec")},
        "nginx": output_of("nginx", "-v").partition("nginx/")[2],
        "wrk": (output_of("wrk", "-v").split() or ["", ""])[1],
        "commit": commit(),
        "load average before": f"{os.getloadavg()[0]:.2f}",
        "command line": " ".join(["python bench/run.py", *sys.argv[1:]]),
    }
