"""A process of its own that misbehaves: `attackers.py PORT`; an order a line on its input, what
came of it as JSON on its output.

Each attack comes from addresses of its own. What is told is the last code that was heard (0 for
none), and the seconds until the other side had closed.
"""

import asyncio
import contextlib
import json
import socket
import struct
import sys
from collections import Counter
from collections.abc import Awaitable, Callable

PATIENCE = 60.0
HELLO = b"EHLO bad.example\r\n"
MAIL = b"MAIL FROM:<x@estranei.example>\r\nRCPT TO:<support@host.example>\r\nDATA\r\n"

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Ended = tuple[int, float]


async def _open(port: int, address: str, limit: int = 1 << 16) -> Streams:
    return await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0), limit=limit)


async def _until_closed(streams: Streams) -> Ended:
    """Read until the other side closes."""
    reader, writer = streams
    loop = asyncio.get_running_loop()
    begun, heard = loop.time(), b""
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(PATIENCE):
            while more := await reader.read(65536):
                heard = (heard + more)[-4096:]
    writer.transport.abort()
    lines = [line for line in heard.split(b"\r\n") if line[:3].isdigit()]
    return (int(lines[-1][:3]) if lines else 0, loop.time() - begun)


async def _say(streams: Streams, data: bytes) -> None:
    with contextlib.suppress(OSError):
        streams[1].write(data)
        await streams[1].drain()


async def _in_data(streams: Streams, hello: bytes) -> None:
    """Up to the 354; hello and DATA end a group of commands."""
    for said, last in ((hello, b"250 ENHANCED"), (MAIL, b"354 ")):
        await _say(streams, said)
        async with asyncio.timeout(PATIENCE):
            while (line := await streams[0].readline()) and not line.startswith(last):
                pass


async def noops(port: int, number: int) -> Ended:
    """Commands that do nothing, without end."""
    streams = await _open(port, f"127.3.1.{number + 1}")
    ended = asyncio.create_task(_until_closed(streams))
    await _say(streams, b"NOOP\r\n" * 20_000)
    return await ended


async def unknown(port: int, number: int) -> Ended:
    """Words that are no commands."""
    streams = await _open(port, f"127.3.2.{number + 1}")
    ended = asyncio.create_task(_until_closed(streams))
    await _say(streams, b"FLY to the moon\r\n" * 2_000)
    return await ended


async def endless_line(port: int, number: int) -> Ended:
    """A line that does not end."""
    streams = await _open(port, f"127.3.3.{number + 1}")
    ended = asyncio.create_task(_until_closed(streams))
    for _ in range(100):
        await _say(streams, b"A" * 10_000)
        if ended.done():
            break
    return await ended


async def silent(port: int, number: int) -> Ended:
    """Says nothing at all."""
    return await _until_closed(await _open(port, f"127.3.4.{number + 1}"))


async def drip(port: int, number: int) -> Ended:
    """A mail at one byte a second."""
    streams = await _open(port, f"127.3.5.{number + 1}")
    await _in_data(streams, HELLO)
    ended = asyncio.create_task(_until_closed(streams))
    while not ended.done():
        await _say(streams, b"x")
        await asyncio.wait({ended}, timeout=1.0)
    return await ended


async def never_reads(port: int, number: int) -> Ended:
    """Asks for much, and reads none of it."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    raw.bind((f"127.3.6.{number + 1}", 0))
    raw.setblocking(False)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await loop.sock_connect(raw, ("127.0.0.1", port))
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(PATIENCE):
            while True:
                await loop.sock_sendall(raw, b"HELP\r\nVRFY x\r\nEHLO x.example\r\n" * 200)
                await asyncio.sleep(0.1)
    ended = loop.time() - begun
    raw.close()
    return 0, ended


async def flood(port: int, number: int) -> Ended:
    """A mail without end."""
    streams = await _open(port, f"127.3.7.{number + 1}")
    await _in_data(streams, HELLO)
    ended = asyncio.create_task(_until_closed(streams))
    while not ended.done():
        await _say(streams, b"flood of the river\r\n" * 3_000)
        await asyncio.sleep(0)
    return await ended


async def half_close(port: int, number: int) -> Ended:
    """A whole mail, and the line closed on one side before the answer: it is still answered."""
    streams = await _open(port, "127.0.0.60")
    await _in_data(streams, b"EHLO mx.estranei.example\r\n")
    ended = asyncio.create_task(_until_closed(streams))
    head = f"From: <x@estranei.example>\r\nMessage-ID: <half{number}@estranei.example>\r\n"
    await _say(streams, f"{head}\r\nHow do I change the nameservers?\r\n.\r\n".encode())
    with contextlib.suppress(OSError):
        streams[1].write_eof()
    return await ended


async def reset(port: int, number: int) -> Ended:
    """Connections that are reset in the middle of a mail, again and again."""
    for _ in range(40):
        with contextlib.suppress(OSError):
            reader, writer = await _open(port, f"127.3.8.{number + 1}")
            writer.write(HELLO)
            await reader.readline()
            writer.write(MAIL + b"From: <x@estranei.example>\r\n\r\nHalf a ma")
            await writer.drain()
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
    return 0, 0.0


async def crowd(port: int, number: int) -> Ended:
    """One of a thousand connections of one address."""
    with contextlib.suppress(OSError):
        streams = await _open(port, "127.3.9.9")
        line = await asyncio.wait_for(streams[0].readline(), PATIENCE)
        await asyncio.sleep(1.0)  # those that were let in stay for a while
        streams[1].transport.abort()
        return (int(line[:3]) if line[:3].isdigit() else 0), 0.0
    return 0, 0.0


ATTACKS: dict[str, tuple[Callable[[int, int], Awaitable[Ended]], int]] = {
    "no-ops": (noops, 15),
    "no commands": (unknown, 15),
    "endless line": (endless_line, 15),
    "silent": (silent, 15),
    "1 B/s": (drip, 15),
    "never reads": (never_reads, 15),
    "endless mail": (flood, 4),
    "half-closed": (half_close, 10),
    "resets": (reset, 5),
    "1,000 of one address": (crowd, 1000),
}


async def attack(port: int, name: str) -> dict[str, object]:
    """All of one kind at once: how often each code was the last one, and the longest wait."""
    kind, count = ATTACKS[name]
    done = await asyncio.gather(*(kind(port, number) for number in range(count)))
    codes = Counter(code for code, _ in done)
    return {"codes": dict(codes), "seconds": max(seconds for _, seconds in done)}


if __name__ == "__main__":
    for order in sys.stdin:
        print(json.dumps(asyncio.run(attack(int(sys.argv[1]), order.strip()))), flush=True)
