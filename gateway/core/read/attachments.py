"""Attached files as values: a safe name, a type that the bytes confirm, a digest.

Nothing is unpacked or rendered.
"""

import hashlib
import re

from gateway.core.model import Attachment
from gateway.core.read.filenames import name_for

_ZIP = "application/zip"
_OLE = "application/x-ole-storage"
# Where the magic stands at the very start. Longer and rarer first.
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", _ZIP),
    (b"PK\x05\x06", _ZIP),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _OLE),
    (b"\x1f\x8b\x08", "application/gzip"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"BZh", "application/x-bzip2"),
    (b"\xfd7zXZ\x00", "application/x-xz"),
    (b"\x28\xb5\x2f\xfd", "application/zstd"),
    (b"MSCF", "application/vnd.ms-cab-compressed"),
    (b"\x7fELF", "application/x-executable"),
    (b"\xca\xfe\xba\xbe", "application/java-vm"),
    (b"L\x00\x00\x00\x01\x14\x02\x00", "application/x-ms-shortcut"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"{\\rtf", "application/rtf"),
    (b"ID3", "audio/mpeg"),
    (b"OggS", "application/ogg"),
    (b"fLaC", "audio/flac"),
    (b"\x00\x00\x01\x00", "image/vnd.microsoft.icon"),
    (b"8BPS", "image/vnd.adobe.photoshop"),
    (b"\x78\x9f\x3e\x22", "application/ms-tnef"),
    (b"!BDN", "application/vnd.ms-outlook-pst"),
    (b"SQLite format 3\x00", "application/vnd.sqlite3"),
    (b"%!PS", "application/postscript"),
    (b"BEGIN:VCALENDAR", "text/calendar"),
    (b"BEGIN:VCARD", "text/vcard"),
    (b"-----BEGIN PGP SIGNATURE", "application/pgp-signature"),
    (b"-----BEGIN PGP MESSAGE", "application/pgp-encrypted"),
)
_ZIP_BASED = re.compile(
    r"application/(?:vnd\.openxmlformats-|vnd\.oasis\.|vnd\.ms-\w+\.\w*macro|epub|java-archive|x-java|x-zip|"
    r"vnd\.android|vnd\.google|vnd\.apple|x-iwork|zip|x-xpinstall|vnd\.ms-xpsdocument)"
)
_OLE_BASED = re.compile(
    r"application/(?:msword|vnd\.ms-|vnd\.visio|x-msi|x-hwp|x-ole|msexcel|mspowerpoint)"
)
_OFFICE = (
    (b"word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (b"xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (b"ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    (b"META-INF/MANIFEST.MF", "application/java-archive"),
)
_OPEN_DOCUMENT = re.compile(
    rb"mimetype(application/(?:vnd\.oasis\.opendocument\.[a-z-]+|epub\+zip))"
)
_HTML = re.compile(
    rb"\s*(?:<!--.{0,400}?-->\s*)?<(?:!doctype\s+html|html|head|body|script|iframe)[\s>]",
    re.IGNORECASE | re.DOTALL,
)
_SVG = re.compile(
    rb"\s*(?:<\?xml[^>]{0,200}>\s*)?(?:<!doctype[^\[>]{0,200}[\[>].{0,400}?)?<svg[\s>]",
    re.IGNORECASE | re.DOTALL,
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_MZ = re.compile(rb"MZ.{58}(....)", re.DOTALL)


def attachment(
    name: str | None, declared: str, content: bytes, inline: bool, number: int, subject: str = ""
) -> Attachment:
    """One attached file. `subject` names a forwarded mail that has no name of its own."""
    content_type = sniffed(content, declared)
    named_after = content_type if declared == "application/octet-stream" else declared
    return Attachment(
        filename=name_for(name, named_after, number, subject),
        content_type=content_type,
        declared_type=declared,
        size=len(content),
        digest=hashlib.sha256(content).hexdigest(),
        inline=inline,
        content=content,
    )


def sniffed(content: bytes, declared: str) -> str:
    """The type that the first bytes prove, else the declared one. Looks at 4 KiB at most."""
    head = content[:4096]
    found = next((kind for magic, kind in _MAGIC if head.startswith(magic)), None)
    if found == _ZIP:
        return _zip_kind(head, declared)
    if found == _OLE:
        return declared if _OLE_BASED.match(declared) else _OLE
    if found == "text/calendar" and declared in ("text/calendar", "application/ics"):
        return declared
    return found or _less_certain(head, declared)


def _zip_kind(head: bytes, declared: str) -> str:
    if _ZIP_BASED.match(declared):
        return declared
    opened = _OPEN_DOCUMENT.search(head[:200])
    if opened:
        return opened.group(1).decode("ascii")
    return next((kind for mark, kind in _OFFICE if mark in head), _ZIP)


def _less_certain(head: bytes, declared: str) -> str:
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12], declared)
    if head[4:8] == b"ftyp":
        return "image/heic" if head[8:12] in (b"heic", b"heix", b"mif1") else "video/mp4"
    if head[:2] == b"BM" and declared.startswith("image/"):
        return "image/bmp"
    if _MZ.match(head) and (b"This program" in head or b"PE\0\0" in head):
        return "application/vnd.microsoft.portable-executable"
    if declared == "message/rfc822":
        return declared
    # A page or a drawing with scripts under the name of something harmless.
    if _SVG.match(head[:2048]):
        return "image/svg+xml"
    if _HTML.match(head[:1024]) and declared not in ("application/xhtml+xml", "text/xml"):
        return "text/html"
    return declared if declared and "/" in declared else "application/octet-stream"
