"""Sessions in time: who is cut off, who is waited for, and what a commit survives."""

import asyncio
import dataclasses
import socket
import struct
from pathlib import Path
from typing import Any

import pytest
import uvloop
from receive_support import HOST, MAIL, KeptLog, World, is_ours, relay, run

from gateway.core.model import Envelope
from gateway.errors import BadInput
from gateway.receive import listener, replies
from gateway.receive.limits import Limits
from gateway.receive.replies import Verdict

QUICK = Limits(error_delay_seconds=0.0, command_seconds=0.1, busy_command_seconds=0.1)


async def until(world: World, count: int) -> None:
    """Wait for `count` mails."""
    async with asyncio.timeout(5):
        while len(world.mails) < count:  # noqa: ASYNC110  # the other end has no event to give
            await asyncio.sleep(0.005)


def slow(world: World, started: asyncio.Event, release: asyncio.Event) -> None:
    """Make the handler wait for `release`."""

    async def decide(envelope: Envelope, raw: bytes) -> Verdict:
        started.set()
        await release.wait()
        world.mails.append((envelope, raw))
        return Verdict(replies.ACCEPTED)

    world.decide = decide


@pytest.mark.parametrize("reset", [False, True], ids=["disconnect", "smtp-rst-after-dot"])
def test_a_client_that_leaves_after_the_dot_cancels_nothing(reset: bool) -> None:
    """The commit goes on to its end though nobody hears of it."""

    async def body(world: World) -> None:
        started, release = asyncio.Event(), asyncio.Event()
        slow(world, started, release)
        client = await world.connect()
        await client.envelope()
        await client.send(MAIL + b".\r\n")
        await started.wait()
        if reset:
            sock = client.writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.abort()
        await asyncio.sleep(0.05)
        release.set()
        await until(world, 1)

    assert run(body).mails[0][1] == MAIL


def test_closing_the_door_waits_for_the_commit() -> None:
    """Drain: the mail under way is decided, answered, and the session told to go."""

    async def body(world: World) -> None:
        started, release = asyncio.Event(), asyncio.Event()
        slow(world, started, release)
        busy, idle = await world.connect(), await world.connect()
        await busy.envelope()
        await idle.reply()
        await busy.send(MAIL + b".\r\n")
        await started.wait()
        assert world.server is not None
        closing = asyncio.create_task(world.server.close(5.0))
        assert (await idle.reply()).startswith("421 4.3.2")
        await asyncio.sleep(0.05)
        release.set()
        assert (await busy.reply()).startswith("250")
        assert (await busy.reply()).startswith("421 4.3.2")
        assert await closing == 0

    run(body)


def test_a_drain_has_an_end() -> None:
    """A commit that takes longer than the drain is counted, and not cancelled."""

    async def body(world: World) -> None:
        started, release = asyncio.Event(), asyncio.Event()
        slow(world, started, release)
        client = await world.connect()
        await client.envelope()
        await client.send(MAIL + b".\r\n")
        await started.wait()
        assert world.server is not None
        assert await world.server.close(0.05) == 1
        release.set()
        await until(world, 1)

    run(body)


def test_no_verdict_in_time_is_try_later() -> None:
    """451 for a handler that hangs; what it does goes on."""

    async def body(world: World) -> None:
        started, release = asyncio.Event(), asyncio.Event()
        slow(world, started, release)
        client = await world.connect()
        await client.envelope()
        await client.send(MAIL + b".\r\n")
        assert (await client.reply()).startswith("451 4.3.0")
        release.set()
        await until(world, 1)

    run(body, limits=Limits(decide_seconds=0.05))


def test_an_idle_client_is_cut() -> None:
    """A client that says nothing is told, and aborted."""

    async def body(world: World) -> None:
        client = await world.connect()
        await client.reply()
        assert (await client.reply()).startswith("421 4.4.2")
        assert await client.closed()

    run(body, limits=QUICK)


def test_a_client_that_trickles_a_command_is_cut() -> None:
    """Bytes without a command do not count as life."""

    async def body(world: World) -> None:
        client = await world.connect()
        await client.reply()
        while "cut" not in world.log.texts():
            client.writer.write(b"N")
            await asyncio.sleep(0.02)
        assert (await client.reply())[:3] in ("421", "")

    run(body, limits=QUICK)


def test_patience_is_short_when_the_house_is_full() -> None:
    """At 70 % of the connections idle clients are waited for ten seconds instead of 300."""
    limits = Limits(connections=3, connections_per_address=3, busy_command_seconds=0.1)

    async def body(world: World) -> None:
        clients = [await world.connect() for _ in range(3)]
        for client in clients:
            await client.reply()
        assert (await clients[0].reply()).startswith("421 4.4.2")

    run(body, limits=limits)


@pytest.mark.parametrize(
    "limits",
    [
        Limits(data_grace_seconds=0.05, data_bytes_per_second=100_000),
        Limits(data_seconds=0.1),
        Limits(session_seconds=0.1),
    ],
    ids=["smtp-slow-data-line-per-290s", "data-too-long", "session-too-long"],
)
def test_slow_content_is_cut(limits: Limits) -> None:
    """Below the least rate, beyond the time for DATA, beyond the time for a session."""

    async def body(world: World) -> None:
        client = await world.connect()
        await client.envelope()
        while "cut" not in world.log.texts():
            client.writer.write(b"line\r\n")
            await asyncio.sleep(0.01)
        assert (await client.reply())[:3] in ("421", "")  # unread input may reset the connection

    world = run(body, limits=limits)
    assert world.mails == []


def test_content_at_a_good_rate_is_not_cut() -> None:
    """The rate is judged over the whole content, after a time of grace."""

    async def body(world: World) -> None:
        client = await world.connect()
        await client.envelope()
        for _ in range(20):
            await client.send(b"x" * 998 + b"\r\n")
            await asyncio.sleep(0.01)
        await client.send(b".\r\n")
        assert (await client.reply()).startswith("250")

    run(body, limits=Limits(data_grace_seconds=0.05, data_bytes_per_second=1000))


def test_a_client_that_never_reads_holds_nobody_up() -> None:
    """smtp-never-read: it is aborted, however much it is owed."""

    async def body(world: World) -> None:
        host, _, port = world.address.rpartition(":")
        loop = asyncio.get_running_loop()
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            sock.setblocking(False)
            await loop.sock_connect(sock, (host, int(port)))
            with pytest.raises(ConnectionError):
                await flood(sock)
        other = await world.connect()
        assert (await other.reply()).startswith("220")

    async def flood(sock: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await loop.sock_sendall(sock, b"EHLO x\r\n")
            await asyncio.sleep(0)

    run(body, limits=dataclasses.replace(QUICK, other_commands=1 << 30, session_seconds=0.3))


def test_connections_from_one_address_are_bounded() -> None:
    """The third is sent away; when one leaves, another may come."""

    async def body(world: World) -> None:
        first, second = await world.connect(), await world.connect()
        assert (await first.reply()).startswith("220")
        assert (await second.reply()).startswith("220")
        assert (await (await world.connect()).reply()).startswith("421 4.7.0")
        await first.say("QUIT")
        await first.leave()
        await asyncio.sleep(0.05)
        assert (await (await world.connect()).reply()).startswith("220")

    run(body, limits=Limits(connections_per_address=2))


def test_relays_are_exempt_from_counts_of_connections() -> None:
    """Our own servers may open as many as they need."""

    async def body(world: World) -> None:
        for _ in range(5):
            assert (await (await world.connect()).reply()).startswith("220")

    run(body, limits=Limits(connections=1, connections_per_address=1), relays=[relay("none")])


def test_errors_are_answered_slowly_from_the_third_on() -> None:
    """The delay is there, and is no longer than it says."""

    async def body(world: World) -> None:
        client = await world.connect()
        await client.reply()
        loop = asyncio.get_running_loop()
        began = loop.time()
        await client.say("BAD", "BAD")
        quick, began = loop.time() - began, loop.time()
        await client.say("BAD")
        assert loop.time() - began >= 0.1 > quick

    run(body, limits=Limits(error_delay_seconds=0.1))


def test_a_flood_in_one_packet_ends_the_session() -> None:
    """A hundred thousand commands cost no more than the budget."""

    async def body(world: World) -> None:
        client = await world.connect()
        await client.reply()
        client.writer.write(b"NOOP\r\n" * 100_000)
        said = []
        while reply := await client.reply():
            said.append(reply[:3])
        assert said == ["250"] * 50 + ["421"]

    run(body)


def test_lmtp_over_a_unix_socket(tmp_path: Path) -> None:
    """A local server's socket; the file is gone afterwards."""
    path = tmp_path / "lmtp.sock"

    async def body(world: World) -> None:
        client = await world.connect()
        await client.envelope("LHLO client.example")
        await client.send(MAIL + b".\r\n")
        assert (await client.reply()).startswith("250")
        assert path.stat().st_mode & 0o777 == 0o660

    world = run(body, address=f"unix:{path}", protocol="lmtp", relays=[relay("none")])
    assert world.mails[0][0].client_ip is None
    assert not path.exists()


def test_a_socket_left_over_from_a_crash_is_replaced(tmp_path: Path) -> None:
    """A file at which nobody listens does not keep the door shut."""
    path = tmp_path / "lmtp.sock"
    with socket.socket(socket.AF_UNIX) as left_over:
        left_over.bind(str(path))

    async def body(world: World) -> None:
        assert (await (await world.connect()).reply()).startswith("220")

    run(body, address=f"unix:{path}", protocol="lmtp")


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000", "nowhere.invalid:0", "unix:/no/such/x"],
)
def test_an_impossible_address_gives_one_clear_error(address: str) -> None:
    """What cannot be listened on is named."""

    async def body(world: World) -> None:
        raise AssertionError("the door opened")

    with pytest.raises(BadInput, match="listen"):
        run(body, address=address)


def test_a_taken_port_gives_one_clear_error() -> None:
    """A second door on one port is refused, unless both share it."""

    async def body(world: World) -> None:
        with pytest.raises(BadInput, match="address already in use"):
            await second(world, reuse_port=False)

    run(body)


async def second(world: World, reuse_port: bool) -> listener.Server:
    return await listener.start(
        listener.ListenerSettings(world.address, reuse_port=reuse_port),
        Limits(),
        [],
        is_ours,
        world.handle,
        KeptLog(),
        HOST,
    )


def test_two_processes_may_share_a_port() -> None:
    """SO_REUSEPORT on both."""

    async def body(world: World) -> None:
        other = await second(world, reuse_port=True)
        assert other.address == world.address
        await other.close(0.1)

    run(body, reuse_port=True)


def test_replies_leave_at_once() -> None:
    """TCP_NODELAY is set on what is accepted."""
    seen = []

    async def body(world: World) -> None:
        assert world.server is not None
        client = await world.connect()
        await client.reply()
        session: Any = next(iter(world.server._door.sessions))
        sock = session.transport.get_extra_info("socket")
        seen.append(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    run(body)
    assert seen == [1]


def test_an_ipv6_door() -> None:
    """Square brackets in and out, and the client's address without them."""
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")

    async def body(world: World) -> None:
        assert world.address.startswith("[::1]:")
        client = await world.connect()
        await client.envelope()
        await client.send(MAIL + b".\r\n")
        await client.reply()

    try:
        world = run(body, address="[::1]:0")
    except BadInput:
        pytest.skip("no IPv6 here")
    assert world.mails[0][0].client_ip == "::1"


def test_the_same_under_uvloop() -> None:
    """The loop that the service runs on: mail, pipelining, a large body, a hang-up, a cut."""

    async def main() -> None:
        from receive_support import world as open_door

        big = b"Subject: big\r\n\r\n" + b"x" * 5_000_000 + b"\r\n"
        async with asyncio.timeout(15), open_door(limits=QUICK) as world:
            client = await world.connect()
            await client.envelope()
            await client.send(big + b".\r\nQUIT\r\n")
            assert (await client.reply()).startswith("250")
            assert (await client.reply()).startswith("221")
            assert await client.closed()
            assert world.mails[0][1] == big
            idle = await world.connect()
            await idle.reply()
            await idle.closed()
            assert "cut" in world.log.texts()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


def test_nothing_of_a_command_is_logged() -> None:
    """aiosmtpd's own log, a line for each command, is off; ours has no addresses in it."""

    async def body(world: World) -> None:
        client = await world.connect()
        await client.reply()
        await client.say("EHLO x", "MAIL FROM:<secret@b.example>", "GARBAGE secret", "QUIT")
        await client.closed()

    world = run(body)
    assert world.log.texts() == ["session with errors"]
    assert "secret" not in str(world.log.events)


def test_the_sizes_of_many_mails_on_one_connection() -> None:
    """Mails of every size around the chunk and flow limits arrive whole."""
    sizes = [0, 1, 2, 4095, 65536, 262143, 262144, 262145, 600_000]

    async def body(world: World) -> None:
        client = await world.connect()
        await client.reply()
        await client.say("EHLO client.example")
        for size in sizes:
            said = await client.say("MAIL FROM:<>", "RCPT TO:<support@host.example>", "DATA")
            assert said.startswith("354")
            await client.send(b"x" * size + b"\r\n.\r\n")
            assert (await client.reply()).startswith("250")

    world = run(body)
    assert [len(raw) - 2 for _, raw in world.mails] == sizes
