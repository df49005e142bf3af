"""A model server: loads one model, answers on loopback, ends with its parent. `python -m understudy.local.server`, by the keeper.

Standard input brings one line of orders and then its own end, which is ours, too. Standard output carries the news; what
libraries print goes to standard error.
"""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import signal
import sys
import threading
from typing import BinaryIO

import msgspec

from understudy.local.chat import ChatServer
from understudy.local.onnx_model import OnnxModel
from understudy.local.orders import Failed, Orders, Ready, encode, read_orders
from understudy.local.speaker import CannotLoad, Speaker
from understudy.transport.server import Server

log = logging.getLogger("understudy")

_PR_SET_PDEATHSIG = 1
_CANNOT_LOAD = 3


def main() -> int:
    """Serve until standard input ends. Returns the exit status."""
    die_with_parent()
    # Ctrl-C reaches the whole process group, and systemd ends whole services: the parent says what it means, after its answers.
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, signal.SIG_IGN)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    up = _own_output()
    try:
        orders = read_orders(_line(0))
    except msgspec.DecodeError:
        return 2  # nobody is there, or nobody who knows us
    try:
        speaker: Speaker = OnnxModel(orders)
    except CannotLoad as trouble:
        _tell(up, Failed(why=str(trouble), final=trouble.final))
        return _CANNOT_LOAD
    try:
        import uvloop
    except ModuleNotFoundError:
        asyncio.run(serve(speaker, orders, up))
    else:
        uvloop.run(serve(speaker, orders, up))
    return 0


async def serve(speaker: Speaker, orders: Orders, up: BinaryIO) -> None:
    """Answer until standard input ends."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    chat = ChatServer(speaker, orders.secret, orders.queue)
    server = Server(chat, chat.refusal, on_error=_failed)
    await server.listen()
    # A daemon: it may hang in a read of an input that never ends, and must not keep the process.
    threading.Thread(target=_until_end, args=(loop, ended), daemon=True).start()
    _tell(up, Ready(port=server.port))
    await ended.wait()
    await server.close()


def die_with_parent() -> None:
    """Have the kernel end this process with its parent, where it can: native code that holds Python's lock reads no input."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _until_end(loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
    while os.read(0, 64):
        pass
    loop.call_soon_threadsafe(ended.set)


def _own_output() -> BinaryIO:
    """Standard output for ourselves; whoever else writes to it, writes to standard error."""
    ours = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(ours, "wb", buffering=0)


def _line(descriptor: int) -> bytes:
    """One line and no byte more: a buffered reader would keep a lock that the end of the process stumbles over."""
    read = bytearray()
    while (byte := os.read(descriptor, 1)) not in {b"", b"\n"}:
        read += byte
    return bytes(read)


def _tell(up: BinaryIO, news: Ready | Failed) -> None:
    try:
        up.write(encode(news) + b"\n")
    except BrokenPipeError:
        return  # the parent is gone; so will we be, by the end of its pipe


def _failed(error: BaseException) -> None:
    log.error("a request failed inside the model server; please report this", exc_info=error)


if __name__ == "__main__":
    sys.exit(main())
