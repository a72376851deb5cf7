"""The MIME reader: structure, words, files, people's headers, and the budget."""

import base64
import binascii
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from read_support import crlf, from_anna, parsed

from gateway.core.read import mime, transfer, wire

HEAD = (
    "From: Anna <anna@cliente.example>\nTo: support@support.host.example\n"
    "Subject: s\nMIME-Version: 1.0\n"
)


def _multipart(kind: str, *parts: str, boundary: str = "b") -> str:
    body = "".join(f"--{boundary}\n{part}\n" for part in parts)
    return f'{HEAD}Content-Type: multipart/{kind}; boundary="{boundary}"\n\n{body}--{boundary}--\n'


PLAIN = "Content-Type: text/plain\n\nciao"
PAGE = "Content-Type: text/html\n\n<p>ciao</p>"
PNG = "Content-Type: image/png; name=a.png\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo="


def test_headers_for_people() -> None:
    """Subject, name, identifiers, date, recipients and threading words are decoded."""
    mail = parsed(
        "From: =?utf-8?q?Anna_Perch=C3=A9?= <anna@cliente.example>\n"
        "To: Supporto <support@support.host.example>, b@x.example\nCc: c@x.example\n"
        "Subject: =?utf-8?q?per=C3=B2?=\n =?utf-8?q?_gi=C3=B9?=\n"
        "Message-ID: <m@cliente.example>\nIn-Reply-To: <r@host.example>\n"
        "References: <q@host.example>\n <r@host.example>\nDate: Mon, 02 Mar 2026 10:00:00 +0100\n"
        "Thread-Topic: argomento\nThread-Index: AcmK80zS\n\nciao\n"
    )
    assert (mail.subject, mail.from_name) == ("però giù", "Anna Perché")
    assert (mail.message_id, mail.in_reply_to) == ("<m@cliente.example>", ("<r@host.example>",))
    assert mail.references == ("<q@host.example>", "<r@host.example>")
    assert mail.date is not None
    assert mail.date.isoformat() == "2026-03-02T10:00:00+01:00"
    assert [str(a) for a in (*mail.to, *mail.cc)] == [
        "support@support.host.example",
        "b@x.example",
        "c@x.example",
    ]
    assert (mail.thread_topic, mail.thread_index) == ("argomento", "AcmK80zS")
    assert (mail.body_text, mail.body_html, mail.attachments) == ("ciao\n", None, ())


def test_a_mail_without_mime_headers_is_text() -> None:
    """RFC 2045 5.2: no type is plain text; bytes that are not UTF-8 are Windows-1252."""
    assert parsed(b"Subject: s\n\nper\xf2 s\xec\n").body_text == "però sì\n"


def test_alternatives_are_one_text_in_two_forms() -> None:
    """Both forms are kept, neither is a file."""
    mail = parsed(_multipart("alternative", PLAIN, PAGE))
    assert (mail.body_text, mail.body_html, mail.attachments) == ("ciao", "<p>ciao</p>", ())


def test_an_empty_text_is_no_alternative() -> None:
    """Some programs send a blank text beside the page."""
    mail = parsed(_multipart("alternative", "Content-Type: text/plain\n\n \n", PAGE))
    assert (mail.body_text, mail.body_html) == (None, "<p>ciao</p>")


def test_texts_that_follow_each_other_are_one() -> None:
    """A footer that a list adds does not replace the words; a page loses no plain neighbour."""
    footer = "Content-Type: text/plain\n\n-- <lista>"
    assert parsed(_multipart("mixed", PLAIN, footer)).body_text == "ciao\n-- <lista>"
    mail = parsed(_multipart("mixed", PAGE, footer))
    assert mail.body_text is None
    assert mail.body_html == "<p>ciao</p>\n<div>-- &lt;lista&gt;</div>"


def test_files_and_what_they_are() -> None:
    """Attached, inline and nameless parts, in order."""
    mail = parsed(
        _multipart(
            "mixed",
            PLAIN,
            PNG,
            "Content-Type: text/plain\nContent-Disposition: attachment; filename=log.txt\n\nlog",
            "Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR",
            "Content-Type: image/gif\nContent-ID: <x@y>\n\nGIF89a",
        )
    )
    assert mail.body_text == "ciao"
    assert [(a.filename, a.content_type, a.inline) for a in mail.attachments] == [
        ("a.png", "image/png", False),
        ("log.txt", "text/plain", False),
        ("invite.ics", "text/calendar", False),
        ("attachment-4.gif", "image/gif", True),
    ]
    assert mail.attachments[0].content == b"\x89PNG\r\n\x1a\n"
    assert mail.calendar_method == "REQUEST"


def test_a_forwarded_mail_is_a_file() -> None:
    """Its words, subject and addresses are not those of the sender."""
    inner = "Content-Type: message/rfc822\n\nFrom: x@y.example\nSubject: il vecchio\n\nsegreto"
    mail = parsed(_multipart("mixed", PLAIN, inner))
    assert mail.body_text == "ciao"
    (file,) = mail.attachments
    assert (file.filename, file.content_type) == ("il vecchio.eml", "message/rfc822")
    assert b"segreto" in file.content


def test_a_digest_holds_mails() -> None:
    """RFC 2046 5.1.5: the parts of a digest are mails unless they say otherwise."""
    mail = parsed(_multipart("digest", "\nSubject: uno\n\n1", "\nSubject: due\n\n2"))
    assert [a.filename for a in mail.attachments] == ["uno.eml", "due.eml"]
    assert mail.body_text is None


def test_signed_and_encrypted() -> None:
    """A signature is a file when it has a name; what is encrypted is kept as it is."""
    signature = "Content-Type: application/pgp-signature{}\n\n-----BEGIN PGP SIGNATURE-----"
    bare = parsed(_multipart("signed", PLAIN, signature.format("")))
    named = parsed(_multipart("signed", PLAIN, signature.format('; name="signature.asc"')))
    assert (bare.body_text, bare.attachments) == ("ciao", ())
    assert [a.filename for a in named.attachments] == ["signature.asc"]
    secret = parsed(
        _multipart(
            "encrypted",
            "Content-Type: application/pgp-encrypted\n\nVersion: 1",
            "Content-Type: application/octet-stream; name=encrypted.asc\n\n-----BEGIN PGP MESSAGE",
        )
    )
    assert [a.filename for a in secret.attachments] == ["version.asc", "encrypted.asc"]
    smime = parsed(
        HEAD + "Content-Type: application/pkcs7-mime\nContent-Transfer-Encoding: base64\n\nMIIB"
    )
    assert [a.filename for a in smime.attachments] == ["smime.p7m"]


def test_uuencoded_files_leave_the_text() -> None:
    """Old programs write files into the text; the words around them stay."""
    mail = parsed(from_anna("Subject: s", "prima\nbegin 644 a.txt\n#0V%T\n`\nend\ndopo"))
    assert mail.body_text == "prima\ndopo\n"
    assert [(a.filename, a.content) for a in mail.attachments] == [("a.txt", b"Cat")]


@pytest.mark.parametrize(
    ("boundary", "closed", "text", "defect"),
    [
        ("b", True, "ciao", None),
        ("b", False, "ciao", "boundary-open"),
        ("other", True, "ciao", "boundary-guessed"),
    ],
)
def test_boundaries_as_they_come(
    boundary: str, closed: bool, text: str, defect: str | None
) -> None:
    """Not closed, or not the one that the header names: what is there is still read."""
    end = "--b--\n" if closed else ""
    mail = parsed(
        f"{HEAD}Content-Type: multipart/mixed; boundary={boundary}\n\n--b\n{PLAIN}\n{end}"
    )
    assert (mail.body_text or "").rstrip("\n") == text
    assert mail.defects == ((defect,) if defect else ())


def test_a_multipart_without_parts_is_text() -> None:
    """RFC 2046 5.1 cannot be applied: the text is shown."""
    mail = parsed(f"{HEAD}Content-Type: multipart/mixed; boundary=x\n\nsolo testo\n")
    assert (mail.body_text, mail.defects) == ("solo testo\n", ("boundary-missing",))


def test_boundaries_that_begin_alike() -> None:
    """`b` does not end at `b-inner`, and what follows the outer end is nobody's."""
    inner = (
        "Content-Type: multipart/alternative; boundary=b-inner\n\n--b-inner\n"
        + PLAIN
        + "\n--b-inner--"
    )
    mail = parsed(_multipart("mixed", inner, PNG) + "epilogo\n")
    assert (mail.body_text, [a.filename for a in mail.attachments]) == ("ciao", ["a.png"])


def test_an_unclosed_inner_multipart_ends_with_the_outer() -> None:
    """The inner parts never swallow their aunts."""
    inner = "Content-Type: multipart/alternative; boundary=i\n\n--i\n" + PLAIN
    mail = parsed(_multipart("mixed", inner, PNG))
    assert (mail.body_text, [a.filename for a in mail.attachments]) == ("ciao", ["a.png"])


def test_a_text_with_a_name_is_read_when_it_is_all_there_is() -> None:
    """Some programs give the only text a file name."""
    mail = parsed(_multipart("mixed", "Content-Type: text/plain; name=msg.txt\n\nparole"))
    assert mail.body_text == "parole"
    assert [a.filename for a in mail.attachments] == ["msg.txt"]


def _deep(levels: int) -> str:
    opening = "".join(
        f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(levels)
    )
    return HEAD + opening + PLAIN + "\n"


def test_depth_is_bounded() -> None:
    """Twenty levels are opened; the rest is one file, and is said."""
    assert (parsed(_deep(19)).body_text or "").strip() == "ciao"
    mail = parsed(_deep(2000))
    assert mail.body_text is None
    assert "mime-depth" in mail.defects
    assert len(mail.attachments) == 1


def test_the_number_of_parts_is_bounded() -> None:
    """Five hundred parts are opened; the rest is one file."""
    mail = parsed(_multipart("mixed", *["\nx"] * 3000))
    assert mail.defects == ("mime-parts",)
    assert mail.body_text is not None
    assert mail.body_text.count("x") == 499
    assert mail.attachments[0].content.count(b"x") == 2501


def test_the_decoded_size_is_bounded() -> None:
    """Beyond the budget a part stays as it came, and is said."""
    raw = _multipart("mixed", PLAIN, PNG, PNG)
    mail = parsed(raw, mime.Budget(decoded=20))
    assert "mime-size" in mail.defects
    assert [a.content[:4] for a in mail.attachments] == [b"\x89PNG", b"iVBO"]


def _calls(raw: bytes) -> int:
    """How many functions, ours and C's, one reading calls."""
    count = 0

    def tick(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    headers = wire.read(raw).headers
    sys.setprofile(tick)
    try:
        mime.read(raw, headers)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize(
    "unit",
    [
        "\n--b\nContent-Type: text/plain\n\nx",
        "\n--bb\n--b--x\n",
        "begin 644 a\nxx\n",
        "=?a?q?b ",
        "<style <b",
        "=\n",
    ],
)
def test_work_grows_with_the_size_and_no_faster(unit: str) -> None:
    """Five times the length makes at most six times the calls."""
    small, large = (
        crlf(f"{HEAD}Content-Type: multipart/mixed; boundary=b\n\n{unit * n}\n") for n in (80, 400)
    )
    assert _calls(large) <= 6 * _calls(small)


def test_a_large_attachment_takes_no_loop_over_lines() -> None:
    """Base64 is decoded whole: the number of calls does not depend on its length."""

    def mail(size: int) -> bytes:
        data = base64.encodebytes(b"x" * size).decode()
        head = "Content-Type: image/png; name=a\nContent-Transfer-Encoding: base64\n\n"
        return crlf(_multipart("mixed", head + data))

    assert _calls(mail(4_000_000)) < _calls(mail(1_000)) + 100


FRAGMENTS = st.sampled_from(
    [
        b"--b", b"--b--", b"\r\n", b"\r\n\r\n", b"\n", b"\r", b"\0", b"Content-Type: ",
        b"multipart/mixed", b"; boundary=b", b"text/plain", b"message/rfc822", b"text/html",
        b"Content-Transfer-Encoding: base64", b"quoted-printable", b"x-uuencode", b"begin 644 a\n",
        b"end\n", b"; charset=", b"utf-7", b"utf-16", b"; name*0*=utf-8''%", b'"', b"=?utf-8?b?",
        b"?=", b"application/ms-tnef", b"multipart/alternative", b"message/delivery-status",
        b"\xff", b"Date: 7 May 11111111110 7:4", b"From: ", b"Subject: ", b"name=postacert.eml",
        b"X-Trasporto: posta-certificata", b"x\x9f\x3e\x22\x00\x00",
    ]
)  # fmt: skip


@settings(max_examples=200)
@given(st.lists(st.one_of(FRAGMENTS, st.binary(max_size=12)), max_size=60).map(b"".join))
def test_total(raw: bytes) -> None:
    """Any bytes give a reading that can be stored; nothing raises."""
    for whole in (raw, b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + raw):
        mail = mime.read(whole, wire.read(whole).headers)
        for text in (mail.subject, mail.from_name, mail.body_text or "", mail.body_html or ""):
            text.encode("utf-8")
            assert "\0" not in text
        assert all(a.filename and "/" not in a.filename for a in mail.attachments)
        assert "\n" not in mail.subject + mail.from_name


BASE64 = (
    "From: Anna <anna@cliente.example>\nSubject: s\nMIME-Version: 1.0\n"
    "Content-Type: text/{}; charset={}\nContent-Transfer-Encoding: base64\n\n"
)
FOOTER = "\n_____________\nclienti mailing list\nhttps://lista.example/\n"


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "utf-16"])
@pytest.mark.parametrize("words", ["perché è giù?", "perché è giù??", "perché è giù???"])
def test_a_footer_under_base64_is_text(charset: str, words: str) -> None:
    """The body keeps its charset, padded or not, and what was put under it is read as it is."""
    data = base64.b64encode(words.encode(charset)).decode()
    for body in (data, data.rstrip("=")):
        mail = parsed(BASE64.format("plain", charset) + body + FOOTER)
        assert mail.body_text is not None
        assert mail.body_text.split("\n")[0] == words
        assert "clienti mailing list" in mail.body_text
        assert "base64-trailing-text" in mail.defects
    page = parsed(BASE64.format("html", charset) + data + FOOTER)
    assert page.body_html is not None
    assert words in page.body_html
    assert "clienti mailing list" in page.body_html


def test_words_that_only_claim_to_be_base64() -> None:
    """Plain words are read as they stand, as text and as a page."""
    mail = parsed(BASE64.format("plain", "utf-8") + "Il sito è giù, aiuto.\n")
    assert (mail.body_text, mail.defects) == (
        "Il sito è giù, aiuto.\n",
        ("base64-trailing-text",),
    )
    page = parsed(BASE64.format("html", "utf-8") + "<p>Il sito è giù, aiuto.</p>\n")
    assert page.body_html == "<p>Il sito è giù, aiuto.</p>\n"


LONG = 1024 * 1024


@pytest.mark.parametrize("encoding", ["8bit", "base64", "quoted-printable"])
def test_a_text_that_is_too_long_is_a_file_too(encoding: str) -> None:
    """Its first MiB is read as words, cut at a word; all of it is kept as a file."""
    words = "perché è giù da ieri\r\n" * 60_000
    data = words.encode()
    sent = {
        "8bit": data,
        "base64": base64.encodebytes(data),
        "quoted-printable": binascii.b2a_qp(data),
    }[encoding]
    mail = parsed(
        b"Subject: s\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
        + f"Content-Transfer-Encoding: {encoding}\r\n\r\n".encode()
        + sent
    )
    assert mail.body_text is not None
    assert 0.9 * LONG < len(mail.body_text.encode()) <= LONG
    assert words.replace("\r\n", "\n").startswith(mail.body_text)
    assert [a.content for a in mail.attachments] == [data]
    assert mail.defects == ("text-cut",)


def test_many_long_texts_share_one_limit() -> None:
    """What does not fit any more is a file."""
    texts = [f"Content-Type: text/plain\n\n{'parola ' * 60_000}fine{n}" for n in range(4)]
    mail = parsed(_multipart("mixed", *texts))
    assert mail.body_text is not None
    assert "fine1" in mail.body_text
    assert len(mail.body_text) <= LONG + 10
    assert [a.content[-5:] for a in mail.attachments] == [b"fine2", b"fine3"]


def test_pictures_written_into_a_page_are_no_words() -> None:
    """A long page of pictures is read to its end."""
    picture = f'<img src="data:image/png;base64,{"A" * 700_000}">'
    page = f"<p>prima</p>{picture}<p>in mezzo</p>{picture}<p>dopo</p>"
    mail = parsed(f"Subject: s\nMIME-Version: 1.0\nContent-Type: text/html\n\n{page}\n")
    assert mail.body_html is not None
    assert len(mail.body_html) < 1000
    assert "dopo" in mail.body_html
    assert mail.defects == ()


@given(st.binary(max_size=3000), st.sampled_from(["base64", "quoted-printable", "8bit"]))
@settings(max_examples=60)
def test_steps_change_nothing(data: bytes, encoding: str) -> None:
    """A part that is decoded in steps gives what one that is decoded at once gives."""
    sent = {
        "base64": base64.encodebytes(data * 900),
        "quoted-printable": binascii.b2a_qp(data * 900, istext=False),
        "8bit": data,
    }[encoding]
    decoded = {"8bit": data}.get(encoding, data * 900)
    if b"\r" not in data:
        assert bytes(transfer.decode(sent, encoding)[0]) == decoded


def test_what_openpgp_encrypted_is_named() -> None:
    """It is kept, as a file or as the text that it came in, and the mail says that nobody here
    can read it.
    """
    parts = (
        "Content-Type: application/pgp-encrypted\n\nVersion: 1",
        "Content-Type: application/octet-stream; name=a.asc\n\n-----BEGIN PGP MESSAGE-----",
    )
    mail = parsed(_multipart("encrypted", *parts))
    assert mail.defects == ("pgp-encrypted",)
    assert len(mail.attachments) == 2
    inline = parsed(from_anna("Subject: s", "-----BEGIN PGP MESSAGE-----\n\nabc\n"))
    assert inline.defects == ("pgp-encrypted",)
    assert (inline.body_text or "").startswith("-----BEGIN PGP MESSAGE-----")
