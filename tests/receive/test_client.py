"""Who the client is: relays, PROXY headers, XFORWARD, Received fields; on any doubt, nobody."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.model import Listener
from gateway.errors import BadInput
from gateway.receive import client, commands, proxy, received, xforward
from gateway.receive.client import Arrival, Client, TrustedRelay
from gateway.receive.received import Hop


@pytest.mark.parametrize(
    "relays, complaint",
    [
        ([(["192.0.2.0/24"], "xforward"), (["192.0.2.7"], "none")], "overlap"),
        ([(["192.0.2.7", "192.0.2.7"], "proxy"), (["192.0.2.7/32"], "proxy")], "overlap"),
        ([(["0.0.0.0/0"], "received")], "too wide"),
        ([(["::/0"], "none")], "too wide"),
        ([([], "none")], "no network"),
    ],
)
def test_relays_that_can_be_read_in_two_ways_are_refused(
    relays: list[tuple[list[str], str]], complaint: str
) -> None:
    """A start with an ambiguous set-up says what is wrong."""
    with pytest.raises(BadInput, match=complaint):
        client.check([TrustedRelay.parse(networks, method) for networks, method in relays])


@pytest.mark.parametrize(
    "networks, method", [(["192.0.2.1/24"], "none"), (["x"], "none"), ([], "?")]
)
def test_a_malformed_relay_is_refused(networks: list[str], method: str) -> None:
    """Host bits in a network, no network at all, a method that there is not."""
    with pytest.raises(BadInput):
        TrustedRelay.parse(networks, method)


def test_relays_side_by_side_are_fine() -> None:
    """Two relays of both families with nothing in common."""
    relays = [
        TrustedRelay.parse(["192.0.2.0/28", "2001:db8::/48"], "xforward"),
        TrustedRelay.parse(["192.0.2.16/28"], "received"),
    ]
    client.check(relays)
    assert client.find(relays, "192.0.2.17") is relays[1]
    assert client.find(relays, "2001:db8::9") is relays[0]
    assert client.find(relays, "198.51.100.1") is None
    assert client.find(relays, "nonsense") is None


@pytest.mark.parametrize(
    "peername, address",
    [
        (("192.0.2.1", 25), "192.0.2.1"),
        (("::ffff:192.0.2.1", 25, 0, 0), "192.0.2.1"),
        (("fe80::1%eth0", 25, 0, 2), "fe80::1"),
        ("", "127.0.0.1"),
        (None, "127.0.0.1"),
    ],
)
def test_the_peer_of_a_transport(peername: object, address: str) -> None:
    """Mapped addresses are IPv4, scopes fall away, Unix sockets are this machine."""
    assert client.peer_address(peername) == address


@pytest.mark.parametrize(
    "value, hop",
    [
        # Postfix
        (
            "from mail.a.example (mail.a.example [192.0.2.1])\r\n\tby mx (Postfix)",
            ("192.0.2.1", "mail.a.example"),
        ),
        ("from [10.0.0.1] (unknown [192.0.2.1]) by mx", ("192.0.2.1", "[10.0.0.1]")),
        ("from a (a [IPv6:2001:db8::1]) (using TLSv1.3) by mx", ("2001:db8::1", "a")),
        # Sendmail
        ("from a (b.example [192.0.2.1] (may be forged)) by mx (8.18)", ("192.0.2.1", "a")),
        # Exim
        ("from b.example ([192.0.2.1] helo=a) by mx with esmtp (Exim)", ("192.0.2.1", "a")),
        ("from [192.0.2.1] (helo=a) by mx with esmtp (Exim 4.97)", ("192.0.2.1", "a")),
        ("from b.example ([192.0.2.1]) by mx with esmtp (Exim 4.97)", ("192.0.2.1", "b.example")),
        # Exchange, Google
        (
            "from A.prod (2001:db8::5) by B.prod (::1) with Microsoft SMTP",
            ("2001:db8::5", "A.prod"),
        ),
        (
            "from m.g.example (m.g.example. [192.0.2.1]) by mx.g.example",
            ("192.0.2.1", "m.g.example"),
        ),
    ],
)
def test_received_fields_of_known_servers(value: str, hop: tuple[str, str]) -> None:
    """The address is the one in the receiver's own comment."""
    assert received.hop(value.encode()) == Hop(*hop)


@pytest.mark.parametrize(
    "value",
    [
        "by mx (Postfix, from userid 0)",
        "from a (a [192.0.2.1] [192.0.2.2]) by mx",
        "from a (unknown) by mx",
        "from a [192.0.2.1] by mx",
        "from a(x [6.6.6.6]) (unknown [192.0.2.1]) by mx",
        "from a (x [6.6.6.6]) (unknown [192.0.2.1]) (unknown [192.0.2.3]) for mx",
        "from [192.0.2.1] by mx",
        "from a (a [999.0.2.1]) by mx",
        "from \u00e0 (a [192.0.2.1]) by mx",
        "",
    ],
)
def test_received_fields_in_doubt_name_nobody(value: str) -> None:
    """Two addresses, none, or text that a client may have written."""
    assert received.hop(value.encode()) is None


def test_the_walk_stops_at_the_first_stranger() -> None:
    """Fields below the first hop that is not ours are the stranger's own words."""
    raw = (
        b"Return-Path: <a@b.example>\r\n"
        b"Received: from in (in [10.0.0.1]) by edge\r\n"
        b"Received: from mx (mx [10.0.0.2]) by in\r\n"
        b"Received: from out.a.example (out [192.0.2.5]) by mx\r\n"
        b"Received: from x (x [10.0.0.3]) by out.a.example\r\n\r\n"
        b"Received: from y (y [198.51.100.1]) by body\r\n"
    )
    assert received.walk(raw, lambda address: address.startswith("10.")) == Hop(
        "192.0.2.5", "out.a.example"
    )
    assert received.walk(raw, lambda _: True) is None
    assert received.count(raw) == 4
    assert received.walk(b"Subject: x\r\n\r\n", lambda _: True) is None
    assert received.count(b"\r\nReceived: x\r\n") == 0


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["from ", "by ", "(", ")", "[192.0.2.1]", "a", " ", "helo=", "\r\n\t", "[", ";"]
        ),
        max_size=20,
    ).map("".join)
)
def test_reading_received_fields_never_raises(value: str) -> None:
    """And whatever is found is an address."""
    found = received.hop(value.encode())
    assert found is None or client.peer_address((found.address, 0)) == found.address


V2 = proxy.SIGNATURE


@pytest.mark.parametrize(
    "data, client_address",
    [
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 25\r\n", "192.0.2.1"),
        (b"PROXY TCP6 2001:db8::1 2001:db8::2 1 25\r\n", "2001:db8::1"),
        (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", None),
        (b"PROXY UNKNOWN\r\n", None),
        (V2 + b"\x21\x11\x00\x0c" + bytes([192, 0, 2, 1, 1, 1, 1, 1, 0, 1, 0, 25]), "192.0.2.1"),
        (V2 + b"\x21\x21\x00\x24" + bytes(15) + b"\1" + bytes(20), "::1"),
        (V2 + b"\x20\x00\x00\x00", None),  # LOCAL: a health check
        (V2 + b"\x21\x31\x00\x04abcd", None),  # Unix sockets
    ],
)
def test_proxy_headers(data: bytes, client_address: str | None) -> None:
    """Complete at their end, incomplete before it, whatever follows."""
    assert proxy.parse(data + b"EHLO") == proxy.Proxied(client_address, len(data))
    assert all(proxy.parse(data[:length]) is None for length in range(len(data)))


@pytest.mark.parametrize(
    "data",
    [
        b"EHLO",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n",
        b"PROXY TCP4 192.0.2.1  192.0.2.2 1 25\r\n",
        b"PROXY TCP4 2001:db8::1 2001:db8::2 1 25\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 99999\r\n",
        b"PROXY TCP4 192.0.2.x 192.0.2.2 1 25\r\n",
        b"PROXY TCP9 192.0.2.1 192.0.2.2 1 25\r\n",
        b"PROXY \r\n",
        b"PROXY " + b"x" * 200,
        V2 + b"\x11\x11\x00\x0c",
        V2 + b"\x22\x11\x00\x0c",
        V2 + b"\x21\x11\xff\xff",
        V2 + b"\x21\x11\x00\x04abcd",
    ],
)
def test_broken_proxy_headers(data: bytes) -> None:
    """Nothing can be made of the connection."""
    with pytest.raises(proxy.BadProxy):
        proxy.parse(data)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=64), st.sampled_from([b"", b"PROXY ", b"PROXY TCP4 ", V2, V2 + b"\x21"]))
def test_proxy_headers_never_raise_anything_else(data: bytes, start: bytes) -> None:
    """Any bytes: a header, too little, or `BadProxy`."""
    try:
        found = proxy.parse(start + data)
    except proxy.BadProxy:
        return
    assert found is None or found.length <= len(start + data)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="NAMEADRHLOSUCE= +-2D[]:.1\u00e8\0", max_size=40))
def test_xforward_never_raises(argument: str) -> None:
    """Attributes or a refusal, and never an address that is none."""
    said = xforward.Forwarded().with_words(argument)
    if said is not None and said.address is not None:
        assert client.peer_address((said.address, 0)) == said.address


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet='<>@ab."\\ =SIZE1:,\u00fc\ud800\0\r', max_size=40), st.booleans())
def test_arguments_of_mail_never_raise(text: str, smtputf8: bool) -> None:
    """An address, the null path, or nothing."""
    path = commands.argument("FROM:" + text, "FROM:")
    if path is not None and path.text:
        address = commands.mailbox(path.text, smtputf8)
        assert address is None or (address.local and address.domain)


def test_each_method_answers_for_itself() -> None:
    """The peer for strangers; for a relay only what its own method says; else nobody."""
    nobody = Client(None, None)

    def seen(method: str | None, role: Listener = Listener.EDGE, **said: Any) -> Client:
        relay = TrustedRelay.parse(["10.0.0.0/8"], method) if method else None
        arrival = Arrival(role, "10.0.0.1", relay, "helo", **said)
        return arrival.client(
            b"Received: from a (a [192.0.2.9]) by r\r\n\r\n", [relay] if relay else []
        )

    forwarded = xforward.Forwarded("192.0.2.7", "theirs")
    assert seen(None) == Client("10.0.0.1", "helo")
    assert seen(None, Listener.RELAY) == nobody
    assert seen("none", proxied="192.0.2.8", forwarded=forwarded) == nobody
    assert seen("proxy", proxied="192.0.2.8") == Client("192.0.2.8", "helo")
    assert seen("proxy", forwarded=forwarded) == nobody
    assert seen("xforward", forwarded=forwarded) == Client("192.0.2.7", "theirs")
    assert seen("xforward", proxied="192.0.2.8") == nobody
    assert seen("received") == Client("192.0.2.9", "a")
