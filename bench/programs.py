"""Starts, finds and ends every program of a benchmark: upstreams, nginx, our relay, our router.

All listen on free ports of the loopback only, keep their files in one folder that is thrown away, and end with the
harness.
"""

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory
from typing import Self

import trustme
from bench import traffic
from bench.exchange import Caller
from bench.machine import REPOSITORY, Cores, process_tree
from bench.scenarios import FIRST_CHUNK_GAP_US, STREAM_GAP_US, Load

HERE = Path(__file__).resolve().parent
SOURCE = REPOSITORY / "src"
START_MAX_S = 20.0
STOP_MAX_S = 5.0


class UnavailableError(Exception):
    """A program cannot be started; the text says why, for the table."""


@dataclass(frozen=True, slots=True)
class Program:
    """Something that answers on a port. `root_pid` is 0 for the upstream when it is called directly."""

    name: str
    port: int
    root_pid: int
    is_gateway: bool = False

    def path(self, load: Load) -> str:
        return load.gateway_path if self.is_gateway else load.relay_path


PACKAGES = {"nginx": ["nginx"], "wrk": ["wrk"], "gcc": ["gcc", "libc6-dev"]}


def need_tools() -> None:
    """Installs nginx and wrk where apt-get and the rights are there; else says what to install."""
    missing = [tool for tool in PACKAGES if shutil.which(tool) is None]
    if not missing:
        return
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise SystemExit(
            f"bench: install {', '.join(missing)} first; they are the counterpart, the load and a compiler."
        )
    print(f"bench: installing {', '.join(missing)} with apt-get", file=sys.stderr)
    # RUNLEVEL=1 keeps the package from starting nginx as a service.
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    packages = [package for tool in missing for package in PACKAGES[tool]]
    for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *packages]):
        subprocess.run(["apt-get", *command], check=True, env=quiet, stdout=subprocess.DEVNULL)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """What is started inside inherits the core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def end(process: subprocess.Popen[bytes]) -> None:
    """Asks the process and its descendants to stop, then makes them.

    Held by descriptor, so that a number which was given to somebody else meanwhile is never signalled.
    """
    if process.returncode is not None:  # ended by itself; its group was told then
        return
    with ExitStack() as held:
        family: list[int] = []
        for pid in process_tree(process.pid):
            with suppress(ProcessLookupError):
                family.append(os.pidfd_open(pid))
                held.callback(os.close, family[-1])
        tell_group(process.pid)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_MAX_S)
        for member in family:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(member, signal.SIGKILL)
        process.wait()


def tell_group(leader: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGTERM)


class Stage:
    """The folder, the upstreams and the programs of one run. Use as a context: leaving it ends everything."""

    def __init__(self, cores: Cores) -> None:
        self.cores = cores
        self._held = ExitStack()
        self.folder = Path()
        self.upstream_port = self.tls_port = self.closed_port = 0
        self.authority = self.certificate = self.certificate_key = Path()

    def __enter__(self) -> Self:
        with ExitStack() as held:
            self.folder = Path(held.enter_context(TemporaryDirectory(prefix="understudy-bench-")))
            self._held = held.pop_all()
        try:
            self._open()
        except BaseException:
            self._held.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def _open(self) -> None:
        # A port that is bound but not listened on refuses connections, and nobody else can take it meanwhile.
        refusing = self._held.enter_context(socket.socket())
        refusing.bind(("127.0.0.1", 0))
        self.closed_port = refusing.getsockname()[1]
        self._make_certificates()
        self._start_upstream()
        self._start_tls_upstream()

    def start(self, name: str, core: int, command: list[str], port: int = 0) -> subprocess.Popen[bytes]:
        """Starts a command on a core; with a port, waits until it is listened on. Its output goes to `<name>.log`."""
        log = self.folder / f"{name}.log"
        with pinned(core), log.open("wb") as out:
            process = subprocess.Popen(
                command,
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                env=self.environment(),
            )
        self._held.callback(end, process)
        if port:
            self._await_listener(name, process, port, log)
        return process

    def environment(self) -> dict[str, str]:
        """Ours without proxies: nothing may come between the programs and the loopback."""
        ours = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        return ours | {
            "PYTHONPATH": str(SOURCE),
            "BENCH_KEY": "bench-provider-key",
            "BENCH_CALLER_KEY": traffic.CALLER_KEY,
        }

    def counters(self) -> dict[str, int]:
        """What the plain upstream has answered so far, by kind."""
        with Caller(self.upstream_port) as caller:
            counted: dict[str, int] = json.loads(caller.call("/counters", b"").body)
        return counted

    def write_template(self, template: str, folder: str, **values: object) -> Path:
        """Fills in an nginx configuration; each nginx gets a folder of its own."""
        place = self.folder / folder
        place.mkdir()
        text = Template((HERE / "nginx" / template).read_text())
        user = pwd.getpwuid(os.getuid()).pw_name
        path = place / "nginx.conf"
        path.write_text(text.substitute(values, folder=place, user=user))
        return path

    def _await_listener(self, name: str, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        give_up_s = time.monotonic() + START_MAX_S
        while time.monotonic() < give_up_s:
            if process.poll() is not None:
                tell_group(process.pid)
                said = log.read_text(errors="replace").strip() or "nothing"
                print(f"bench: {name} ended with code {process.returncode} and said:\n{said[-2000:]}", file=sys.stderr)
                raise UnavailableError(f"{name} ended with code {process.returncode}: {said.splitlines()[-1].strip()}")
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            time.sleep(0.02)
        raise UnavailableError(f"{name} did not listen within {START_MAX_S:g} s")

    def _make_certificates(self) -> None:
        authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
        server = authority.issue_cert("localhost", "127.0.0.1", key_type=trustme.KeyType.ECDSA)
        self.authority = self.folder / "authority.pem"
        self.certificate, self.certificate_key = self.folder / "server.pem", self.folder / "server.key"
        authority.cert_pem.write_to_path(str(self.authority))
        server.private_key_pem.write_to_path(str(self.certificate_key))
        self.certificate.write_bytes(b"".join(blob.bytes() for blob in server.cert_chain_pems))

    def _start_upstream(self) -> None:
        binary, answer, failure, events = (
            self.folder / name for name in ("upstream", "answer.json", "failure.json", "events.txt")
        )
        answer.write_bytes(traffic.answer())
        failure.write_bytes(traffic.failure())
        events.write_bytes(b"\n".join(traffic.stream_events()))
        subprocess.run(["gcc", "-O2", "-o", str(binary), str(HERE / "upstream.c")], check=True)
        process = self.start(
            "upstream-plain", self.cores.upstream, [str(binary), str(answer), str(failure), str(events)]
        )
        said = self.folder / "upstream-plain.log"
        give_up_s = time.monotonic() + START_MAX_S
        while not said.read_bytes().endswith(b"\n"):
            if process.poll() is not None or time.monotonic() > give_up_s:
                raise SystemExit(f"bench: the upstream did not start: {said.read_text()}")
            time.sleep(0.01)
        self.upstream_port = int(said.read_text())

    def _start_tls_upstream(self) -> None:
        self.tls_port = free_port()
        configuration = self.write_template(
            "tls_upstream.conf",
            "tls-upstream",
            port=self.tls_port,
            certificate=self.certificate,
            certificate_key=self.certificate_key,
            answer=traffic.answer().decode(),
        )
        self.start("upstream-tls", self.cores.upstream, ["nginx", "-c", str(configuration)], self.tls_port)


def start_direct(stage: Stage, name: str) -> Program:
    return Program(name, stage.upstream_port, root_pid=0)


def start_nginx(stage: Stage, name: str) -> Program:
    port = free_port()
    configuration = stage.write_template(
        "proxy.conf",
        name,
        port=port,
        upstream_port=stage.upstream_port,
        tls_port=stage.tls_port,
        authority=stage.authority,
    )
    process = stage.start(name, stage.cores.program, ["nginx", "-c", str(configuration)], port)
    return Program(name, port, process.pid)


def start_relay(stage: Stage, name: str) -> Program:
    if not (SOURCE / "understudy" / "transport" / "relay.py").exists():
        raise UnavailableError("understudy.transport.relay is not there")
    encrypted = name == "relay-tls"
    upstream = f"https://127.0.0.1:{stage.tls_port}" if encrypted else f"http://127.0.0.1:{stage.upstream_port}"
    port = free_port()
    command = [sys.executable, "-m", "understudy.transport.relay", "--port", str(port), "--upstream", upstream]
    command += ["--ca-file", str(stage.authority)] if encrypted else []
    return Program(name, port, stage.start(name, stage.cores.program, command, port).pid)


def start_understudy(stage: Stage, name: str) -> Program:
    if not (SOURCE / "understudy" / "cli").exists():
        raise UnavailableError("understudy serve is not there")
    configuration = stage.folder / "bench.yaml"
    configuration.write_text(json.dumps(router_configuration(stage), indent=2))  # JSON is YAML
    port, control_port = free_port(), free_port()
    address = ["--host", "127.0.0.1", "--port", str(port), "--control-port", str(control_port)]
    command = [sys.executable, "-m", "understudy", "serve", "--config", str(configuration), *address, "--workers", "1"]
    process = stage.start(name, stage.cores.program, command, port)
    return Program(name, port, process.pid, is_gateway=True)


def router_configuration(stage: Stage) -> dict[str, object]:
    """A route per load, each with a primary and a secondary; keys, prices and limits as in production.

    The failing and the refusing primary must be called every time, so their breakers never open and their route keeps
    the written order.
    """
    plain = f"http://127.0.0.1:{stage.upstream_port}"
    addresses = {
        "plain": f"{plain}/answer/v1",
        "spare": f"{plain}/answer/v1",
        "stream": f"{plain}/stream/{STREAM_GAP_US}/v1",
        "first-chunk": f"{plain}/stream/{FIRST_CHUNK_GAP_US}/v1",
        "failing": f"{plain}/fail/v1",
        "refusing": f"http://127.0.0.1:{stage.closed_port}/v1",
        "tls": f"https://127.0.0.1:{stage.tls_port}/tls/v1",
    }
    primaries = {"plain": "plain", "stream": "stream", "first-chunk": "first-chunk", "tls": "tls"}
    primaries |= {"failover": "failing", "refused": "refusing"}
    # Or the primary would be spared. Under the targets' own names, too: each has one breaker, which stays closed.
    never_open = {"counts": {"server_error": False, "connection_refused": False}}
    return {
        "targets": {
            name: {
                "provider": "openai",
                "model": "gpt-bench",
                "base_url": base_url,
                "key": "env:BENCH_KEY",
                "price": {"input": 3, "output": 15},
                "limits": {"rpm": 1_000_000_000, "tpm": 1_000_000_000_000, "in_flight": 10_000},
            }
            for name, base_url in addresses.items()
        },
        "routes": {
            route: {
                "tiers": {"primary": [primary, "spare"]},
                "strategy": "failover",
                "policy": {"breaker": never_open},
            }
            for route, primary in (primaries | {name: name for name in ("failing", "refusing")}).items()
        },
        "principals": [
            {
                "name": "bench",
                "key_sha256": sha256(traffic.CALLER_KEY.encode()).hexdigest(),
                "routes": list(primaries),
            },
        ],
        "transport": {"ca_file": str(stage.authority)},
    }


STARTERS: dict[str, Callable[[Stage, str], Program]] = {
    "direct": start_direct,
    "nginx": start_nginx,
    "twin": start_nginx,
    "relay": start_relay,
    "relay-tls": start_relay,
    "understudy": start_understudy,
}
