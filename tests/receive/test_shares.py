"""What many clients may hold together: memory, connections in handshake, clients behind a
balancer."""

import asyncio
import socket
import ssl
import struct
from collections.abc import Callable

import pytest
import trustme
from receive_support import MAIL, Client, World, relay, run

from gateway.core.model import Envelope
from gateway.receive import replies
from gateway.receive.limits import KIB, MIB, Limits, Memory
from gateway.receive.replies import Verdict

LARGE = MAIL + (b"x" * 78 + b"\r\n") * 8_000  # 640 kB


def tight(**changes: int) -> Limits:
    return Limits(message_bytes=MIB, error_delay_seconds=0.0, **changes)


async def until(true: Callable[[], bool]) -> None:
    """Time for the other side."""
    for _ in range(1_000):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come")


async def begun(world: World) -> Client:
    client = await world.connect()
    await client.envelope()
    return client


def test_a_mail_that_finds_no_room_leaves_its_own_to_the_others() -> None:
    """Four large mails in step, room for two of them: some are taken, not none."""
    said: list[str] = []

    async def body(world: World) -> None:
        clients = [await begun(world) for _ in range(4)]
        step = len(LARGE) // 10
        for at in range(0, len(LARGE), step):
            for client in clients:
                await client.send(LARGE[at : at + step])
            await asyncio.sleep(0.01)
        for client in clients:
            await client.send(b".\r\n")
        said.extend([(await client.reply())[:3] for client in clients])

    run(body, limits=tight(memory_bytes=1_500 * KIB, memory_bytes_per_address=2 * MIB))
    assert said.count("250") >= 2
    assert set(said) == {"250", "452"}


def test_an_announced_size_is_held_from_the_beginning() -> None:
    """SIZE= of a large mail reserves its room; who comes then is put off before it sends."""

    async def body(world: World) -> None:
        first, second = await world.connect(), await world.connect()
        for client in (first, second):
            await client.reply()
            await client.say("EHLO client.example")
        begin = f"MAIL FROM:<a@b.example> SIZE={len(LARGE)}"
        assert (await first.say(begin, "RCPT TO:<support@host.example>", "DATA"))[:3] == "354"
        assert (await second.say(begin))[:9] == "452 4.3.1"
        await first.send(LARGE + b".\r\n")
        assert (await first.reply())[:3] == "250"
        assert (await second.say(begin))[:3] == "250"

    run(body, limits=tight(memory_bytes=MIB, memory_bytes_per_address=MIB))


def test_no_address_holds_more_than_its_part() -> None:
    """Others have room, whatever one address holds; servers of ours are not one client."""
    memory = Memory(100, 60)
    one, more, ours = memory.share("192.0.2.1"), memory.share("192.0.2.1"), memory.share(None)
    assert one.grow(50)
    assert not more.grow(20)
    assert memory.share("192.0.2.2").grow(30)
    assert ours.grow(20)
    assert not ours.grow(21)
    one.release()
    one.release()
    assert more.grow(50)
    assert not memory.room(None, 1)
    prefix = Memory(100, 60)
    assert prefix.share("2001:db8::1").grow(40)
    assert not prefix.share("2001:db8::2").grow(40)


@pytest.mark.parametrize("held", ["memory", "connections"])
def test_hanging_up_behind_the_dot_frees_nothing_before_the_commit(held: str) -> None:
    """The share of the memory, and the place among the connections, are the commit's."""
    go = asyncio.Event()

    async def decide(envelope: Envelope, raw: bytes) -> Verdict:
        await go.wait()
        return Verdict(replies.ACCEPTED)

    async def body(world: World) -> None:
        assert world.server is not None
        door = world.server._door
        world.decide = decide
        first = await begun(world)
        await first.send(LARGE + b".\r\n")
        await until(lambda: bool(door.commits))
        sock = first.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        first.abort()  # a reset
        await until(lambda: not door.sessions)
        if held == "memory":
            assert not door.memory.room("192.0.2.1", MIB)
        else:
            assert (await (await world.connect()).reply())[:3] == "421"
        go.set()
        await until(lambda: not door.commits)
        await asyncio.sleep(0)
        assert door.memory.room("192.0.2.1", MIB)
        assert (await (await world.connect()).reply())[:3] == "220"

    run(body, limits=tight(memory_bytes=MIB, connections=1 if held == "connections" else 5))


def test_connections_in_a_tls_handshake_are_counted() -> None:
    """Where TLS comes first, whoever never shakes hands takes his own places alone."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("mx.host.example").configure_cert(context)
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(ours)

    async def body(world: World) -> None:
        silent = [await world.connect() for _ in range(5)]
        assert await silent[3].closed()
        assert await silent[4].closed()
        assert world.log.texts().count("too many connections") == 2
        silent[0].abort()
        await until(lambda: world.server is not None and world.server.sessions <= 2)
        good = await world.connect()
        await good.writer.start_tls(ours, server_hostname="mx.host.example")
        await good.envelope()
        await good.send(MAIL + b".\r\n")
        assert (await good.reply())[:3] == "250"
        assert world.mails[0][0].tls

    run(body, limits=tight(connections_per_address=3), tls=context, implicit_tls=True)


async def behind(world: World, address: str) -> Client:
    client = await world.connect()
    await client.send(f"PROXY TCP4 {address} 198.51.100.1 4711 25\r\n".encode())
    return client


def test_clients_behind_a_balancer_are_counted_by_their_own_address() -> None:
    """The exemption of relays is for mail servers: a balancer's clients are the Internet."""

    async def body(world: World) -> None:
        said = [await (await behind(world, "203.0.113.7")).reply() for _ in range(3)]
        assert [each[:3] for each in said] == ["220", "220", "421"]
        other = await behind(world, "203.0.113.8")
        assert (await other.reply())[:3] == "220"
        await other.leave()

    run(body, limits=tight(connections_per_address=2), relays=[relay("proxy")])


def test_clients_behind_a_balancer_have_the_bounds_of_strangers() -> None:
    """Mails of a connection, and the pause before the banner."""

    async def few(world: World) -> None:
        client = await behind(world, "203.0.113.7")
        await client.envelope()
        await client.send(MAIL + b".\r\n")
        assert (await client.reply())[:3] == "250"
        assert (await client.say("MAIL FROM:<a@b.example>"))[:3] == "421"

    run(few, limits=tight(mails=1), relays=[relay("proxy")])

    async def early(world: World) -> None:
        client = await world.connect()
        await client.send(b"PROXY TCP4 203.0.113.7 198.51.100.1 4711 25\r\nEHLO x\r\n")
        assert (await client.reply())[:9] == "554 5.5.0"

    patient = Limits(greet_pause_seconds=0.05, error_delay_seconds=0.0)
    run(early, limits=patient, relays=[relay("proxy")])


def test_mail_servers_of_ours_are_not_counted() -> None:
    """Many stand behind one address."""

    async def body(world: World) -> None:
        said = [await (await world.connect()).reply() for _ in range(4)]
        assert {each[:3] for each in said} == {"220"}

    run(body, limits=tight(connections_per_address=2), relays=[relay("xforward")])
