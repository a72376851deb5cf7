"""The smarthost: what goes over the wire, and what each kind of trouble means for a row."""

import asyncio
import base64
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trustme
from fakes_smarthost import Sink

from gateway.deliver.smarthost import Bounced, Smarthost, SmarthostSettings, Uncertain
from gateway.errors import BadInput, Permanent, Temporary

RAW = b"Subject: hello\r\nMessage-ID: <1@host.example>\r\n\r\n.dot\r\nlast\r\n"
Body = Callable[[Sink, Smarthost], Awaitable[None]]


def settings(sink: Sink, **changes: Any) -> SmarthostSettings:
    fields: dict[str, Any] = {
        "host": sink.host,
        "port": sink.port,
        "starttls": "never",
        "connect_seconds": 0.5,
        "command_seconds": 0.5,
        "data_seconds": 0.5,
    }
    return SmarthostSettings(**{**fields, **changes})


def with_sink(body: Body, **changes: Any) -> Sink:
    async def run() -> Sink:
        async with Sink() as sink:
            smarthost = Smarthost(settings(sink, **changes))
            await body(sink, smarthost)
            await smarthost.close()
            return sink

    return asyncio.run(run())


def failing(expected: type[Exception], **faults: object) -> str:
    """The text of the error that these faults lead to."""
    caught: list[str] = []

    async def body(sink: Sink, smarthost: Smarthost) -> None:
        for name, value in faults.items():
            setattr(sink.faults, name, value)
        with pytest.raises(expected) as info:
            await smarthost.send("v@host.example", "a@customer.example", RAW)
        assert type(info.value) is expected or expected is Temporary
        assert not isinstance(info.value, Uncertain) or expected is Uncertain
        caught.append(str(info.value))

    with_sink(body)
    return caught[0]


def test_a_mail_arrives_as_it_was_written() -> None:
    """Envelope and bytes reach the other side unchanged, dots included."""

    async def body(sink: Sink, smarthost: Smarthost) -> None:
        said = await smarthost.send("v@host.example", "a@customer.example", RAW)
        assert said == "250 2.0.0 taken"

    sink = with_sink(body)
    (mail,) = sink.mails
    assert (mail.envelope_from, mail.recipients, mail.raw) == (
        "v@host.example",
        ("a@customer.example",),
        RAW,
    )
    assert mail.parameters == f"SIZE={len(RAW)}"


def test_the_null_return_path_is_sent_as_such() -> None:
    """An empty envelope sender becomes `<>`."""

    async def body(sink: Sink, smarthost: Smarthost) -> None:
        await smarthost.send("", "a@customer.example", RAW)

    assert with_sink(body).mails[0].envelope_from == ""


def test_a_connection_serves_many_mails() -> None:
    """Five mails in turn need one connection."""

    async def body(sink: Sink, smarthost: Smarthost) -> None:
        for _ in range(5):
            await smarthost.send("v@host.example", "a@customer.example", RAW)

    sink = with_sink(body)
    assert (len(sink.mails), sink.connections) == (5, 1)


def test_a_connection_is_changed_after_its_share_of_mails() -> None:
    """The bound on mails a connection holds."""

    async def body(sink: Sink, smarthost: Smarthost) -> None:
        for _ in range(5):
            await smarthost.send("v@host.example", "a@customer.example", RAW)

    sink = with_sink(body, mails_per_connection=2)
    assert (len(sink.mails), sink.connections) == (5, 3)


def test_a_connection_that_went_to_sleep_is_replaced() -> None:
    """When a kept connection is gone, the mail goes by a new one without an error."""

    async def body(sink: Sink, smarthost: Smarthost) -> None:
        await smarthost.send("v@host.example", "a@customer.example", RAW)
        sink.faults.once["MAIL"] = "421 4.4.2 idle too long"
        await smarthost.send("v@host.example", "a@customer.example", RAW)

    sink = with_sink(body)
    assert (len(sink.mails), sink.connections) == (2, 2)


def test_a_5xx_to_the_recipient_is_permanent() -> None:
    """The other side's text is kept for ops."""
    error = failing(Permanent, reply={"RCPT": "550 5.7.1 refused by policy"})
    assert error == "550 5.7.1 refused by policy"


@pytest.mark.parametrize("said", ["550 5.1.1 no such user", "550 no such user", "550 5.2.1 shut"])
def test_an_address_refused_for_good_is_told_apart(said: str) -> None:
    """Bad address, moved, disabled: the address itself is dead."""
    assert failing(Bounced, reply={"RCPT": said}) == said


def test_a_5xx_to_the_content_is_permanent() -> None:
    """A refusal after the dot is final."""
    assert failing(Permanent, reply={"DOT": "554 5.6.0 spam"}).startswith("554")


def test_a_4xx_is_temporary() -> None:
    """Greylisting means later."""
    assert failing(Temporary, reply={"RCPT": "451 4.7.1 later"}) == "451 4.7.1 later"


def test_a_smarthost_that_wants_a_login_is_a_slip_of_ours() -> None:
    """530 and its like must not fail the row."""
    assert failing(Temporary, reply={"MAIL": "530 5.7.0 authentication required"})


def test_a_refusing_banner_fails_no_row() -> None:
    """554 at the banner is about the connection."""
    assert "554" in failing(Temporary, reply={"BANNER": "554 5.3.2 not today"})


def test_a_closed_port_is_temporary() -> None:
    """A smarthost that is away is a matter of time."""
    assert "out of reach" in failing(Temporary, refuse=True)


def test_silence_is_temporary() -> None:
    """A smarthost that takes longer than the limit is tried later."""
    assert failing(Temporary, latency=2.0)


def test_a_hang_up_before_the_content_is_certain() -> None:
    """Nothing was handed over, so nothing can have gone twice."""
    error = failing(Temporary, hang_up="RCPT")
    assert "hung up" in error


def test_a_hang_up_after_the_dot_is_uncertain() -> None:
    """The mail may have been taken; the case is told apart."""
    failing(Uncertain, hang_up="DOT")


def test_a_refused_mail_does_not_spoil_the_connection() -> None:
    """After a 550 the same connection takes the next mail."""

    async def body(sink: Sink, smarthost: Smarthost) -> None:
        sink.faults.reply["RCPT"] = "550 5.1.1 no"
        with pytest.raises(Permanent):
            await smarthost.send("", "a@customer.example", RAW)
        sink.faults.reply.clear()
        await smarthost.send("", "b@customer.example", RAW)

    sink = with_sink(body)
    assert (len(sink.mails), sink.connections) == (1, 1)


@pytest.mark.parametrize(
    "address",
    ["a@b.example>\r\nRCPT TO:<x@evil.example", "a b@", "@b.example", "a@b\0.example", "a@b c"],
)
def test_an_address_that_would_inject_is_refused(address: str) -> None:
    """No command can be built from a row's address."""

    async def body(sink: Sink, smarthost: Smarthost) -> None:
        with pytest.raises(Permanent):
            await smarthost.send("", address, RAW)

    assert with_sink(body).connections == 0


def test_a_local_part_that_needs_quotes_gets_them() -> None:
    """`a b@c` is written as `"a b"@c`."""

    async def body(sink: Sink, smarthost: Smarthost) -> None:
        await smarthost.send("", "a b@customer.example", RAW)

    assert with_sink(body).mails[0].recipients == ('"a b"@customer.example',)


def test_utf8_addresses_and_bodies_are_announced() -> None:
    """SMTPUTF8 and 8BITMIME go with the mails that need them."""

    async def body(sink: Sink, smarthost: Smarthost) -> None:
        await smarthost.send("", "ü@customer.example", RAW)
        await smarthost.send("", "a@customer.example", RAW + "è\r\n".encode())

    first, second = with_sink(body).mails
    assert first.parameters.endswith("SMTPUTF8")
    assert second.parameters.endswith("BODY=8BITMIME")


def test_utf8_addresses_fail_where_they_cannot_go() -> None:
    """Without SMTPUTF8 on the other side the row fails, and says why."""

    async def run() -> None:
        async with Sink(extensions=("SIZE 1000000",)) as sink:
            smarthost = Smarthost(settings(sink))
            with pytest.raises(Permanent, match=r"5\.6\.7"):
                await smarthost.send("", "ü@customer.example", RAW)

    asyncio.run(run())


def certificate() -> tuple[trustme.CA, ssl.SSLContext]:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return authority, context


def test_required_tls_verifies_and_encrypts() -> None:
    """With `required`, mail goes out under a certificate that was checked."""
    authority, context = certificate()

    async def run() -> None:
        with authority.cert_pem.tempfile() as ca_file:
            async with Sink(tls=context) as sink:
                good = Smarthost(settings(sink, starttls="required", ca_file=ca_file))
                await good.send("", "a@customer.example", RAW)
                assert sink.mails[0].tls
                await good.close()
                with pytest.raises(Temporary):
                    await Smarthost(settings(sink, starttls="required")).send(
                        "", "a@b.example", b""
                    )

    asyncio.run(run())


def test_required_tls_sends_nothing_where_there_is_none() -> None:
    """A smarthost that offers no STARTTLS gets no mail."""

    async def body(sink: Sink, smarthost: Smarthost) -> None:
        with pytest.raises(Temporary):
            await smarthost.send("", "a@customer.example", RAW)

    assert with_sink(body, starttls="required").mails == []


def test_opportunistic_tls_takes_what_there_is() -> None:
    """Encrypted under any certificate where offered, else in the clear."""
    _, context = certificate()

    async def run() -> None:
        for offered in (context, None):
            async with Sink(tls=offered) as sink:
                smarthost = Smarthost(settings(sink, starttls="opportunistic"))
                await smarthost.send("", "a@customer.example", RAW)
                assert sink.mails[0].tls is (offered is not None)
                await smarthost.close()

    asyncio.run(run())


def test_login_and_its_refusal() -> None:
    """The right password opens the door; the wrong one fails no row and appears in no text."""

    async def run() -> None:
        word = base64.b64encode(b"\0portiere\0right").decode()
        async with Sink(login=word) as sink:
            for password, taken in (("right", 1), ("wrong", 1)):
                given = settings(sink, username="portiere", password=password)
                assert password not in repr(given)
                smarthost = Smarthost(given)
                if password == "right":
                    await smarthost.send("", "a@customer.example", RAW)
                else:
                    with pytest.raises(Temporary, match="login") as info:
                        await smarthost.send("", "a@customer.example", RAW)
                    assert "wrong" not in str(info.value)
                assert len(sink.mails) == taken
                await smarthost.close()

    asyncio.run(run())


def test_a_password_is_never_sent_in_the_clear() -> None:
    """Such a set-up is refused at the start, except towards this machine."""
    with pytest.raises(BadInput):
        Smarthost(SmarthostSettings("mail.example", username="u", password="p"))
    Smarthost(SmarthostSettings("127.0.0.1", username="u", password="p"))
