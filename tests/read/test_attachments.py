"""Attached files: safe names, types that the bytes confirm, digests."""

import hashlib
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.read.attachments import attachment, sniffed
from gateway.core.read.filenames import name_for, safe


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("fattura marzo.pdf", "fattura marzo.pdf"),
        ("../../../../etc/cron.d/x", "x"),
        ("..\\..\\windows\\win.ini", "win.ini"),
        ("C:\\x.exe", "x.exe"),
        ("C:x.exe", "C_x.exe"),
        ("https://evil.example/x", "x"),
        ("a\u2215b\uff0fc.txt", "c.txt"),
        ("%2e%2e%2fx", "_2e_2e_2fx"),
        ("sconto 50%.pdf", "sconto 50%.pdf"),
        (".htaccess", "htaccess"),
        (".", ""),
        ("..", ""),
        ("", ""),
        ("CON.txt", "_CON.txt"),
        ("nul", "_nul"),
        ("com1.tar.gz", "_com1.tar.gz"),
        ("console.log", "console.log"),
        ("a.txt\0.exe", "a.txt.exe"),
        ("a\nb.txt", "ab.txt"),
        ("gpj.\u202eexe", "gpj.exe"),
        ("zero\u200bwidth\ufeff.txt", "zerowidth.txt"),
        ("e\u0300.txt", "è.txt"),
        ('a<b>:"|?*.txt', "a_b______.txt"),
        ("trailing. . .", "trailing"),
        ("folder/", "folder"),
    ],
)
def test_safe_names(name: str, kept: str) -> None:
    """The last component, without anything that a file system or a terminal would obey."""
    assert safe(name) == kept


def test_a_long_name_keeps_its_extension() -> None:
    """Cut in the stem, in characters and in bytes."""
    assert safe("a" * 3000 + ".txt") == "a" * 116 + ".txt"
    assert len(safe("è" * 3000 + ".pdf").encode()) <= 244
    assert safe("è" * 3000 + ".pdf").endswith(".pdf")


@given(st.text(max_size=200))
def test_names_are_always_safe(name: str) -> None:
    """Whatever a mail says: one component, printable, not hidden, and safe again."""
    kept = safe(name)
    assert not set(kept) & set('/\\<>:"|?*')
    assert not kept.startswith(".")
    assert kept == kept.strip(" .")
    assert len(kept) <= 121
    assert all(unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in kept)
    assert safe(kept) == kept


@pytest.mark.parametrize(
    ("kind", "subject", "name"),
    [
        ("image/png", "", "attachment-3.png"),
        ("text/calendar", "", "invite.ics"),
        ("application/pkcs7-signature", "", "smime.p7s"),
        ("application/pkcs7-mime", "", "smime.p7m"),
        ("application/pgp-signature", "", "signature.asc"),
        ("message/rfc822", "Re: a/b", "Re_ a_b.eml"),
        ("message/rfc822", "", "attachment-3.eml"),
        ("text/x-patch", "", "attachment-3.txt"),
        ("application/x-unheard-of", "", "attachment-3.bin"),
    ],
)
def test_names_for_the_nameless(kind: str, subject: str, name: str) -> None:
    """What everybody calls such a part, the subject of a forwarded mail, or a number."""
    assert name_for(None, kind, 3, subject) == name
    assert name_for("..", kind, 3, subject) == name


@pytest.mark.parametrize(
    ("content", "declared", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n....", "application/octet-stream", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/png", "image/jpeg"),
        (b"%PDF-1.7", "application/msword", "application/pdf"),
        (b"PK\x03\x04....word/document.xml", "application/octet-stream",
         "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (b"PK\x03\x04", "application/vnd.oasis.opendocument.text",
         "application/vnd.oasis.opendocument.text"),
        (b"PK\x03\x04", "image/png", "application/zip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/msword", "application/msword"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "image/gif", "application/x-ole-storage"),
        (b"MZ" + b"\0" * 62 + b"This program cannot be run", "image/png",
         "application/vnd.microsoft.portable-executable"),
        (b"<!DOCTYPE html><html>", "image/png", "text/html"),
        (b'<?xml version="1.0"?><svg onload="x">', "text/plain", "image/svg+xml"),
        (b"hello", "text/plain", "text/plain"),
        (b"hello", "", "application/octet-stream"),
        (b"RIFF....WEBPVP8", "image/png", "image/webp"),
        (b"", "image/png", "image/png"),
        (b"\0\0\0\x18ftypheic", "application/octet-stream", "image/heic"),
        (b"\0\0\0\x18ftypmp42", "application/octet-stream", "video/mp4"),
        (b"BM....", "image/x-ms-bmp", "image/bmp"),
        (b"BM is a band", "text/plain", "text/plain"),
        (b"PK\x03\x04" + b"\0" * 26 + b"mimetypeapplication/vnd.oasis.opendocument.text", "",
         "application/vnd.oasis.opendocument.text"),
        (b"BEGIN:VCALENDAR", "application/ics", "application/ics"),
        (b"<html>", "message/rfc822", "message/rfc822"),
    ],
)  # fmt: skip
def test_types_are_what_the_bytes_say(content: bytes, declared: str, kind: str) -> None:
    """Magic wins over the declaration; without it the declaration stands."""
    assert sniffed(content, declared) == kind


def test_an_attachment_keeps_both_types_and_a_digest() -> None:
    """The value holds the bytes, their size and SHA-256."""
    value = attachment("x.txt", "text/plain", b"%PDF-1.4", inline=True, number=1)
    assert (value.filename, value.content_type) == ("x.txt", "application/pdf")
    assert value.declared_type == "text/plain"
    assert (value.size, value.inline, value.content) == (8, True, b"%PDF-1.4")
    assert value.digest == hashlib.sha256(b"%PDF-1.4").hexdigest()
