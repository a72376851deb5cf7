"""What the content of DATA costs: our reader against stock aiosmtpd's, in one run, over loopback.

24 MiB of empty lines, and a 10 MB mail while another session asks for the time: wall time, CPU,
memory, and the longest stall of the event loop. Each server runs in a process of its own; the
client is in another one. Run: `python benchmarks/data_reader.py`.
"""

import asyncio
import multiprocessing
import resource
import smtplib
import socket
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from aiosmtpd.controller import UnthreadedController

from gateway.receive import listener, replies
from gateway.receive.limits import Limits
from gateway.receive.replies import Verdict

LIMIT = 36_700_160
JOBS = {
    "24 MiB of empty lines": b"\r\n" * (12 * 1024 * 1024),
    "10 MB of text": (b"x" * 76 + b"\r\n") * 128_205,
    "10 MB of dots": (b"..\r\n") * 2_500_000,
}


class Silent:
    """A log that keeps nothing."""

    def info(self, event: str, **fields: Any) -> None:
        """Nothing."""

    debug = warning = error = info


async def ours(port: int) -> None:
    """Our door with a handler that does nothing."""

    async def handle(envelope: object, raw: bytes) -> Verdict:
        return Verdict(replies.ACCEPTED)

    settings = listener.ListenerSettings(f"127.0.0.1:{port}")
    await listener.start(settings, Limits(), [], lambda _: True, handle, Silent(), "mx.example")


async def stock(port: int) -> None:
    """aiosmtpd as it comes, with a handler that does nothing."""

    class Handler:
        async def handle_DATA(self, *_: object) -> str:  # noqa: N802  # the library's name
            return "250 OK"

    controller = UnthreadedController(
        Handler(), "127.0.0.1", port, data_size_limit=LIMIT, loop=asyncio.get_running_loop()
    )
    await controller._create_server()


def serve(start: Callable[[int], Any], port: int, pipe: Connection) -> None:
    """Run a server; on each word from the pipe, say CPU, memory, longest stall since the last."""

    async def main() -> None:
        keep = await start(port)
        loop = asyncio.get_running_loop()
        worst = 0.0
        pipe.send("ready")
        while True:
            began = loop.time()
            await asyncio.sleep(0.001)
            worst = max(worst, loop.time() - began - 0.001)
            if pipe.poll():
                pipe.recv()
                usage = resource.getrusage(resource.RUSAGE_SELF)
                pipe.send((usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, worst))
                worst = 0.0
        del keep

    asyncio.run(main())


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def measure(name: str, start: Callable[[int], Any], content: bytes) -> dict[str, float]:
    """One mail to a fresh server."""
    port = free_port()
    here, there = multiprocessing.Pipe()
    context = multiprocessing.get_context("fork")
    process = context.Process(target=serve, args=(start, port, there), daemon=True)
    process.start()
    here.recv()
    here.send("mark")
    cpu_before, memory_before, _ = here.recv()
    client = smtplib.SMTP("127.0.0.1", port, timeout=300)
    client.ehlo("client.example")
    client.docmd("MAIL FROM:<a@b.example>")
    client.docmd("RCPT TO:<support@host.example>")
    client.docmd("DATA")
    began = time.perf_counter()
    client.send(content + b".\r\n")
    client.getreply()
    wall = time.perf_counter() - began
    here.send("mark")
    cpu, memory, stall = here.recv()
    client.close()
    process.terminate()
    process.join()
    return {
        "wall s": wall,
        "cpu s": cpu - cpu_before,
        "memory MB": memory - memory_before,
        "stall ms": stall * 1000,
    }


def main() -> None:
    """Print both in turn, and the ratio."""
    for job, content in JOBS.items():
        print(f"\n{job}")
        found = {name: measure(name, start, content) for name, start in SERVERS.items()}
        for name, figures in found.items():
            shown = "  ".join(f"{key} {value:9.3f}" for key, value in figures.items())
            print(f"  {name:16} {shown}")
        ratio = found["stock aiosmtpd"]["cpu s"] / max(found["ours"]["cpu s"], 1e-6)
        print(f"  CPU: stock is {ratio:.1f} times ours")


SERVERS: dict[str, Callable[[int], Any]] = {"ours": ours, "stock aiosmtpd": stock}

if __name__ == "__main__":
    main()
