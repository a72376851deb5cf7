"""A small DKIM signer for tests, written apart from the verifier.

It follows RFC 6376 line by line. Any tag may be set, changed or left out, sense or nonsense.
"""

import hashlib
import re
from base64 import b64encode
from datetime import UTC, datetime
from functools import cache

from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.authenticate.lookup import NXDOMAIN, Answer, Status

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SECONDS = int(NOW.timestamp())

PrivateKey = rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

MAIL = (
    b"From: Alice <alice@victim.example>\r\n"
    b"To: support@host.example\r\n"
    b"Subject: A  question \r\n"
    b"Date: Sun, 22 Nov 2026 12:00:00 +0000\r\n"
    b"Message-ID: <1@victim.example>\r\n"
    b"\r\n"
    b"My server  is down.\t \r\n"
    b"\r\n"
    b"Alice\r\n"
    b"\r\n"
)


@cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    """One key of each size a run."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def ed_key() -> ed25519.Ed25519PrivateKey:
    """One key a run."""
    return ed25519.Ed25519PrivateKey.generate()


def record(key: PrivateKey, **tags: str) -> bytes:
    """The TXT record of a key; tags are added in front of p=."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        kind, der = "ed25519", key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    else:
        public = key.public_key()
        kind, der = "rsa", public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    words = {"v": "DKIM1", "k": kind, **tags}
    text = "; ".join(f"{name}={value}" for name, value in words.items())
    return f"{text}; p=".encode() + b64encode(der)


def spki(modulus: int, exponent: int) -> bytes:
    """SubjectPublicKeyInfo in DER of any numbers whatever."""
    numbers = _der(0x30, _integer(modulus) + _integer(exponent))
    algorithm = bytes.fromhex("300d06092a864886f70d0101010500")
    return _der(0x30, algorithm + _der(0x03, b"\0" + numbers))


def _integer(number: int) -> bytes:
    return _der(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def _der(kind: int, content: bytes) -> bytes:
    size = len(content)
    if size < 128:
        return bytes([kind, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([kind, 0x80 | len(length)]) + length + content


def sign(
    mail: bytes = MAIL,
    key: PrivateKey | None = None,
    fold: bool = True,
    name: bytes = b"DKIM-Signature",
    place: int | None = None,
    **changes: str | None,
) -> bytes:
    """The mail with a signature on top. A tag set to None is left out; b= goes to its `place`."""
    key = key or rsa_key()
    header, _, body = mail.partition(b"\r\n\r\n")
    tags: dict[str, str | None] = {
        "v": "1",
        "a": "ed25519-sha256" if isinstance(key, ed25519.Ed25519PrivateKey) else "rsa-sha256",
        "c": "relaxed/relaxed",
        "d": "victim.example",
        "s": "sel",
        "t": str(SECONDS - 60),
        "h": "from:to:subject:date:message-id",
        **changes,
    }
    relaxed_header, _, relaxed_body = (tags["c"] or "simple").partition("/")
    digest = hashlib.sha1 if tags["a"] == "rsa-sha1" else hashlib.sha256
    length = int(tags["l"]) if (tags.get("l") or "").isdecimal() else None
    hashed = digest(_body(body, relaxed_body == "relaxed")[:length]).digest()
    if "bh" not in tags:
        tags["bh"] = b64encode(hashed).decode()
    words = [f"{tag}={value}" for tag, value in tags.items() if value is not None]
    place = len(words) if place is None else place
    joint = b";\r\n\t" if fold else b"; "
    texts = [word.encode("utf-8", "surrogateescape") for word in words]
    front = name + b": " + b"".join(text + joint for text in texts[:place]) + b"b="
    back = b"".join(joint + text for text in texts[place:])
    signed = _signed(header, (tags["h"] or "").lower(), relaxed_header == "relaxed")
    signed += _field(front + back, relaxed_header == "relaxed").removesuffix(b"\r\n")
    value = b64encode(_signature(key, signed, tags["a"] == "rsa-sha1"))
    return front + value + back + b"\r\n" + mail


def _signature(key: PrivateKey, signed: bytes, sha1: bool) -> bytes:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(hashlib.sha256(signed).digest())
    return key.sign(signed, padding.PKCS1v15(), SHA1() if sha1 else SHA256())


def _signed(header: bytes, names: str, relaxed: bool) -> bytes:
    fields = re.findall(rb"[^\r\n]+(?:\r\n[ \t][^\r\n]*)*", header)
    chosen = []
    for name in (part.strip().encode() for part in names.split(":")):
        for at in range(len(fields) - 1, -1, -1):
            if fields[at].partition(b":")[0].lower() == name:
                chosen.append(_field(fields.pop(at), relaxed))
                break
    return b"".join(chosen)


def _field(raw: bytes, relaxed: bool) -> bytes:
    if not relaxed:
        return raw + b"\r\n"
    name, _, value = raw.partition(b":")
    value = re.sub(rb"[ \t]+", b" ", value.replace(b"\r\n", b"")).strip(b" ")
    return name.lower() + b":" + value + b"\r\n"


def _body(body: bytes, relaxed: bool) -> bytes:
    lines = body.split(b"\r\n")
    if relaxed:
        lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in lines]
    while lines and not lines[-1]:
        lines.pop()
    if not lines:
        return b"" if relaxed else b"\r\n"
    return b"\r\n".join(lines) + b"\r\n"


class Keys:
    """TXT records by name, and what was asked for. A name that is absent does not exist."""

    def __init__(self, names: dict[str, bytes | list[bytes] | Status] | None = None) -> None:
        self.asked: list[str] = []
        self._names = names or {"sel._domainkey.victim.example": record(rsa_key())}

    async def query(self, name: str, rtype: str) -> Answer:
        """The answer from the table."""
        assert rtype == "TXT"
        self.asked.append(name)
        held = self._names.get(name)
        if held is None:
            return NXDOMAIN
        if isinstance(held, Status):
            return Answer(held)
        return Answer(Status.OK, tuple(held) if isinstance(held, list) else (held,), 300)
