"""winmail.dat: files, texts and message classes inside, and rich text made plain."""

import base64
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from read_support import classified, parsed

from gateway.core.model import Automatic
from gateway.core.read import rtf, tnef

HEADER = struct.pack("<IH", 0x223E9F78, 1)


def _attribute(level: int, tag: int, data: bytes) -> bytes:
    checksum = sum(data) & 0xFFFF
    return struct.pack("<BII", level, tag, len(data)) + data + struct.pack("<H", checksum)


def _variable(kind: int, number: int, data: bytes) -> bytes:
    padding = b"\0" * (-len(data) % 4)
    return struct.pack("<HHII", kind, number, 1, len(data)) + data + padding


def _properties(*properties: bytes) -> bytes:
    return struct.pack("<I", len(properties)) + b"".join(properties)


def _file(name: str, data: bytes, *properties: bytes) -> bytes:
    return (
        _attribute(2, 0x00069002, b"\0" * 14)
        + _attribute(2, 0x00018010, b"SHORT~1.DAT\0")
        + _attribute(2, 0x0006800F, data)
        + _attribute(
            2,
            0x00069005,
            _properties(_variable(0x1F, 0x3707, (name + "\0").encode("utf-16-le")), *properties),
        )
    )


def _winmail(content: bytes, before: str = "") -> str:
    data = base64.encodebytes(content).decode()
    return (
        "From: Anna <anna@cliente.example>\nSubject: s\nMIME-Version: 1.0\n"
        "Content-Type: multipart/mixed; boundary=b\n\n"
        f"{before}--b\nContent-Type: application/ms-tnef; name=winmail.dat\n"
        f"Content-Transfer-Encoding: base64\n\n{data}\n--b--\n"
    )


def test_files_come_out_with_their_long_names() -> None:
    """What Outlook packed stands in the place of winmail.dat."""
    inline = _variable(0x1F, 0x3712, "cid\0".encode("utf-16-le"))
    content = (
        HEADER + _file("però.pdf", b"%PDF-1") + _file("logo.png", b"\x89PNG\r\n\x1a\n", inline)
    )
    mail = parsed(_winmail(content, "--b\nContent-Type: text/plain\n\nciao\n"))
    assert mail.body_text == "ciao"
    assert [(a.filename, a.content_type, a.inline) for a in mail.attachments] == [
        ("però.pdf", "application/pdf", False),
        ("logo.png", "image/png", True),
    ]


def test_its_text_counts_when_there_is_no_other() -> None:
    """The body is a MAPI property; beside a real text it is ignored."""
    body = _variable(0x1F, 0x1000, "dentro però\r\n\0".encode("utf-16-le"))
    content = HEADER + _attribute(1, 0x00069003, _properties(body))
    assert parsed(_winmail(content)).body_text == "dentro però\n"
    beside = parsed(_winmail(content, "--b\nContent-Type: text/plain\n\nfuori\n"))
    assert beside.body_text == "fuori"


def test_rich_text_is_made_plain() -> None:
    """LZFu-compressed and stored RTF both give their words."""
    source = rb"{\rtf1\ansi{\fonttbl{\f0 Arial;}}\f0 Buongiorno\par per\'f2 \u232?\tab fine}"
    stored = struct.pack("<IIII", len(source) + 12, len(source), 0x414C454D, 0) + source
    content = HEADER + _attribute(1, 0x00069003, _properties(_variable(0x102, 0x1009, stored)))
    assert parsed(_winmail(content)).body_text == "Buongiorno\nperò è\tfine"


def test_decompression_follows_the_specification() -> None:
    """[MS-OXRTFCP] 4.1: the example of the document."""
    compressed = bytes.fromhex(
        "2d0000002b0000004c5a4675f1c5c7a703000a00726370673132354232"
        "0af32068656c090020627705b06c647d0a800fa0"
    )
    assert rtf.decompress(compressed) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"


def test_a_page_inside() -> None:
    """HTML in PR_HTML is the mail's page."""
    page = struct.pack("<HHI", 0x0003, 0x3FDE, 65001) + _variable(
        0x102, 0x1013, "<p>però</p>".encode()
    )
    content = HEADER + _attribute(1, 0x00069003, struct.pack("<I", 2) + page)
    assert parsed(_winmail(content)).body_html == "<p>però</p>"


def test_something_else_under_that_name() -> None:
    """A winmail.dat that is no TNEF is a file like any other."""
    (file,) = parsed(_winmail(b"\x89PNG\r\n\x1a\n")).attachments
    assert (file.filename, file.content_type) == ("winmail.dat", "image/png")


@pytest.mark.parametrize(
    ("message_class", "kind"),
    [
        ("REPORT.IPM.Note.NDR", Automatic.BOUNCE),
        ("REPORT.IPM.Note.IPNRN", Automatic.AUTO_REPLY),
        ("IPM.Note.Rules.OofTemplate.Microsoft", Automatic.AUTO_REPLY),
        ("IPM.Schedule.Meeting.Resp.Pos", Automatic.AUTO_REPLY),
        ("IPM.Note", Automatic.NO),
    ],
)
def test_message_classes(message_class: str, kind: Automatic) -> None:
    """Outlook says inside what kind of mail it is."""
    content = HEADER + _attribute(1, 0x00078008, message_class.encode() + b"\0")
    assert classified(_winmail(content))[0] is kind


@given(st.binary(max_size=200), st.integers(0, 200))
def test_total(noise: bytes, cut: int) -> None:
    """Noise, cuts and lying lengths give what can be read, quickly."""
    whole = HEADER + _file("a", b"x" * 20) + _attribute(1, 0x00069003, noise)
    for data in (HEADER + noise, whole[:cut], whole[: cut // 2] + noise + whole[cut // 2 :]):
        container = tnef.read(data)
        assert container is None or all(isinstance(f.content, bytes) for f in container.files)
    rtf.to_text(b"{\\rtf1" + noise)
    rtf.decompress(struct.pack("<IIII", 9, 0xFFFFFFFF, 0x75465A4C, 0) + noise)


def test_a_property_that_claims_four_billion_values() -> None:
    """Counts are held against the bytes that are there."""
    lying = struct.pack("<IHHI", 0xFFFFFFFF, 0x1003, 0x1000, 0xFFFFFFFF)
    container = tnef.read(HEADER + _attribute(1, 0x00069003, lying))
    assert container is not None
    assert container.broken


def test_the_attributes_of_old_programs() -> None:
    """Before MAPI: subject, class, body and files as attributes in the sender's code page."""
    content = (
        HEADER
        + _attribute(1, 0x00069007, struct.pack("<II", 1251, 0))
        + _attribute(1, 0x00018004, "тема".encode("cp1251") + b"\0")
        + _attribute(1, 0x00078008, b"IPM.Microsoft Mail.Note\0")
        + _attribute(1, 0x0002800C, "привет".encode("cp1251") + b"\0")
        + _attribute(2, 0x00018010, b"before any file\0")
        + _attribute(2, 0x00069002, b"\0" * 14)
        + _attribute(2, 0x00018010, "файл.txt".encode("cp1251") + b"\0")
        + _attribute(2, 0x0006800F, b"abc")
    )
    container = tnef.read(content)
    assert container is not None
    assert (container.subject, container.text) == ("тема", "привет")
    assert container.message_class == "IPM.Microsoft Mail.Note"
    assert [(f.name, f.content) for f in container.files] == [("файл.txt", b"abc")]


def test_every_kind_of_property_is_stepped_over() -> None:
    """Named, fixed, multi-valued and object properties stand before the ones that are wanted."""
    guid = b"\1" * 16
    by_number = struct.pack("<HH", 0x0003, 0x8001) + guid + struct.pack("<III", 0, 7, 42)
    label = "nome\0".encode("utf-16-le") + b"\0\0"
    by_name = struct.pack("<HH", 0x000B, 0x8002) + guid + struct.pack("<II", 1, 10) + label
    many = struct.pack("<HHI", 0x1003, 0x0E01, 3) + struct.pack("<III", 1, 2, 3)
    texts = struct.pack("<HHII", 0x101E, 0x0E02, 2, 2) + b"a\0\0\0"
    texts += struct.pack("<I", 2) + b"b\0\0\0"
    embedded = b"\2" * 16 + HEADER
    data = _properties(
        by_number, by_name + struct.pack("<I", 1), many, texts,
        struct.pack("<HHQ", 0x0040, 0x0E06, 0),
        _variable(0x1E, 0x3704, b"dentro.msg\0"),
        _variable(0x1E, 0x370E, b"Text/X\0"),
        _variable(0x0D, 0x3701, embedded),
    )  # fmt: skip
    content = HEADER + _attribute(2, 0x00069002, b"") + _attribute(2, 0x00069005, data)
    container = tnef.read(content)
    assert container is not None
    (file,) = container.files
    assert not container.broken
    assert (file.name, file.content_type) == ("dentro.msg", "application/ms-tnef")
    assert file.content == HEADER


def test_what_rich_text_does_not_say() -> None:
    """Pictures, hidden groups and what is only for readers of RTF are left out."""
    source = (
        rb"{\rtf1\uc2{\*\generator x;}{\pict 89504e47}{\info{\author a}}"
        rb"{\*\htmltag64 <p>}\htmlrtf dropped\htmlrtf0 kept \{braces\} \u8364??euro\u-4\'3f\'3f."
        rb"\emdash\~x}"
    )
    assert rtf.to_text(source) == "kept {braces} €euro\ufffc.—\u00a0x"
    assert rtf.to_text(b"no rich text") == ""
    assert rtf.decompress(struct.pack("<IIII", 9, 9, 1, 0) + b"x" * 9) == b""


def _message(text: str, subject: str = "") -> bytes:
    body = _variable(0x1F, 0x1000, f"{text}\0".encode("utf-16-le"))
    title = _variable(0x1F, 0x0037, f"{subject}\0".encode("utf-16-le"))
    return _attribute(1, 0x00069003, _properties(body, title))


@pytest.mark.parametrize("size", [4, 5, 7, 20, 60])
def test_a_cut_container_is_kept_and_named(size: int) -> None:
    """What is cut off cannot be known: the bytes stay beside what could be read."""
    mail = parsed(_winmail((HEADER + _file("a.pdf", b"%PDF-1" * 20))[:size]))
    assert "tnef-broken" in mail.defects
    assert mail.attachments[0].filename == "winmail.dat"
    assert mail.attachments[0].size == size


def test_a_whole_container_has_no_defect() -> None:
    """Its files stand for it."""
    mail = parsed(_winmail(HEADER + _file("a.pdf", b"%PDF-1")))
    assert mail.defects == ()
    assert [a.filename for a in mail.attachments] == ["a.pdf"]


def test_a_container_in_a_container_is_opened() -> None:
    """A forwarded mail: its files come out, and its words as a file, not as the sender's."""
    inner = HEADER + _message("parole di un altro", "R: preventivo") + _file("b.pdf", b"%PDF-2")
    content = HEADER + _message("le mie parole") + _file("winmail.dat", inner)
    mail = parsed(_winmail(content))
    assert mail.body_text == "le mie parole"
    assert [(a.filename, a.content) for a in mail.attachments] == [
        ("winmail.dat.txt", b"parole di un altro"),
        ("b.pdf", b"%PDF-2"),
    ]
    assert mail.defects == ()


def test_containers_without_end() -> None:
    """Below the fifth level the rest is kept, unopened, and the mail says so."""
    content = HEADER + _file("end.pdf", b"%PDF-1")
    for _ in range(8):
        content = HEADER + _file("winmail.dat", content)
    mail = parsed(_winmail(content))
    assert "tnef-depth" in mail.defects
    assert [a.filename for a in mail.attachments] == ["winmail.dat"]


def test_an_empty_text_beside_it_is_no_other() -> None:
    """The words inside count where the text part is blank."""
    content = HEADER + _message("dentro")
    mail = parsed(_winmail(content, "--b\nContent-Type: text/plain\n\n \n\n"))
    assert (mail.body_text or "").split() == ["dentro"]
