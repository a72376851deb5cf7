"""The wire gate: what is refused before anything is believed, and what must get through."""

import json

import pytest
from tests_support import SUITES, needs_suites

from gateway.core.read import wire

FROM = b"From: Alice <alice@victim.example>\r\n"
HEADER = FROM + b"To: support@host.example\r\nSubject: x\r\n"
MAIL = HEADER + b"\r\nhello\r\n"

SIGNED_TWICE = {
    name: f"{name}: <evil@x.example>\r\n{name}: <evil@x.example>\r\n".encode()
    for name in ("Subject", "Date", "To", "Message-ID", "Reply-To", "Content-Type")
}

# Row of auth/attacks.json -> mail, and the defect that it must give.
REFUSED: dict[str, tuple[bytes, str]] = {
    "S01": (b"From: a@evil.example\r\nFrom: alice@victim.example\r\n\r\nx\r\n", "repeated-field"),
    "S02": (b" From: a@evil.example\r\n" + MAIL, "leading-continuation"),
    "S03": (b"From: a@evil.example\r\nFrom : a@victim.example\r\n\r\n", "space-before-colon"),
    "S05": (b"Sender: alice@victim.example\r\n\r\nx\r\n", "no-from"),
    "S06": (b"Resent-From: alice@victim.example\r\n\r\nx\r\n", "no-from"),
    "S07": (b"From: a@evil.example, alice@victim.example\r\n\r\nx\r\n", "from-list"),
    "S09": (b"From: <@evil.example,@x.example:alice@victim.example>\r\n\r\n", "from-route"),
    "S10": (b"From: <alice@victim.example>\\,<a@evil.example>\r\n\r\n", "from-syntax"),
    "S11": (b"From: <a@evil.example>alice@victim.example\r\n\r\n", "from-after-angle"),
    "S13": (b"Subject: x\r\nFrom a@evil.example Mon Jan  1 00:00:00\r\n" + FROM, "mbox-from"),
    "S15": (b"Subject: x\rFrom: a@victim.example\r\n" + MAIL, "bare-cr"),
    "S17": (b"Subject: x\r\r\n" + MAIL, "cr-cr-lf"),
    "S18": (b"From\0: a@evil.example\r\n" + MAIL, "nul-in-header"),
    "S19-garbage": (b"garbage line\r\n" + MAIL, "no-colon"),
    "S19-empty-name": (b": value\r\n" + MAIL, "empty-name"),
    "S19-bom": (b"\xef\xbb\xbf" + MAIL, "bad-name"),
    "S21": (b"From: <al\xc3\xadce@victim.example>\r\n\r\nx\r\n", "from-local-8bit"),
    "I03": ("From: alice@victim．example\r\n\r\nx\r\n".encode(), "from-domain"),
    "M01": (MAIL + b".\nMAIL FROM:<alice@victim.example>\r\n", "bare-lf"),
    "M02": (MAIL + b"x\n.\r\nMAIL FROM:<alice@victim.example>\r\n", "bare-lf"),
    "M04": (MAIL + b"x\r.\rMAIL FROM:<alice@victim.example>\r\n", "bare-cr"),
    "M05": (MAIL + b".\rMAIL FROM:<alice@victim.example>\r\n", "bare-cr"),
    "M06": (MAIL + b"x\r.\r\nMAIL FROM:<alice@victim.example>\r\n", "bare-cr"),
    **{f"S14-{name}": (two + MAIL, "repeated-field") for name, two in SIGNED_TWICE.items()},
}


@pytest.mark.parametrize("row", REFUSED)
def test_each_structural_attack_is_refused_by_its_name(row: str) -> None:
    """An attack on the structure of a mail has one stable kind, and no author."""
    raw, kind = REFUSED[row]
    found = wire.read(raw)
    assert found.defect is not None
    assert found.defect.kind == kind
    assert found.author is None


@needs_suites
@pytest.mark.parametrize("row", REFUSED)
def test_each_structural_attack_has_the_reply_that_the_suite_asks_for(row: str) -> None:
    """The enhanced code is the one that stands in auth/attacks.json for this row."""
    rows = {r["id"]: r for r in json.loads((SUITES / "auth" / "attacks.json").read_text())}
    found = wire.read(REFUSED[row][0])
    assert found.defect is not None
    wanted = rows[row.split("-")[0]]["smtp"]
    if row != "S21":  # that row's reply is said in words: accepted in a display name alone
        assert f"550 {found.defect.enhanced}" in wanted


@needs_suites
def test_no_structural_row_of_the_suite_is_left_out() -> None:
    """Every S row of auth/attacks.json is shown here."""
    rows = json.loads((SUITES / "auth" / "attacks.json").read_text())
    wanted = {r["id"] for r in rows if r["id"].startswith("S")}
    assert wanted <= {row.split("-")[0] for row in REFUSED}


def test_eight_bit_text_in_a_display_name_is_accepted() -> None:
    """S21's other half: raw UTF-8 in a phrase or in an unstructured field harms nobody."""
    raw = "From: é <a@victim.example>\r\nSubject: città\r\n\r\nx\r\n".encode()
    found = wire.read(raw)
    assert str(found.author) == "a@victim.example"


def test_a_plain_mail_has_its_author_and_its_fields() -> None:
    """Names are lower case, values keep what follows the colon, raw bytes are as they came."""
    raw = FROM + b"SUBJECT:  a\r\n\tb \r\nX-Y:\r\n\r\nbody\r\n"
    found = wire.read(raw)
    assert found.defect is None
    assert str(found.author) == "alice@victim.example"
    assert [field.name for field in found.headers.fields] == ["from", "subject", "x-y"]
    assert found.headers.first("subject") == b"  a\r\n\tb "
    assert found.headers.first("x-y") == b""
    assert b"".join(field.raw for field in found.headers.fields) + b"\r\n" == raw[:-6]
    assert raw[found.headers.body_start :] == b"body\r\n"


def test_a_header_without_a_body_is_accepted() -> None:
    """The empty line may lack when nothing follows the header."""
    found = wire.read(HEADER)
    assert found.defect is None
    assert found.headers.body_start == len(HEADER)


def test_a_header_that_ends_without_a_line_end_keeps_its_last_field() -> None:
    """The last bytes of a mail that was cut off are still a field."""
    found = wire.read(b"Subject: x\r\nFrom: a@b.example")
    assert str(found.author) == "a@b.example"
    assert len(found.headers.fields) == 2


@pytest.mark.parametrize("raw", [b"", b"\r\n", b"\r\nFrom: a@b.example\r\n"])
def test_a_mail_without_header_has_no_from(raw: bytes) -> None:
    """An empty header names no author, whatever the body says."""
    found = wire.read(raw)
    assert found.defect is not None
    assert found.defect.kind == "no-from"
    assert found.headers.fields == ()


@pytest.mark.parametrize("name", sorted(wire.ONCE))
def test_every_field_that_is_allowed_once_is_refused_twice(name: str) -> None:
    """RFC 5322 3.6 and MIME's own fields, in any letter case."""
    field = "a@b.example"
    twice = f"{name}: {field}\r\n{name.upper()}: {field}\r\n".encode()
    found = wire.read(twice if name == "from" else twice + FROM)
    assert found.defect is not None
    assert found.defect.kind == "repeated-field"
    assert name in found.defect.detail


def test_fields_that_may_repeat_do() -> None:
    """Received, DKIM-Signature and unknown fields come as often as they like."""
    found = wire.read(b"Received: x\r\nReceived: y\r\nX-A: 1\r\nX-A: 2\r\n" + MAIL)
    assert found.defect is None
    assert found.headers.all("received") == (b" x", b" y")


def test_the_number_of_fields_is_bounded() -> None:
    """500 fields are read, one more is refused."""
    most = b"X-A: b\r\n" * 499 + FROM
    assert wire.read(most + b"\r\n").defect is None
    found = wire.read(b"X-A: b\r\n" + most + b"\r\n")
    assert found.defect is not None
    assert found.defect.kind == "too-many-fields"
    assert len(found.headers.fields) == 500


def test_the_size_of_the_header_is_bounded() -> None:
    """A header of more than 256 KiB is refused, and only its beginning is read."""
    limits = wire.WireLimits(header_bytes=200)
    fits = FROM + b"X: " + b"a" * (200 - len(FROM) - 5) + b"\r\n"
    assert wire.read(fits + b"\r\n", limits).defect is None
    assert wire.read(fits, limits).defect is None
    found = wire.read(fits + b"Y: b\r\n\r\nbody", limits)
    assert found.defect is not None
    assert found.defect.kind == "header-too-long"
    assert [field.name for field in found.headers.fields] == ["from", "x"]


def test_a_nul_in_the_body_is_a_matter_of_transport() -> None:
    """5.5.2 for the body, 5.6.0 for the header (M14's and S18's neighbours)."""
    found = wire.read(MAIL + b"a\0b\r\n")
    assert found.defect is not None
    assert (found.defect.kind, found.defect.enhanced) == ("nul-in-body", "5.5.2")


def test_line_ends_are_looked_at_in_the_whole_of_a_large_mail() -> None:
    """A bare CR or LF is found anywhere, and CRLF across two windows is none."""
    long = MAIL + b"y" * ((1 << 20) - len(MAIL) - 1) + b"\r\nz\r\n"
    assert long[(1 << 20) - 1 :].startswith(b"\r\n")
    assert wire.read(long).defect is None
    for tail, kind in ((b"\rx", "bare-cr"), (b"\nx", "bare-lf"), (b"\r", "bare-cr")):
        found = wire.read(long + b"w" * (1 << 20) + tail)
        assert found.defect is not None
        assert found.defect.kind == kind


def test_a_bare_cr_beside_a_bare_lf_does_not_cancel_out() -> None:
    """As many CR as LF is not enough: they must be pairs."""
    found = wire.read(MAIL + b"\n\r")
    assert found.defect is not None
    assert found.defect.kind == "bare-cr"


def test_a_refused_mail_still_has_the_fields_that_can_be_read() -> None:
    """What people are shown of a refused mail is everything before and after the bad line."""
    found = wire.read(b"From a@b Mon\r\nSubject: x\r\nno colon\r\n" + FROM + b"\r\nbody")
    assert found.defect is not None
    assert found.defect.kind == "mbox-from"
    assert [field.name for field in found.headers.fields] == ["subject", "from"]
    assert found.author is None


def test_bare_line_feeds_do_not_hide_fields_from_people() -> None:
    """A mail with LF alone is refused, and its fields and body are found nevertheless."""
    raw = b"Subject: x\nFrom: a@b.example\n\nbody\n"
    found = wire.read(raw)
    assert found.defect is not None
    assert found.defect.kind == "bare-lf"
    assert [field.name for field in found.headers.fields] == ["subject", "from"]
    assert found.headers.first("subject") == b" x"
    assert raw[found.headers.body_start :] == b"body\n"


@pytest.mark.parametrize(
    "line", [b"A b: c", b"F\xc3\xb6o: c", b"Sub\x7fject: x", b"Sub\tject: x", b"\x01: x"]
)
def test_a_name_holds_printable_ascii_alone(line: bytes) -> None:
    """RFC 5322 2.2: 33 to 126 without the colon."""
    found = wire.read(line + b"\r\n" + MAIL)
    assert found.defect is not None
    assert found.defect.kind == "bad-name"


def test_every_kind_has_its_code_and_its_sentence() -> None:
    """The table is what the documentation lists; codes are of RFC 3463."""
    for kind, (enhanced, sentence) in wire.DEFECTS.items():
        assert kind == kind.lower()
        assert enhanced in ("5.5.2", "5.6.0")
        assert sentence[0] not in " ."
        assert not sentence.endswith(".")
    assert {k for k, (code, _) in wire.DEFECTS.items() if code == "5.5.2"} == {
        "cr-cr-lf",
        "bare-cr",
        "bare-lf",
        "nul-in-body",
    }


@pytest.mark.parametrize(
    "part, names, body",
    [
        (b"A: b\r\nC: d\r\n\r\n body", ["a", "c"], b" body"),
        (b"\r\nbody", [], b"body"),
        (b"\r\n body", [], b" body"),
        (b"A: b\r\n c\r\nno field", ["a"], b"no field"),
        (b"just text", [], b"just text"),
        (b"A: b", ["a"], b""),
        (b"", [], b""),
    ],
)
def test_the_header_of_a_part_is_split_by_the_same_rules(
    part: bytes, names: list[str], body: bytes
) -> None:
    """An empty line, or a line that is no field, ends the header of a part."""
    raw = b"before" + part + b"\r\nAfter: x\r\n"
    end = len(b"before" + part)
    headers = wire.split(raw, len(b"before"), end)
    assert [field.name for field in headers.fields] == names
    assert raw[headers.body_start : end] == body
