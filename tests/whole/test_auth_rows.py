"""Every row of the suite's table of sender attacks, through the whole house, by its id.

A row says what the server answers, how well the author is proven, and whether anything of an
account may be told. Rows that live in the SMTP dialogue itself name the dialogue that plays them.
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from auth_house import (
    ALICE,
    EVIL_CLIENT,
    KEY,
    NOW,
    SECRET,
    ZONE,
    House,
    discloses,
    house,
    key_record,
    level,
    mail,
    replies,
    signed,
)
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from dkim_signing import sign, spki
from tests_support import ROOT, SUITES, needs_suites

EVIL = {"mail_from": "a@evil.example", "client_ip": EVIL_CLIENT, "helo": "mx.evil.example"}
FORWARDED = {"mail_from": "list@fwd.example", "client_ip": "198.51.100.9", "helo": "fwd.example"}
SECONDS = int(NOW.timestamp())
NO_DMARC = {name: held for name, held in ZONE.items() if not name.startswith("_dmarc")}


@dataclass(frozen=True)
class Row:
    """What comes in, and what must come of it. `yes`: the account is told, at its own address."""

    raw: bytes
    smtp: str
    level: str = "-"
    disclose: bool = False
    zone: dict[str, Any] = field(default_factory=lambda: ZONE)
    session: dict[str, Any] = field(default_factory=dict)
    settings: str = ""
    problem: str = ""  # a word of what is said about the first signature
    author: str = ""


def zone(**names: Any) -> dict[str, Any]:
    """The usual zone with records changed; `__` stands for a dot, and `dmarc` for `_dmarc`."""
    return {**ZONE, **{key.replace("__", "."): held for key, held in names.items()}}


def tagged(old: bytes, new: bytes) -> bytes:
    """Alice's signed mail with a word of its signature changed."""
    raw = signed(mail())
    assert old in raw
    return raw.replace(old, new, 1)


def made(**tags: str) -> bytes:
    """A signature written by hand: right in form, with tags that dkimpy would not make."""
    return sign(
        mail(), _PRIVATE, **{"d": "victim.example", "s": "k", "t": str(SECONDS - 60), **tags}
    )


_PRIVATE = load_pem_private_key(KEY, None)
assert isinstance(_PRIVATE, rsa.RSAPrivateKey)
REFUSED, ACCEPTED = "550 5.6.0", "250 2.0.0"
BAD_LINES, LATER_DNS, LATER_KEY = "550 5.5.2", "451 4.4.3", "451 4.7.5"


def structure() -> Iterator[tuple[str, Row]]:
    """Headers that can be read in two ways."""
    two = "From: a@evil.example\r\n"
    yield "S01", Row(signed(mail(two), "evil.example"), REFUSED, session=EVIL)
    yield "S02", Row(b" From: a@evil.example\r\n" + mail(), REFUSED)
    yield "S03", Row(mail().replace(b"From:", b"From: a@evil.example\r\nFrom :"), REFUSED)
    yield "S05", Row(mail(f"Sender: {ALICE}\r\n", From=None), REFUSED)
    yield "S06", Row(mail(f"Resent-From: {ALICE}\r\n", From=None), REFUSED)
    yield "S07", Row(mail(From=f"a@evil.example, {ALICE}"), REFUSED)
    yield "S09", Row(mail(From=f"<@evil.example,@x.example:{ALICE}>"), REFUSED)
    yield "S10", Row(mail(From=f"<{ALICE}>\\,<a@evil.example>"), REFUSED)
    yield "S11", Row(mail(From=f"<a@evil.example>{ALICE}"), REFUSED)
    yield "S13", Row(mail().replace(b"To:", b"From a@evil.example Mon\r\nTo:"), REFUSED)
    for name in ("Subject", "Date", "To", "Message-ID"):
        again = f"{name}: <x@evil.example>\r\n".encode()
        yield "S14", Row(again + signed(mail()), REFUSED)
    for name in ("Reply-To", "Content-Type"):
        again = f"{name}: text/plain\r\n".encode()
        yield "S14", Row(again * 2 + signed(mail()), REFUSED)
    yield "S15", Row(mail(Subject=f"x\rFrom: {ALICE}"), BAD_LINES)
    yield "S17", Row(mail().replace(b"server\r\n", b"server\r\r\n", 1), BAD_LINES)
    yield "S18", Row(mail().replace(b"From:", b"From\0:"), REFUSED)
    for line in (b"garbage line\r\n", b": empty\r\n", b"\xef\xbb\xbfX: y\r\n"):
        yield "S19", Row(line + mail(), REFUSED)
    eight = mail(From=f"\xc3\xa9 <{ALICE}>")
    yield "S21", Row(eight, ACCEPTED, "none", zone=NO_DMARC, session=FORWARDED)
    yield "S21", Row(mail(From="<\xc3\xa9@victim.example>"), REFUSED)


def sessions() -> Iterator[tuple[str, Row]]:
    """What the SMTP session says of itself."""
    null = {"mail_from": "", "helo": "victim.example"}
    yield "M16", Row(mail(), ACCEPTED, "none", zone=NO_DMARC, session=null)
    relay = {"client_ip": None, "listener": "relay"}
    yield "M20", Row(mail(), ACCEPTED, "none", zone=NO_DMARC, session=relay)


def spf() -> Iterator[tuple[str, Row]]:
    """SPF alone."""
    yield "P01", Row(mail(), ACCEPTED, "fail", session=EVIL)
    yield "P02", Row(mail(), ACCEPTED, "medium")
    pool = '[proof]\nown_shared_outbound = ["192.0.2.0/28"]\n'
    yield "P04", Row(mail(), ACCEPTED, "none", zone=NO_DMARC, settings=pool)
    many = {f"i{n}.example": {"TXT": ["v=spf1 -all"]} for n in range(60)}
    includes = " ".join(f"include:i{n}.example" for n in range(60))
    deep = {**NO_DMARC, **many, "victim.example": {"TXT": [f"v=spf1 {includes} +ip4:192.0.2.7"]}}
    yield "P05", Row(mail(), ACCEPTED, "none", zone=deep)
    voids = " ".join(f"exists:n{n}.example" for n in range(9))
    void = {**NO_DMARC, "victim.example": {"TXT": [f"v=spf1 {voids} ip4:192.0.2.7"]}}
    yield "P06", Row(mail(), ACCEPTED, "none", zone=void)
    yield "P08", Row(mail(), LATER_DNS, "temperror", zone=zone(victim__example=FAILING))
    macro = zone(evil__example={"TXT": ["v=spf1 exists:%{l}.%{l}.evil.example -all"]})
    long = {**EVIL, "mail_from": '"' + "./" * 30 + '"@evil.example'}
    yield "P09", Row(mail(), ACCEPTED, "fail", zone=macro, session=long)
    yield "P09", Row(mail(), ACCEPTED, "fail", zone=macro, session=EVIL)
    for records in (
        ["v=spf1 +all", "v=spf1 -all"],
        ["v=spf1 ip4:192.0.2.7\x01 ip4:192.0.2.7"],
        ["v=spf1 ip4:192.0.2.7.7 ip4:192.0.2.7"],
    ):
        broken = {**NO_DMARC, "victim.example": {"TXT": records}}
        yield "P10", Row(mail(), ACCEPTED, "none", zone=broken)


FAILING = {"status": "servfail"}


def forms() -> Iterator[tuple[str, Row]]:
    """Signatures whose form the gate refuses; by a forwarder, so that SPF proves nothing."""
    nul = tagged(b"s=k;", b"s=k._domainkey.evil.example\0;")
    yield "D01", Row(nul, REFUSED, session=EVIL)
    for domain in ("victim.example'a.evil.example", "victim.example(.evil.example"):
        field = signed(mail(), "evil.example").replace(b"d=evil.example", b"d=" + domain.encode())
        yield "D02", Row(field, ACCEPTED, "fail", session=EVIL, problem="d=")
    away = {"session": FORWARDED, "zone": NO_DMARC}
    yield "D03", Row(made(h="to:subject"), ACCEPTED, "none", problem="From", **away)
    yield "D09", Row(made(l="0"), ACCEPTED, "none", problem="l=", **away)
    yield "D10", Row(made(l="99999"), ACCEPTED, "none", problem="l=", **away)
    for gone in (400, 9 * 3600, 365 * 86400):
        tags = {"t": str(SECONDS - gone - 60), "x": str(SECONDS - gone)}
        yield "D11", Row(made(**tags), ACCEPTED, "none", problem="x=", **away)
    future = made(t=str(SECONDS), x=str(SECONDS - 1))
    yield "D13", Row(future, ACCEPTED, "none", problem="x=", **away)
    yield "D21", Row(made(i="victim.example"), ACCEPTED, "none", problem="i=", **away)
    for old, new in ((b"c=", b"l=; c="), (b"b=", b"b=!"), (b"d=", b"d=a.example; d=")):
        yield "D22", Row(tagged(old, new), ACCEPTED, "none", **away)
    for suffix in ("com", "co.uk"):
        keys = {**NO_DMARC, f"k._domainkey.{suffix}": key_record()}
        raw = signed(mail(From=f"a@victim.{suffix}"), suffix)
        yield "D23", Row(raw, ACCEPTED, "none", zone=keys, session=FORWARDED, problem="d=")
    for times, problem in ((251, "h="), (10_000, "too long")):
        many = made(h=":".join(["from"] * times))
        yield "D26", Row(many, ACCEPTED, "none", problem=problem, **away)


def keys() -> Iterator[tuple[str, Row]]:
    """Keys that the gate refuses."""

    def held(record: Any, raw: bytes = b"", problem: str = "") -> Row:
        names = {**NO_DMARC, "k._domainkey.victim.example": record}
        raw = raw or signed(mail())
        return Row(raw, ACCEPTED, "none", zone=names, session=FORWARDED, problem=problem)

    yield "D05", held({"TXT": [f"v=DKIM1; p={WEAK}"]}, problem="bits")
    yield "D06", Row(signed(mail()), ACCEPTED, "strong", True)
    yield "D07", held({"TXT": [f"v=DKIM1; p={BOMB}"]}, problem="is a key")
    yield "D14", held(key_record("t=y; "), problem="test")
    strict = made(i="@sub.victim.example")
    yield "D15", held(key_record("t=s; "), strict, "i=")
    yield "D17", held(key_record("s=tlsrpt; "))
    yield "D18", held({"TXT": [f"v=DKIM1; k=ed25519; p={ED}"]}, problem="kind")
    yield "D19", held({"TXT": ["v=DKIM1; p="]}, problem="revoked")
    bomb = b" " * 996 + b"x\r\n"
    raw = signed(mail()) + bomb * 10_000  # the body was changed after signing
    yield "D25", Row(raw, ACCEPTED, "none", zone=NO_DMARC, session=FORWARDED)


WEAK = base64.b64encode(
    # 512 bits, in the form of RFC 8017 A.1.1 inside of RFC 5280's
    bytes.fromhex("305c300d06092a864886f70d0101010500034b003048024100c1")
    + bytes(62)
    + b"\x01\x02\x03\x01\x00\x01"
).decode()
BOMB = base64.b64encode(spki((1 << 16_383) | 1, (1 << 16_383) | 1)).decode()
ED = base64.b64encode(
    ed25519.Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
).decode()


def meanings() -> Iterator[tuple[str, Row]]:
    """Signatures that are right, and what they prove."""
    elsewhere = signed(mail(To="<a@evil.example>"))
    yield "D27", Row(elsewhere, ACCEPTED, "medium", session=EVIL)
    part = signed(mail(), include_headers=[b"from", b"date", b"to"])
    yield "D29", Row(part, ACCEPTED, "strong", True, session=FORWARDED)
    away = zone(k___domainkey__victim__example=FAILING)
    away["k._domainkey.victim.example"] = FAILING
    yield "D30", Row(signed(mail()), LATER_KEY, "temperror", zone=away, session=FORWARDED)
    yield "D31", Row(signed(mail(), "evil.example"), ACCEPTED, "fail", session=EVIL)
    without = {"zone": NO_DMARC, "session": EVIL}
    yield "D31", Row(signed(mail(), "evil.example"), ACCEPTED, "none", **without)
    broken = signed(mail()) + b"-- \r\nthe list\r\n"
    yield "D33", Row(broken, ACCEPTED, "fail", session=EVIL)
    yield "D34", Row(signed(mail()), ACCEPTED, "strong", True, session=FORWARDED)


def dmarc() -> Iterator[tuple[str, Row]]:
    """Policies and alignment."""
    yield "E01", Row(mail(), ACCEPTED, "fail", session=EVIL)
    silent = {**ZONE, "_dmarc.victim.example": FAILING}
    yield "E03", Row(signed(mail()), ACCEPTED, "strong", True, zone=silent, session=FORWARDED)
    below = signed(mail(From="alice@mail.victim.example"))
    hidden = {**ZONE, "_dmarc.mail.victim.example": FAILING, "_dmarc.victim.example": FAILING}
    yield "E04", Row(below, LATER_DNS, "temperror", zone=hidden, session=FORWARDED)
    tenants = {
        **ZONE,
        "_dmarc.github.io": {"TXT": ["v=DMARC1; p=none"]},
        "k._domainkey.evil.github.io": key_record(),
    }
    tenant = signed(mail(From="a@victim.github.io"), "evil.github.io")
    yield "E05", Row(tenant, ACCEPTED, "fail", zone=tenants, session=FORWARDED)
    for tags in ("t=y", "pct=0"):
        asked = {**ZONE, "_dmarc.victim.example": {"TXT": [f"v=DMARC1; p=reject; {tags}"]}}
        # On a relay listener; on the edge see the test below.
        relayed = {**EVIL, "listener": "relay"}
        yield "E07", Row(mail(), ACCEPTED, "fail", zone=asked, session=relayed)
    reject = {**ZONE, "_dmarc.victim.example": {"TXT": ["v=DMARC1; p=reject"]}}
    yield "E08", Row(mail(), "550 5.7.1", "fail", zone=reject, session=EVIL)
    ours = {**ZONE, "_dmarc.host.example": {"TXT": ["v=DMARC1; p=none"]}}
    own = mail(From="support@host.example")
    yield "E09", Row(own, "550 5.7.1", "fail", zone=ours, session=EVIL)


def results() -> Iterator[tuple[str, Row]]:
    """What other servers say they found."""
    quoted = 'smtp.mailfrom="x; dmarc=pass header.from=victim.example"@evil.example'
    said = f"Authentication-Results: mx.host.example; spf=pass {quoted}\r\n"
    yield "R02", Row(mail(said), ACCEPTED, "fail", session=EVIL)
    nameless = "Authentication-Results: spf=pass smtp.mailfrom=victim.example\r\n"
    yield "R03", Row(mail(nameless), ACCEPTED, "none", zone=NO_DMARC, session=EVIL)
    yield "R04", Row(mail(arc_set(1)), ACCEPTED, "fail", session=EVIL)
    sha1 = arc_set(1).replace("rsa-sha256", "rsa-sha1")
    yield "R06", Row(mail(sha1), ACCEPTED, "fail", session=EVIL)
    many = "".join(arc_set(n) for n in range(1, 52))
    yield "R07", Row(mail(many), ACCEPTED, "fail", session=EVIL)


def arc_set(number: int) -> str:
    """A whole set that says that everything passed."""
    chain = "none" if number == 1 else "pass"
    return (
        f"ARC-Seal: i={number}; a=rsa-sha256; cv={chain}; d=sealer.example; s=k; b=AAAA\r\n"
        f"ARC-Message-Signature: i={number}; a=rsa-sha256; d=sealer.example; s=k; h=from;"
        " bh=AAAA; b=AAAA\r\n"
        f"ARC-Authentication-Results: i={number}; sealer.example; dmarc=pass"
        " header.from=victim.example\r\n"
    )


def identity() -> Iterator[tuple[str, Row]]:
    """Who the author is."""
    evil = signed(mail(From=f'"{ALICE}" <a@evil.example>'), "evil.example")
    yield "I01", Row(evil, ACCEPTED, "strong", session=EVIL, author="a@evil.example")
    wide = "alice@victim\uff0eexample".encode().decode("latin-1")
    yield "I03", Row(mail(From=f"<{wide}>"), REFUSED, session={"smtputf8": True})
    for local in ("al\u0131ce", "\uff41lice"):
        name = f"{local}@victim.example"
        raw = signed(mail(From=f"<{name.encode().decode('latin-1')}>"))
        utf8 = {**FORWARDED, "smtputf8": True}
        yield "I04", Row(raw, ACCEPTED, "strong", session=utf8, author=name)
    quoted = signed(mail(From='"alice"@victim.example'))
    yield "I05", Row(quoted, ACCEPTED, "strong", True, author=ALICE)
    upper = signed(mail(From="ALICE@victim.example"))
    yield "I07", Row(upper, ACCEPTED, "strong", True)
    answer = signed(mail("Reply-To: a@evil.example\r\n"))
    yield "I08", Row(answer, ACCEPTED, "strong", True)
    words = f"What is the state of {SECRET}? I write for Alice's account A-1.\r\n"
    bob = signed(mail(body=words, From="bob@victim.example"))
    yield "I09", Row(bob, ACCEPTED, "strong", author="bob@victim.example")
    yield "I11", Row(mail(), ACCEPTED, "medium")
    sender = signed(mail("Sender: a@evil.example\r\n"))
    yield "I12", Row(sender, ACCEPTED, "strong", True)


GROUPS = (structure, sessions, spf, forms, keys, meanings, dmarc, results, identity)
ROWS = [pair for group in GROUPS for pair in group()]
# Rows of the dialogue itself: the file in tests/dialogs, or the test, that plays each of them.
DIALOGUES = {
    "M01": "m01-lf-dot-lf",
    "M02": "m02-lf-dot-crlf",
    "M04": "m04-cr-dot-cr",
    "M05": "m05-crlf-dot-cr",
    "M06": "m06-cr-dot-crlf",
    "M08": "m08-after-the-dot",
    "M09": "m09-starttls-injection",
    "M10": "sender-grammar",
    "M12": "sender-grammar",
    "M13": "sender-grammar",
    "M14": "m14-nul-in-address",
    "M17": "m17-xforward-untrusted",
    "M18": "m18-proxy-untrusted",
}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One house for all rows without settings of their own."""
    with house(tmp_path_factory.mktemp("house")) as opened:
        yield opened


@pytest.mark.parametrize(
    "row", [pytest.param(row, id=f"{name}-{at}") for at, (name, row) in enumerate(ROWS)]
)
def test_row(row: Row, plain: House, tmp_path: Path) -> None:
    """Reply, level and disclosure are the row's."""
    if row.settings:
        with house(tmp_path, row.settings) as own:
            judge(row, own)
    else:
        judge(row, plain)


def judge(row: Row, opened: House) -> None:
    """Hold one mail against its row."""
    course = opened.take(row.raw, row.zone, **row.session)
    assert f"{course.answer.code} {course.answer.enhanced}" == row.smtp, course.wire.defect
    assert level(course) == row.level, course.proof
    if row.author:
        assert str(course.wire.author) == row.author
    if row.problem:
        assert course.arrival is not None
        first = course.arrival.evidence.dkim[0]
        assert first.problem is not None
        assert row.problem in first.problem
    assert not [to for to, words in replies(course) if to != ALICE and SECRET in words]
    if row.disclose:
        assert discloses(course)
        assert [to for to, _words in replies(course)] == [ALICE]
    elif row.level in ("-", "none", "fail", "temperror"):
        assert not discloses(course)
        assert not [words for _to, words in replies(course) if SECRET in words]


@needs_suites
def test_every_row_of_the_suite_is_shown() -> None:
    """No row is left out, here or in the dialogues."""
    rows = json.loads((SUITES / "auth" / "attacks.json").read_text("utf-8"))
    shown = {name for name, _row in ROWS} | DIALOGUES.keys() | {"I13"}
    assert {row["id"] for row in rows} == shown
    for name in DIALOGUES.values():
        assert (ROOT / "tests" / "dialogs" / f"{name}.smtp").is_file()


def test_e07_on_the_edge_test_mode_weakens_reject_and_proves_nothing(plain: House) -> None:
    """`t=y` asks for one step less (RFC 9989); `pct` is gone from the standard and ignored."""
    asked = {"t=y": "250 2.0.0", "pct=0": "550 5.7.1"}
    for tags, reply in asked.items():
        names = {**ZONE, "_dmarc.victim.example": {"TXT": [f"v=DMARC1; p=reject; {tags}"]}}
        course = plain.take(mail(), names, **EVIL)
        assert f"{course.answer.code} {course.answer.enhanced}" == reply
        assert level(course) == "fail"
        assert not discloses(course)


def test_i13_a_domain_that_changed_hands_is_medium_at_most(tmp_path: Path) -> None:
    """Its new owner signs as well as the old one did; the registrar knows."""
    with house(tmp_path) as opened:
        assert level(opened.take(signed(mail()))) == "strong"
        opened.change("victim.example", NOW - timedelta(days=60))  # before it was confirmed
        assert level(opened.take(signed(mail()))) == "strong"
        opened.change("victim.example", NOW - timedelta(days=1))
        course = opened.take(signed(mail()))
        assert level(course) == "medium"
        assert course.proof is not None
        assert "transferred or expired" in course.proof.because[-1]


def test_r06_r07_what_arc_says_is_kept_for_the_log(plain: House) -> None:
    """A chain that cannot be is `fail`; one that may be is `neutral`, and proves nothing."""
    found = {}
    for name, fields in {
        "one": arc_set(1),
        "sha1": arc_set(1).replace("rsa-sha256", "rsa-sha1"),
        "51": "".join(arc_set(n) for n in range(1, 52)),
    }.items():
        course = plain.take(mail(fields), **EVIL)
        assert course.arrival is not None
        found[name] = course.arrival.evidence.arc.result
    assert found == {"one": "neutral", "sha1": "fail", "51": "fail"}


def test_the_rows_can_fail(plain: House) -> None:
    """A row that asks for less than a customer's own mail proves is found wrong."""
    with pytest.raises(AssertionError):
        judge(Row(signed(mail()), ACCEPTED, "medium"), plain)
    with pytest.raises(AssertionError):
        judge(Row(signed(mail()), REFUSED), plain)
