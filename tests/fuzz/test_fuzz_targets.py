"""Fuzz targets: every reader of what others write is total, on pieces of its own grammar.

A short run in every test run, a long one by `make fuzz`: PORTIERE_FUZZ is how many examples.
"""

import asyncio
import contextlib
import os
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jinja2 import TemplateSyntaxError
from tests_support import ROOT

from gateway import toml
from gateway.authenticate import dmarc_record, results_read, spf
from gateway.authenticate.dkim_keys import vet
from gateway.authenticate.dkim_tags import read_claim
from gateway.authenticate.lookup import Answer, Lookup, Status
from gateway.authenticate.spf_macro import NAME_LIMIT, MacroSyntax, expand_name, read_macros
from gateway.authenticate.spf_record import RecordFault, SpfRecord, read_record
from gateway.authenticate.zone import ZoneResolver
from gateway.core.model import Envelope, Field, Listener, SpfResult, WireDefect
from gateway.core.read import addresses, read, tokenform, wire
from gateway.core.read.text import spans
from gateway.core.say.templates import TemplateDefect, split, variables
from gateway.errors import BadInput
from gateway.load import load_policies
from gateway.receive import commands

EXAMPLES = int(os.environ.get("PORTIERE_FUZZ", "50"))
fuzz = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ENVELOPE = Envelope("192.0.2.7", "h.example", "a@b.example", ("s@h.example",), Listener.EDGE, NOW)


def made_of(*pieces: bytes) -> st.SearchStrategy[bytes]:
    """Bytes out of words of a grammar, or any bytes."""
    words = st.lists(st.one_of(st.sampled_from(pieces), st.binary(max_size=4)), max_size=40)
    return st.one_of(words.map(b"".join), st.binary(max_size=300))


def text_of(*pieces: str) -> st.SearchStrategy[str]:
    """Text out of words of a grammar, or any text."""
    words = st.lists(st.one_of(st.sampled_from(pieces), st.text(max_size=4)), max_size=40)
    return st.one_of(words.map("".join), st.text(max_size=300))


HEADER = made_of(
    *(b"From", b":", b" ", b"\t", b"\r\n", b"\r", b"\n", b"\0", b"a@b.example", b"<", b">", b","),
    *(
        b'"',
        b"(",
        b")",
        b"\\",
        b"=?utf-8?q?a?=",
        b"From: a@b.example\r\n",
        b"\r\n\r\n",
        b";",
        b"@",
    ),
)
TAGS = made_of(
    *(b"v=1", b";", b"=", b"a=rsa-sha256", b"d=b.example", b"s=k", b"h=from", b"bh=AAAA", b"b="),
    *(b"\r\n ", b"t=1", b"x=2", b"l=0", b"i=@b.example", b"k=rsa", b"p=MFww", b"t=y:s", b"\0"),
)
SPF = made_of(
    *(b"v=spf1 ", b" ", b"+", b"-", b"~", b"?", b"all", b"a", b"mx", b"ptr", b"ip4:192.0.2.7"),
    *(b"ip6:2001:db8::1", b"include:b.example", b"exists:", b"%{", b"}", b"i", b"r", b"2", b"%%"),
    *(b"redirect=b.example", b"exp=e.example", b"/24", b"//64", b":", b".example", b"%{l1r-}"),
)
DMARC = made_of(
    *(b"v=DMARC1", b";", b" ", b"p=reject", b"sp=none", b"np=", b"psd=y", b"t=y", b"adkim=s"),
    *(b"pct=0", b"=", b"aspf=r", b"rua=mailto:a@b.example"),
)
MAIL = made_of(
    *(b"From: a@b.example\r\n", b"Content-Type: multipart/mixed; boundary=b\r\n", b"\r\n", b"--b"),
    *(b"--b--\r\n", b"Content-Type: text/html; charset=utf-7\r\n", b"<p>", b"</div>", b"=3D"),
    *(b"Content-Transfer-Encoding: base64\r\n", b"begin 644 x\r\n", b"Content-Type: ", b"/", b";"),
    *(
        b"message/rfc822\r\n\r\n",
        b"multipart/report; report-type=delivery-status",
        b"> quoted\r\n",
        b"Content-Type: text/plain; format=flowed; delsp=yes\r\n",
        b"Content-Type: application/pkcs7-mime; name=smime.p7m\r\n",
        b"Content-Type: application/ms-tnef\r\n",
        b"\x78\x9f\x3e\x22",
        b"0\x80\x06\x09*\x86H\x86\xf7\r\x01\x07\x02\xa0\x80",
        b"-----BEGIN PGP SIGNED MESSAGE-----\r\n",
        b"-- \r\n",
    ),
)


@given(HEADER, st.booleans())
@fuzz
def test_wire(raw: bytes, smtputf8: bool) -> None:
    """An author or a defect, never both, never neither."""
    found = wire.read(raw, smtputf8=smtputf8)
    assert (found.author is None) == (found.defect is not None)


@given(HEADER, st.booleans())
@fuzz
def test_addresses(value: bytes, smtputf8: bool) -> None:
    """An author that is written out is the same author."""
    found = addresses.from_field(value, smtputf8)
    if not isinstance(found, WireDefect):
        assert addresses.from_field(str(found).encode(), smtputf8=True) == found
    assert all(one.domain.isascii() for one in addresses.mailboxes(value))


@given(TAGS)
@fuzz
def test_dkim_tags(text: bytes) -> None:
    """A claim without a problem asks for a plain name; a record is a key or a reason."""
    raw = b"DKIM-Signature: " + text + b"\r\n"
    claim = read_claim(0, Field("dkim-signature", b"", raw), 1_800_000_000, 300)
    if claim.problem is None:
        assert claim.key_name.isascii()
        assert "from" in claim.names
    vet(Answer(Status.OK, (text,), 1), 4096)


@given(SPF, SPF)
@fuzz
def test_spf(first: bytes, second: bytes) -> None:
    """A record is read or faulty, and an evaluation over both ends with a result."""
    record = read_record(first)
    assert isinstance(record, SpfRecord | RecordFault)
    zone = ZoneResolver(
        {
            "b.example": {"TXT": [first.decode("latin-1")]},
            "e.example": {"TXT": [second.decode("latin-1")]},
        }
    )
    checked = spf.check(
        Lookup(zone), "192.0.2.7", "e.example", "a@b.example", "mx.example", spf.SpfSettings()
    )
    found = asyncio.run(checked)
    assert found.result in SpfResult
    assert found.result is SpfResult.PASS or not found.narrow


@given(text_of("%{", "}", "i", "s", "l", "1", "r", "-", "%%", "%_", ".", "example"))
@fuzz
def test_spf_macros(text: str) -> None:
    """A name that is expanded is short enough, whatever the macros hold."""
    try:
        spec = read_macros(text)
    except MacroSyntax:
        return
    assert len(expand_name(spec, lambda macro: "x." * 400)) <= NAME_LIMIT


@given(DMARC, st.lists(DMARC, max_size=3))
@fuzz
def test_dmarc(text: bytes, more: list[bytes]) -> None:
    """A record is read, or stands there unread."""
    assert dmarc_record.read_record(text).policy in (None, "none", "quarantine", "reject", "")
    record, stands = dmarc_record.one_record((text, *more))
    assert stands or record is None


@given(HEADER)
@fuzz
def test_results(value: bytes) -> None:
    """Authentication-Results: facts, or nothing."""
    found = results_read.read(value)
    assert found is None or found.authserv_id == found.authserv_id.lower()


@given(text_of("FROM:", "<", ">", "a", "@", "b.example", " ", "SIZE=1", "\\", '"', "[192.0.2.1]"))
@fuzz
def test_smtp_path(text: str) -> None:
    """An argument of MAIL or RCPT: one path, or none."""
    path = commands.argument(text, "FROM:")
    if path is not None:
        found = commands.mailbox(path.text, smtputf8=True)
        assert found is None or not set(str(found)) & set("\r\n\0<>")


@given(MAIL)
@fuzz
def test_mime(raw: bytes) -> None:
    """A mail is read whole; file names are safe."""
    found = read(raw, wire.read(raw).headers, ENVELOPE, "instance")
    for one in found.attachments:
        assert one.filename
        assert not set(one.filename) & set("/\\\0\r\n")


@given(
    text_of("> ", "\n", "On Monday, a@b.example wrote:\n", "-- \n", "Il giorno", " ha scritto:")
)
@fuzz
def test_text(text: str) -> None:
    """Spans tile the text."""
    tiles = spans(text)
    assert "".join(text[tile.start : tile.end] for tile in tiles) == text


@given(
    text_of("[[rule]]\n", "id = 'a'\n", "when.proof = ", "'strong'\n", "then = ", "[", "]", "\n")
)
@fuzz
def test_policy_loader(text: str) -> None:
    """A file is read, or refused with its place; nothing else is raised."""
    refused = None
    try:
        toml.parse(text, "x.toml")
    except BadInput as error:
        refused = error
    assert refused is None or refused.where.startswith("x.toml")


@given(st.integers(0, 200), text_of("=", '"', "\n", "[[rule]]\n", "not", "{", "}", "strong"))
@fuzz
def test_shipped_policy_with_a_slip(
    tmp_path_factory: pytest.TempPathFactory, at: int, slip: str
) -> None:
    """The shipped rules with something written into them are read, or refused with complaints."""
    folder = tmp_path_factory.getbasetemp() / "policies"
    if not folder.exists():
        folder.mkdir()
        for name in ("routing.toml", "requests.toml"):
            (folder / name).write_text((ROOT / "policies" / name).read_text())
    rules = (ROOT / "policies" / "disclosure.toml").read_text()
    lines = rules.split("# ---- theorems", 1)[0].split("\n")
    lines.insert(at % len(lines), slip)
    (folder / "disclosure.toml").write_text("\n".join(lines), encoding="utf-8", errors="replace")
    refused = None
    try:
        load_policies(folder)
    except BadInput as error:
        refused = error
    assert refused is None or "disclosure.toml" in str(refused)


@given(text_of("pt1", "PT1", ".", "-", "0", "a", "z", "#", "[#123]", "@"))
@fuzz
def test_tokens(text: str) -> None:
    """A token that is read is written the same way again."""
    for token in tokenform.tokens_in(text):
        found = tokenform.read(token)
        assert found is None or tokenform.read(tokenform.write(found)) == found
    tokenform.tickets_named(text)


@given(text_of("{{ name }}", "{% if a %}", "{% endif %}", "{%", "}}", "{#", "\n", "|safe", "()"))
@fuzz
def test_templates(text: str) -> None:
    """A template is read, or refused; nothing in it runs."""
    with contextlib.suppress(TemplateDefect, TemplateSyntaxError):
        assert variables(split(text)[1]) is not None
