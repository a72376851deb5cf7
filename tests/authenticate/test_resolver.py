"""The resolver: names, zones, the budget of a mail, and the network by our own name server."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from authenticate_support import run
from hypothesis import given
from hypothesis import strategies as st

from gateway.authenticate.resolver import (
    Answer,
    DnsResolver,
    Lookup,
    Status,
    ZoneResolver,
    checked,
    read_zone,
)
from gateway.errors import BadInput

OK = Answer(Status.OK, (b"text",), 300)


# ---- names ----


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "a..b",
        "a\0.b",
        "a b.c",
        "é.example",
        "a" * 64 + ".b",
        "a." * 130,
        "x\n",
        "a/b",
        "a\\.b",
    ],
)
def test_what_is_no_plain_name_is_refused(name: str) -> None:
    """NUL, spaces, letters beyond ASCII, escapes and names that are too long are never asked."""
    assert checked(name) is None


@given(st.text(max_size=300))
def test_a_checked_name_is_made_of_plain_labels(name: str) -> None:
    """Whatever comes in, what goes out is lower-case LDH with underscores, and short enough."""
    plain = checked(name)
    if plain is not None:
        assert len(plain) <= 253
        assert all(0 < len(label) <= 63 for label in plain.split("."))
        assert set(plain) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_.")


# ---- zones ----


def ask(zone: object, name: str, rtype: str) -> Answer:
    """One question to a zone."""
    return run(read_zone(json.dumps(zone)).query(name, rtype))


def test_a_zone_tells_every_type_as_it_is_written() -> None:
    """TXT is bytes as latin-1, MX a pair, names come without their final dot."""
    zone = {"a.example": {"TXT": ["\xe9"], "MX": [[5, "M.example."]], "A": ["192.0.2.1"]}}
    assert ask(zone, "A.example.", "TXT").records == (b"\xe9",)
    assert ask(zone, "a.example", "MX").records == ((5, "m.example"),)
    assert ask(zone, "a.example", "A").records == ("192.0.2.1",)


def test_an_absent_name_a_missing_type_and_a_failure_are_three_things() -> None:
    """NXDOMAIN, no data, and the name's own status for types that it does not list."""
    zone = {
        "a.example": {"A": ["192.0.2.1"]},
        "b.example": {"A": ["192.0.2.1"], "status": "servfail"},
    }
    assert ask(zone, "c.example", "A").status is Status.NXDOMAIN
    assert ask(zone, "a.example", "TXT").status is Status.NODATA
    assert ask(zone, "b.example", "TXT").status is Status.SERVFAIL
    assert ask(zone, "b.example", "A").status is Status.OK


def test_aliases_are_followed_and_a_ring_of_them_fails() -> None:
    """CNAME leads to the target's answer; a loop is a failure, a dangling one does not exist."""
    zone = {
        "a.example": {"CNAME": ["b.example"]},
        "b.example": {"TXT": ["text"]},
        "x.example": {"CNAME": ["y.example"]},
        "y.example": {"CNAME": ["x.example"]},
        "z.example": {"CNAME": ["nowhere.example"]},
    }
    assert ask(zone, "a.example", "TXT").records == (b"text",)
    assert ask(zone, "a.example", "CNAME").records == ("b.example",)
    assert ask(zone, "x.example", "TXT").status is Status.SERVFAIL
    assert ask(zone, "z.example", "TXT").status is Status.NXDOMAIN


@pytest.mark.parametrize(
    "zone, complaint",
    [
        ("[]", "an object of names"),
        ("{", "not JSON"),
        ('{"a": 1}', "an object of record types"),
        ('{"a": {"status": "nxdomain"}}', "servfail"),
        ('{"a": {"MX": ["b"]}}', "MX of `a`"),
        ('{"a": {"TXT": ["\\u20ac"]}}', "latin-1"),
    ],
)
def test_a_zone_that_cannot_be_read_says_why(zone: str, complaint: str) -> None:
    """Each mistake is named with the place where it stands."""
    with pytest.raises(BadInput, match=complaint):
        read_zone(zone)


# ---- the budget of a mail ----


class Slow:
    """Answers after a while, and counts."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.asked: list[str] = []

    async def query(self, name: str, rtype: str) -> Answer:
        self.asked.append(name)
        await asyncio.sleep(self.seconds)
        return OK


def test_a_mail_asks_each_question_once_and_no_more_than_its_cap() -> None:
    """The same question costs nothing; beyond the cap the answer is a failure, not `nothing`."""

    async def story() -> list[Answer]:
        slow = Slow()
        lookup = Lookup(slow, cap=2)
        found = [await lookup.query(name, "TXT") for name in ("a", "a", "b", "c", "a")]
        assert slow.asked == ["a", "b"]
        return found

    assert [answer.status for answer in run(story())] == ["ok", "ok", "ok", "servfail", "ok"]


def test_beyond_the_deadline_every_answer_is_a_time_out() -> None:
    """A resolver that never comes back ends the wait, and later questions do not wait at all."""

    async def story() -> None:
        slow = Slow(60)
        lookup = Lookup(slow, deadline=0.01)
        assert (await lookup.query("a", "TXT")).status is Status.TIMEOUT
        assert (await lookup.query("b", "TXT")).status is Status.TIMEOUT
        assert slow.asked == ["a"]

    run(story())


def test_a_nearer_deadline_binds_its_own_questions_alone() -> None:
    """What ran out of a part's time may still be asked by the rest of the mail."""

    async def story() -> None:
        slow = Slow(0.05)
        lookup = Lookup(slow)
        assert (await lookup.within(0.001).query("a", "TXT")).status is Status.TIMEOUT
        assert (await lookup.query("a", "TXT")) == OK

    run(story())


# ---- the network ----

Reply = Callable[[dns.message.Message], dns.message.Message | None]


class NameServer(asyncio.DatagramProtocol):
    """A name server on loopback that answers by a function, over UDP and TCP."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.udp = 0
        self.tcp = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.udp += 1
        answer = self.reply(dns.message.from_wire(data))
        if answer is None:
            return
        wire = answer.to_wire(max_size=65535)
        if len(wire) > 1232:
            cut = dns.message.make_response(dns.message.from_wire(data))
            cut.flags |= dns.flags.TC
            wire = cut.to_wire()
        self.transport.sendto(wire, addr)

    async def stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.tcp += 1
        length = int.from_bytes(await reader.readexactly(2), "big")
        answer = self.reply(dns.message.from_wire(await reader.readexactly(length)))
        assert answer is not None
        wire = answer.to_wire(max_size=65535)
        writer.write(len(wire).to_bytes(2, "big") + wire)
        await writer.drain()
        writer.close()


@asynccontextmanager
async def serving(reply: Reply) -> AsyncIterator[tuple[NameServer, str]]:
    """The server and its address."""
    server = NameServer(reply)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: server, ("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    tcp = await asyncio.start_server(server.stream, "127.0.0.1", port)
    try:
        yield server, f"127.0.0.1:{port}"
    finally:
        transport.close()
        tcp.close()
        await tcp.wait_closed()


def text_of(*texts: str, ttl: int = 60) -> Reply:
    """A server that has these TXT records under every name."""

    def reply(query: dns.message.Message) -> dns.message.Message:
        found = dns.message.make_response(query)
        for text in texts:
            strings = " ".join(f'"{text[at : at + 200]}"' for at in range(0, len(text), 200))
            rrset = dns.rrset.from_text(query.question[0].name, ttl, "IN", "TXT", strings)
            found.answer.append(rrset)
        return found

    return reply


def failing(rcode: dns.rcode.Rcode) -> Reply:
    """A server that says only this."""

    def reply(query: dns.message.Message) -> dns.message.Message:
        found = dns.message.make_response(query)
        found.set_rcode(rcode)
        return found

    return reply


def test_an_answer_is_asked_for_once_until_its_time_is_over() -> None:
    """The cache answers while the TTL lasts, by our own clock."""

    async def story() -> None:
        now = [1000.0]
        async with serving(text_of("hello", ttl=60)) as (server, address):
            resolver = DnsResolver([address], timeout=1, lifetime=2, clock=lambda: now[0])
            first = await resolver.query("a.example", "TXT")
            assert first.records == (b"hello",)
            assert await resolver.query("A.example.", "TXT") == first
            assert server.udp == 1
            now[0] += 61
            await resolver.query("a.example", "TXT")
            assert server.udp == 2

    run(story())


def test_the_same_question_is_in_flight_once() -> None:
    """Many mails that ask the same thing share one question, and one that gives up harms none."""

    async def story() -> None:
        async with serving(text_of("hello")) as (server, address):
            resolver = DnsResolver([address], timeout=1, lifetime=2)
            tasks = [asyncio.ensure_future(resolver.query("a.example", "TXT")) for _ in range(20)]
            await asyncio.sleep(0)
            tasks[0].cancel()
            found = await asyncio.gather(*tasks[1:])
            assert {answer.records for answer in found} == {(b"hello",)}
            assert server.udp == 1

    run(story())


def test_a_long_answer_comes_over_tcp() -> None:
    """A truncated answer is asked for again over TCP, and its strings are joined."""

    async def story() -> None:
        async with serving(text_of("x" * 3000)) as (server, address):
            answer = await DnsResolver([address], timeout=1, lifetime=2).query("a.example", "TXT")
            assert answer.records == (b"x" * 3000,)
            assert (server.udp, server.tcp) == (1, 1)

    run(story())


def test_failures_are_kept_apart_and_not_for_long() -> None:
    """NXDOMAIN, SERVFAIL and silence are three answers; a failure lives at most 30 seconds."""

    async def story() -> None:
        for rcode, status in (
            (dns.rcode.NXDOMAIN, Status.NXDOMAIN),
            (dns.rcode.SERVFAIL, Status.SERVFAIL),
            (dns.rcode.REFUSED, Status.SERVFAIL),
        ):
            async with serving(failing(rcode)) as (_, address):
                resolver = DnsResolver([address], timeout=0.2, lifetime=0.4)
                answer = await resolver.query("a.example", "TXT")
                assert answer.status is status
                assert answer.ttl <= 30
        async with serving(lambda _: None) as (_, address):
            resolver = DnsResolver([address], timeout=0.1, lifetime=0.2)
            assert (await resolver.query("a.example", "TXT")).status is Status.TIMEOUT

    run(story())


def test_a_name_that_is_not_plain_never_leaves() -> None:
    """A NUL that would cut the name on its way is answered here (attack D01)."""

    async def story() -> None:
        async with serving(text_of("v=DKIM1; p=x")) as (server, address):
            resolver = DnsResolver([address], timeout=1, lifetime=2)
            name = "sel._domainkey.evil.example\0._domainkey.victim.example"
            assert (await resolver.query(name, "TXT")).status is Status.NXDOMAIN
            assert server.udp == 0

    run(story())


def test_the_cache_is_bounded() -> None:
    """Answers beyond the bound push out the oldest, whatever their number."""

    async def story() -> None:
        async with serving(text_of("y" * 900)) as (server, address):
            resolver = DnsResolver([address], timeout=1, lifetime=2, cache_bytes=5000)
            for n in range(20):
                await resolver.query(f"n{n}.example", "TXT")
            assert resolver.peek("n0.example", "TXT") is None
            assert resolver.peek("n19.example", "TXT") is not None
            assert server.udp == 20

    run(story())


def test_a_zone_knows_at_once() -> None:
    """A zone needs no waiting, so that a mail with everything at hand needs no tasks."""
    lookup = Lookup(ZoneResolver({"a.example": {"TXT": ["x"]}}))
    assert lookup.knows("a.example", "b.example")
    assert not Lookup(Slow()).knows("a.example")


RECORDS = {
    "A": ("192.0.2.1", "192.0.2.1"),
    "AAAA": ("2001:DB8::1", "2001:db8::1"),
    "MX": ("10 Mail.A.example.", (10, "mail.a.example")),
    "PTR": ("Host.A.example.", "host.a.example"),
    "CNAME": ("Other.A.example.", "other.a.example"),
    "TXT": ('"one " "two"', b"one two"),
}


@pytest.mark.parametrize("rtype", RECORDS)
def test_every_type_comes_in_its_own_form(rtype: str) -> None:
    """Names in lower case without their final dot, as from a zone."""
    text, wanted = RECORDS[rtype]

    def reply(query: dns.message.Message) -> dns.message.Message:
        found = dns.message.make_response(query)
        found.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", rtype, text))
        return found

    async def story() -> None:
        async with serving(reply) as (_, address):
            resolver = DnsResolver([address], timeout=1, lifetime=2)
            answer = await resolver.query("a.example", rtype)
            assert (answer.status, answer.records) == (Status.OK, (wanted,))
            assert 0 < answer.ttl <= 60

    run(story())


def test_a_null_mx_has_an_empty_host() -> None:
    """RFC 7505: the root is no host."""

    def reply(query: dns.message.Message) -> dns.message.Message:
        found = dns.message.make_response(query)
        found.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "MX", "0 ."))
        return found

    async def story() -> None:
        async with serving(reply) as (_, address):
            answer = await DnsResolver([address], timeout=1, lifetime=2).query("a.example", "MX")
            assert answer.exchanges() == ((0, ""),)

    run(story())


@pytest.mark.parametrize("rcode, status", [(0, Status.NODATA), (3, Status.NXDOMAIN)])
def test_nothing_is_remembered_as_long_as_the_zone_says(rcode: int, status: Status) -> None:
    """RFC 2308 5: the SOA's own time, at most a quarter of an hour."""

    def reply(query: dns.message.Message) -> dns.message.Message:
        found = dns.message.make_response(query)
        found.set_rcode(dns.rcode.Rcode(rcode))
        soa = "ns.example. x.example. 1 2 3 4 77"
        found.authority.append(dns.rrset.from_text("example.", 3600, "IN", "SOA", soa))
        return found

    async def story() -> None:
        async with serving(reply) as (server, address):
            resolver = DnsResolver([address], timeout=1, lifetime=2)
            answer = await resolver.query("a.example", "TXT")
            assert answer.status is status
            assert 70 <= answer.ttl <= 77
            await resolver.query("a.example", "TXT")
            assert server.udp == 1

    run(story())


def test_servers_are_written_with_or_without_a_port() -> None:
    """Both families; what is no address is refused at the start."""
    DnsResolver(["192.0.2.1", "192.0.2.1:5353", "2001:db8::1", "[2001:db8::1]:5353"])
    with pytest.raises(ValueError):
        DnsResolver(["name.server.example"])
