"""The gate before DKIM verification: tag lists, and which signatures are worth a key at all.

What is refused here proves nothing, however right its arithmetic. Nothing here asks DNS or
hashes a body, and the work is linear in the length of the field.
"""

import binascii
import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache

from gateway.authenticate.suffixlist import suffixes
from gateway.core.model import Field

LONGEST_FIELD = 16_384  # bytes of a DKIM-Signature that are read
MOST_NAMES = 250  # in h=

ALGORITHMS = ("rsa-sha256", "ed25519-sha256")

_PRINTABLE = re.compile(rb"(?:[\t -~]++|\r\n[ \t])*+")
_TAG_NAME = re.compile(rb"[A-Za-z][A-Za-z0-9_]*")
_FWS = b" \t\r\n"
_SPACES = re.compile(rb"[ \t\r\n]+")
_NUMBER = re.compile(rb"[0-9]{1,12}")
_FIELD_NAME = re.compile(rb"[!-9<-~]+")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]+={0,2}")
_LDH = re.compile(
    r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*"
)
_SELECTOR = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_](?:[a-z0-9_-]{0,62}))*")
_SIGNATURE_TAG = re.compile(rb"[;\s]b\s*+(=)")
_CANONICALISATIONS = {
    "simple": (False, False),
    "relaxed": (True, False),
    "simple/simple": (False, False),
    "simple/relaxed": (False, True),
    "relaxed/simple": (True, False),
    "relaxed/relaxed": (True, True),
}


class Refused(ValueError):
    """The gate's refusal, with a sentence for the log."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A value without the white space around it, and where it stands with it in the list."""

    value: bytes
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Claim:
    """What one DKIM-Signature says of itself. `problem` is set where the gate refused it."""

    position: int  # of its field in the header
    domain: str | None
    selector: str | None
    problem: str | None = None
    identity: str | None = None
    algorithm: str | None = None
    relaxed_header: bool = False
    relaxed_body: bool = False
    names: tuple[str, ...] = ()  # h=, lower case, in order
    body_hash: bytes = b""
    signature: bytes = b""
    digest: str | None = None
    signed_at: int | None = None
    emptied: bytes = b""  # the whole field with the value of b= deleted (RFC 6376 3.5)

    @property
    def key_name(self) -> str:
        """Where its key lies (RFC 6376 3.6.2.1)."""
        return f"{self.selector}._domainkey.{self.domain}"


def tag_list(text: bytes) -> dict[str, Tag]:
    """RFC 6376 3.2; raises `Refused` for what is no tag list, and for a tag given twice."""
    if _PRINTABLE.fullmatch(text) is None:
        raise Refused("the tag list holds a character that it must not")
    tags: dict[str, Tag] = {}
    at = 0
    specs = text.split(b";")
    if not specs[-1].strip(_FWS):
        specs.pop()  # the semicolon after the last tag
    for spec in specs:
        name, equals, value = spec.partition(b"=")
        key = name.strip(_FWS)
        if not equals or _TAG_NAME.fullmatch(key) is None:
            raise Refused("the tag list cannot be read")
        word = key.decode("ascii")
        if word in tags:
            raise Refused(f"the tag {word}= is there twice")
        tags[word] = Tag(value.strip(_FWS), at + len(name) + 1, at + len(spec))
        at += len(spec) + 1
    return tags


def read_claim(position: int, field: Field, now: int, skew: int) -> Claim:
    """Parse one DKIM-Signature and pass it through the gate; `now` in seconds since the epoch."""
    value = field.raw.partition(b":")[2].removesuffix(b"\r\n")
    domain = selector = None
    try:
        if len(field.raw) > LONGEST_FIELD:
            raise Refused("the signature field is too long")
        tags = tag_list(value)
        domain, selector = _plain(tags, "d", _LDH), _plain(tags, "s", _SELECTOR)
        _check_names(domain, selector)
        _check_words(tags)
        signed_at = _check_times(tags, now, skew)
        header, body = _canonicalisation(tags)
        signature = _base64(tags, "b")
        return Claim(
            position=position,
            domain=domain,
            selector=selector,
            identity=_identity(tags, domain),
            algorithm=_algorithm(tags),
            relaxed_header=header,
            relaxed_body=body,
            names=_signed_names(tags),
            body_hash=_body_hash(tags),
            signature=signature,
            digest=hashlib.sha256(_SPACES.sub(b"", tags["b"].value)).hexdigest(),
            signed_at=signed_at,
            emptied=_emptied(field.raw, value, tags["b"]),
        )
    except Refused as refusal:
        return Claim(position, domain, selector, problem=str(refusal))


def _required(tags: dict[str, Tag], name: str) -> bytes:
    tag = tags.get(name)
    if tag is None or not tag.value:
        raise Refused(f"the tag {name}= is missing or empty")
    return tag.value


def _plain(tags: dict[str, Tag], name: str, grammar: re.Pattern[str]) -> str:
    """Names of DNS are plain ASCII labels, so that none can become another on its way."""
    text = _required(tags, name).decode("ascii").lower()
    if len(text) > 253 or grammar.fullmatch(text) is None:
        raise Refused(f"{name}= is not a plain name")
    return text


def _check_names(domain: str, selector: str) -> None:
    """RFC 6376 6.1.1: nobody signs for a top-level domain, nor for all who share a suffix."""
    if len(selector) + len("._domainkey.") + len(domain) > 253:
        raise Refused("the name of the key is too long")
    if _is_shared(domain):
        raise Refused("d= is a public suffix")


@lru_cache(maxsize=4_096)
def _is_shared(domain: str) -> bool:
    return "." not in domain or bool(suffixes().is_public(domain))


def _check_words(tags: dict[str, Tag]) -> None:
    if _required(tags, "v") != b"1":
        raise Refused("v= is not 1")
    if "l" in tags:
        raise Refused("l= leaves part of the body unsigned")
    methods = tags["q"].value.split(b":") if "q" in tags else [b"dns/txt"]
    if b"dns/txt" not in (method.strip(_FWS) for method in methods):
        raise Refused("q= does not name dns/txt")


def _algorithm(tags: dict[str, Tag]) -> str:
    algorithm = _required(tags, "a").decode("ascii")
    if algorithm == "rsa-sha1":
        raise Refused("rsa-sha1 proves nothing any more")  # RFC 8301 3.1
    if algorithm not in ALGORITHMS:
        raise Refused("a= is not an algorithm that is known here")
    return algorithm


def _check_times(tags: dict[str, Tag], now: int, skew: int) -> int | None:
    """RFC 6376 3.5. A clock may be `skew` seconds ahead of ours; an end that is over is over."""
    signed_at, expires = _number(tags, "t"), _number(tags, "x")
    if signed_at is not None and signed_at > now + skew:
        raise Refused("t= lies in the future")
    if expires is not None and expires < now:
        raise Refused("x= is over: the signature has expired")
    if signed_at is not None and expires is not None and expires <= signed_at:
        raise Refused("x= is not after t=")
    return signed_at


def _number(tags: dict[str, Tag], name: str) -> int | None:
    tag = tags.get(name)
    if tag is None:
        return None
    if _NUMBER.fullmatch(tag.value) is None:
        raise Refused(f"{name}= is not a number")
    return int(tag.value)


def _canonicalisation(tags: dict[str, Tag]) -> tuple[bool, bool]:
    """Whether header and body are relaxed."""
    text = tags["c"].value.decode("ascii") if "c" in tags else "simple/simple"
    found = _CANONICALISATIONS.get(text)
    if found is None:
        raise Refused("c= is not a canonicalisation")
    return found


def _identity(tags: dict[str, Tag], domain: str) -> str:
    """i= lies in d= or below it (RFC 6376 3.5)."""
    if "i" not in tags:
        return f"@{domain}"
    identity = tags["i"].value.decode("ascii")
    _, at, place = identity.rpartition("@")
    place = place.lower()
    if not at or _LDH.fullmatch(place) is None:
        raise Refused("i= is no identity")
    if place != domain and not place.endswith(f".{domain}"):
        raise Refused("i= lies outside of d=")
    return identity


def _signed_names(tags: dict[str, Tag]) -> tuple[str, ...]:
    names = _required(tags, "h").split(b":")
    if len(names) > MOST_NAMES:
        raise Refused("h= names too many fields")
    plain = [name.strip(_FWS) for name in names]
    if not all(map(_FIELD_NAME.fullmatch, plain)):
        raise Refused("h= is not a list of field names")
    lower = tuple(name.decode("ascii").lower() for name in plain)
    if "from" not in lower:
        raise Refused("h= does not cover From")  # RFC 6376 5.4
    return lower


def _body_hash(tags: dict[str, Tag]) -> bytes:
    digest = _base64(tags, "bh")
    if len(digest) != 32:
        raise Refused("bh= is not a SHA-256")
    return digest


def _base64(tags: dict[str, Tag], name: str) -> bytes:
    """Only the one spelling of these bytes: a signature replayed must not look like another."""
    text = _SPACES.sub(b"", _required(tags, name))
    if len(text) % 4 or _BASE64.fullmatch(text) is None:
        raise Refused(f"{name}= is not base64")
    decoded = binascii.a2b_base64(text)
    if binascii.b2a_base64(decoded, newline=False) != text:
        raise Refused(f"{name}= is not canonical base64")
    return decoded


def _emptied(raw: bytes, value: bytes, tag: Tag) -> bytes:
    """The field without the value of b=. No other place may look like that tag to anyone."""
    for match in _SIGNATURE_TAG.finditer(value):
        if match.end() != tag.start:
            raise Refused("b= stands where it is no tag")
    start = raw.index(b":") + 1
    return raw[: start + tag.start] + raw[start + tag.end :]
