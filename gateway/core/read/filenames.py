"""Names of attached files, made safe to show, to store and to offer for download on any system.

No path, drive, control or direction character, reserved Windows name or leading dot survives; the
extension does.
"""

import re
import unicodedata

_LONGEST = 120  # characters; and below 255 bytes in UTF-8, what file systems take
_BYTES = 240
_SEPARATORS = re.compile(r"[/\\\u2044\u2215\u29f8\u29f9\uff0f\uff3c\ufe68\u2216]")
_FORBIDDEN = re.compile(r'[<>:"|?*\ufffd\uff1a\ua789\u2236`$]')
_PERCENT = re.compile(r"%(?=[0-9A-Fa-f]{2})")
_RESERVED = re.compile(
    r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)\s*(?:\..*)?\Z", re.IGNORECASE
)
_SPACES = re.compile(r"\s+")
# Invisible, direction-changing, private and unassigned characters, and line separators.
_DROPPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})

EXTENSIONS = {
    "application/ics": "ics", "application/json": "json", "application/ms-tnef": "dat",
    "application/msword": "doc", "application/octet-stream": "bin", "application/pdf": "pdf",
    "application/pgp-encrypted": "asc", "application/pgp-keys": "asc",
    "application/pgp-signature": "asc", "application/pkcs7-mime": "p7m",
    "application/pkcs7-signature": "p7s", "application/rtf": "rtf",
    "application/vnd.ms-excel": "xls",
    "application/vnd.ms-powerpoint": "ppt", "application/x-pkcs7-mime": "p7m",
    "application/x-pkcs7-signature": "p7s", "application/xml": "xml", "application/zip": "zip",
    "application/gzip": "gz", "audio/mpeg": "mp3", "image/bmp": "bmp", "image/gif": "gif",
    "image/jpeg": "jpg", "image/jpg": "jpg", "image/pjpeg": "jpg",
    "image/png": "png", "image/svg+xml": "svg", "image/tiff": "tif",
    "image/webp": "webp", "message/rfc822": "eml", "message/global": "eml", "text/calendar": "ics",
    "text/csv": "csv", "text/html": "html", "text/plain": "txt", "text/rtf": "rtf",
    "text/vcard": "vcf", "text/x-vcard": "vcf", "text/xml": "xml", "text/rfc822-headers": "txt",
    "message/delivery-status": "txt", "video/mp4": "mp4",
}  # fmt: skip
_BY_FAMILY = {"text": "txt", "message": "txt"}
# What nameless parts of a known kind are called everywhere.
_CUSTOMARY = {
    "text/calendar": "invite.ics", "application/ics": "invite.ics",
    "application/pkcs7-signature": "smime.p7s", "application/x-pkcs7-signature": "smime.p7s",
    "application/pkcs7-mime": "smime.p7m", "application/x-pkcs7-mime": "smime.p7m",
    "application/pgp-signature": "signature.asc", "application/pgp-encrypted": "version.asc",
    "application/pgp-keys": "key.asc", "application/ms-tnef": "winmail.dat",
    "message/delivery-status": "delivery-status.txt", "text/rfc822-headers": "headers.txt",
}  # fmt: skip


def safe(name: str) -> str:
    """The last component of a name, cleaned; empty when nothing is left of it."""
    name = unicodedata.normalize("NFC", name[:4096])
    # Line breaks vanish: what is left must not read as two names.
    name = "".join(char for char in name if unicodedata.category(char) not in _DROPPED)
    name = _SEPARATORS.split(name.rstrip("/\\ "))[-1]
    name = _PERCENT.sub("_", _FORBIDDEN.sub("_", name))
    name = _SPACES.sub(" ", name).strip(" .")
    if _RESERVED.match(name):
        name = "_" + name
    return _shortened(name)


def name_for(name: str | None, content_type: str, number: int, subject: str = "") -> str:
    """A safe name for a part: its own, its kind's customary one, or a number with the type's
    extension.
    """
    own = safe(name) if name else ""
    if own:
        return own
    if content_type in _CUSTOMARY:
        return _CUSTOMARY[content_type]
    extension = EXTENSIONS.get(content_type) or _BY_FAMILY.get(
        content_type.partition("/")[0], "bin"
    )
    titled = safe(_SEPARATORS.sub("_", subject)) if subject else ""
    if titled:
        return _shortened(f"{titled}.{extension}")
    return f"attachment-{number}.{extension}"


def _shortened(name: str) -> str:
    if len(name) <= _LONGEST and len(name.encode("utf-8")) <= _BYTES:
        return name
    stem, dot, extension = name.rpartition(".")
    if not dot or not 0 < len(extension) <= 16:
        stem, extension = name, ""
    tail = f".{extension}" if extension else ""
    room = _BYTES - len(tail.encode("utf-8"))
    cut = stem[: _LONGEST - len(tail)].encode("utf-8")[:room].decode("utf-8", "ignore")
    return cut.rstrip(" .") + tail
