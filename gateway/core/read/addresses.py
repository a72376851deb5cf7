"""Addresses, read byte by byte: authors, SMTP paths, what operators type, lists of recipients.

The one reading of identity. It is stricter than RFC 5322 on purpose: where two programs could see
two different mailboxes, there is none. It never raises, and its work is linear in its input.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import islice

import idna

from gateway.core.model import Address, WireDefect

LONGEST_FIELD = 16_384  # bytes of a From field that are read; longer is refused
MOST_TOKENS = 1_000  # of a From field; a real one has fewer than a hundred
LONGEST_LIST = 32_768  # bytes of a To or Cc field that are read; the rest is as if absent
LONGEST_LOCAL = 64  # octets, RFC 5321 4.5.3.1.1
LONGEST_PATH = 254  # octets, RFC 5321 4.5.3.1.3 without the angle brackets
LONGEST_DOMAIN = 253

DEFECTS: dict[str, tuple[str, str]] = {
    "from-empty": ("5.6.0", "the From field names nobody"),
    "from-too-long": ("5.6.0", "the From field is too long to be read"),
    "from-no-address": ("5.6.0", "the From field holds no address"),
    "from-group": ("5.6.0", "the From field is a group"),
    "from-list": ("5.6.0", "the From field names more than one mailbox"),
    "from-route": ("5.6.0", "the address in From has a source route"),
    "from-after-angle": ("5.6.0", "there is text after the angle bracket in From"),
    "from-syntax": ("5.6.0", "the From field is not exactly one mailbox"),
    "from-encoded-word": ("5.6.0", "the address in From is inside an encoded word"),
    "from-literal": ("5.6.0", "the address in From has an IP address for a domain"),
    "from-local-part": ("5.6.0", "the local part of the address in From is not a plain one"),
    "from-local-8bit": ("5.6.0", "the local part in From is not ASCII and SMTPUTF8 was not used"),
    "from-domain": ("5.6.0", "the domain of the address in From is no host name"),
}

_QUOTE = ord('"')
_TEXT = rb"[\t !#-\[\]-~\x80-\xff]"  # of a quoted string, without quote and backslash
_PAIR = rb"\\[\t -~\x80-\xff]"
_FOLD = rb"\r\n[ \t]"

# RFC 5322 3.2. Whatever matches nowhere (controls, stray backslashes, open quotes) is no address.
_TOKEN = re.compile(
    rb"(?P<s>(?:[ \t]|" + _FOLD + rb")++)"
    rb"|(?P<a>[!#$%&'*+\-/0-9=?A-Z^_`a-z{|}~\x80-\xff]++)"
    rb'|(?P<q>"(?:' + _TEXT + rb"++|" + _PAIR + rb"|" + _FOLD + rb')*+")'
    rb"|(?P<c>\()"
    rb"|(?P<x>[<>@,:;.\[\]])"
)
_COMMENT = re.compile(rb"[\t !-'*-\[\]-~\x80-\xff]++|" + _PAIR + rb"|" + _FOLD + rb"|[()]")

# Over the kinds of tokens: s space, a atom, q quoted string, c comment, else the character itself.
_SPEC = r"(?P<local>q|a(?:\.a)*)@(?P<domain>a(?:\.a)*)"
_ANGLE = re.compile(rf"[aq.sc]*<{_SPEC}>[sc]*")
_NOBODY = re.compile(r"(?:[aq.]*<>?)?")
_BARE = re.compile(rf"[sc]*{_SPEC}[sc]*")

# RFC 5321 4.1.2 and RFC 6531 3.3, by what is left out: `re` would walk all of Unicode to compile
# what is let in.
_PATH = re.compile(
    r'(?:(?P<local>[^\x00- "(),:;<>@\[\\\]\x7f]+)'
    r'|"(?P<quoted>(?:[^"\\]|\\.)*+)")@(?P<domain>[^@"<>\[\]()\s]+)'
)
_ATOM = r'[^\x00- "(),.:;<>@\[\\\]\x7f]+'
_DOT_ATOM = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_HOST = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?![0-9]+\Z)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
)
_PATH_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.(?!\Z)|\Z))+")
_PRINTABLE = re.compile(r'[^\x00-\x1f"<>@\\\x7f]*')
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_QUOTED = re.compile(rb"\\(.)", re.DOTALL)

_Token = tuple[str, int, int]  # kind, start, end

# Look-alikes of `.` and `@`, which some resolvers take for the real ones.
_FALSE_DOTS_AND_ATS = re.compile("[\u3002\uff0e\uff61\ufe52\u2024\uff20\ufe6b]")
_ADDRESS_CATEGORIES = frozenset("LMNPS")  # of characters beyond ASCII in a local part


def from_field(value: bytes, smtputf8: bool = False) -> Address | WireDefect:
    """The one mailbox of a From field's value, or why there is none.

    A domain may be written in U-labels; a local part beyond ASCII needs SMTPUTF8 (RFC 6531, 6532).
    """
    if len(value) > LONGEST_FIELD:
        return _defect("from-too-long")
    tokens = list(islice(_tokens(value.removesuffix(b"\r\n")), MOST_TOKENS + 1))
    if len(tokens) > MOST_TOKENS:
        return _defect("from-too-long")
    found = _mailbox(value, tokens, smtputf8)
    return found if isinstance(found, Address) else _defect(found)


def path(text: str, smtputf8: bool = False) -> Address | None:
    """The content of an SMTP path without its angle brackets (RFC 5321 4.1.2), or None.

    No source routes, no address literals. The domain may be a single label, and hold underscores.
    """
    match = _PATH.fullmatch(text) if len(text) <= LONGEST_PATH else None
    if match is None or not (smtputf8 or text.isascii()):
        return None
    local, quoted = match["local"], match["quoted"]
    if quoted is not None:
        local = _QUOTED_PAIR.sub(r"\1", quoted)
        if not local or _PRINTABLE.fullmatch(local) is None:
            return None
    elif _DOT_ATOM.fullmatch(local) is None:
        return None
    domain = match["domain"].lower() if match["domain"].isascii() else _host(match["domain"])
    if domain is None or len(domain) > LONGEST_DOMAIN or _PATH_HOST.fullmatch(domain) is None:
        return None
    return _address(local, domain)


def parse(text: str) -> Address | None:
    """An address as operators type it, without a display name; it may hold any letters."""
    try:
        value = text.strip().encode()
    except UnicodeEncodeError:
        return None
    if len(value) > 4 * LONGEST_PATH:
        return None
    tokens = list(_tokens(value))
    if any(kind in "sc<" for kind, _, _ in tokens):
        return None
    found = _mailbox(value, tokens, smtputf8=True)
    return found if isinstance(found, Address) else None


def mailboxes(value: bytes) -> tuple[Address, ...]:
    """The addresses of a To or Cc field, groups opened; what is not one mailbox is left out."""
    value = value.removesuffix(b"\r\n")
    if len(value) > LONGEST_LIST:  # an address cut short would be another one
        value = value[:LONGEST_LIST].rpartition(b",")[0]
    found = []
    for tokens in _items(value):
        mailbox = _mailbox(value, tokens, smtputf8=True)
        if isinstance(mailbox, Address):
            found.append(mailbox)
    return tuple(found)


def display_name(value: bytes) -> str:
    """The phrase of a From field, or its comment: unquoted, unfolded, encoded words kept."""
    value = value.removesuffix(b"\r\n")[:LONGEST_FIELD]
    tokens = list(islice(_tokens(value), MOST_TOKENS))
    kinds = _kinds(tokens)
    if "<" in kinds:
        name = _phrase(value, tokens[: kinds.index("<")])
        if name:
            return name
    elif "@" not in kinds:
        return _phrase(value, tokens)
    comments = [_unescaped(value[a + 1 : b - 1]) for kind, a, b in tokens if kind == "c"]
    return comments[-1] if comments else ""


def _tokens(value: bytes) -> Iterator[_Token]:
    """The tokens in order; `?` is a byte without a place, or the rest where a quote stays open."""
    at, end = 0, len(value)
    while at < end:
        match = _TOKEN.match(value, at)
        kind = match.lastgroup if match else None
        if match is None or kind is None:
            kind, stop = "?", end if value[at] == _QUOTE else at + 1
        elif kind == "c":
            stop = _comment_end(value, at)
            kind, stop = ("c", stop) if stop > 0 else ("?", end)
        else:
            stop = match.end()
        yield (chr(value[at]) if kind == "x" else kind), at, stop
        at = stop


def _comment_end(value: bytes, start: int) -> int:
    """Behind the parenthesis that closes the one at `start`; -1 where none does."""
    depth, at = 0, start
    while match := _COMMENT.match(value, at):
        at = match.end()
        piece = match[0]
        if piece == b"(":
            depth += 1
        elif piece == b")":
            depth -= 1
            if depth == 0:
                return at
    return -1


def _kinds(tokens: list[_Token]) -> str:
    return "".join([kind for kind, _, _ in tokens])


def _mailbox(value: bytes, tokens: list[_Token], smtputf8: bool) -> Address | str:
    """The mailbox that the tokens are, or the kind of the defect."""
    kinds = _kinds(tokens)
    match = _ANGLE.fullmatch(kinds) or _BARE.fullmatch(kinds)
    if match is None:
        return _why_not(kinds)
    local = _slice(value, tokens, *match.span("local"))
    domain = _slice(value, tokens, *match.span("domain"))
    if local.startswith(b'"'):
        local = _QUOTED.sub(rb"\1", local[1:-1])
    if not local.isascii() and not smtputf8:
        return "from-local-8bit"
    if b"=?" in local:
        return "from-encoded-word"
    try:
        return _checked(local.decode(), domain.decode())
    except UnicodeDecodeError:
        return "from-domain" if local.isascii() else "from-local-part"


def _slice(value: bytes, tokens: list[_Token], first: int, behind: int) -> bytes:
    return value[tokens[first][1] : tokens[behind - 1][2]]


def _checked(local: str, domain: str) -> Address | str:
    """A local part that needs its quotes is refused: two programs would write it differently."""
    if _DOT_ATOM.fullmatch(local) is None:
        return "from-local-part"
    host = _host(domain)
    if host is None or _HOST.fullmatch(host) is None:
        return "from-domain"
    return _address(local, host) or "from-local-part"


def _why_not(kinds: str) -> str:
    bare = kinds.replace("s", "").replace("c", "")
    if _NOBODY.fullmatch(bare):
        return "from-empty"
    if "?" in bare:
        return "from-syntax"
    if "<@" in bare:
        return "from-route"
    if ":" in bare:
        return "from-group"
    if "," in bare or ";" in bare:
        return "from-list"
    if ">" in bare and not bare.endswith(">"):
        return "from-after-angle"
    if "@[" in bare:
        return "from-literal"
    if "@" not in bare:
        return "from-no-address"
    return "from-syntax"


def _address(local: str, domain: str) -> Address | None:
    """NFC, and within the lengths of RFC 5321; None for a character without a place in it."""
    if not local.isascii():
        composed = unicodedata.normalize("NFC", local)
        if _more_ascii(composed, local) or not all(map(_belongs, composed)):
            return None
        local = composed
    octets = len(local.encode())
    if octets > LONGEST_LOCAL or octets + 1 + len(domain) > LONGEST_PATH:
        return None
    return Address(local, domain)


def _belongs(character: str) -> bool:
    return character.isascii() or (
        unicodedata.category(character)[0] in _ADDRESS_CATEGORIES
        and _FALSE_DOTS_AND_ATS.match(character) is None
    )


def _more_ascii(normal: str, written: str) -> bool:
    """Normalisation made ASCII out of something else (a Kelvin sign, full-width letters)."""
    return sum(map(str.isascii, normal)) > sum(map(str.isascii, written))


def _host(domain: str) -> str | None:
    """A-labels in lower case, UTS 46 non-transitional; None where mapping makes another name."""
    if len(domain) > LONGEST_DOMAIN:
        return None
    if domain.isascii():
        return domain.lower()
    if _FALSE_DOTS_AND_ATS.search(domain):
        return None
    if _more_ascii(unicodedata.normalize("NFKC", domain), domain):
        return None
    try:
        host = idna.encode(domain, uts46=True, std3_rules=True, transitional=False)
    except UnicodeError:  # idna.IDNAError is one
        return None
    return host.decode("ascii").lower()


def _items(value: bytes) -> Iterator[list[_Token]]:
    """The list cut at its commas; a phrase before a colon names a group, and is dropped."""
    item: list[_Token] = []
    inside = False  # an angle bracket is open: nothing separates
    for token in _tokens(value):
        kind = token[0]
        if kind == "<":
            inside = True
        elif kind == ">":
            inside = False
        if kind in ",;:" and not inside:
            if kind != ":":
                yield item
            item = []
        else:
            item.append(token)
    yield item


def _phrase(value: bytes, tokens: list[_Token]) -> str:
    """The words as they would be read aloud; spaces and folds between them are one space."""
    parts = []
    for kind, start, end in tokens:
        if kind == "q":
            parts.append(_unescaped(value[start + 1 : end - 1]))
        elif kind in "sc":
            parts.append(" ")
        else:
            parts.append(_decoded(value[start:end]))
    return re.sub(r"[ \t\r\n]+", " ", "".join(parts)).strip()


def _unescaped(content: bytes) -> str:
    return _decoded(_QUOTED.sub(rb"\1", content.replace(b"\r\n", b""))).strip()


def _decoded(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _defect(kind: str) -> WireDefect:
    enhanced, sentence = DEFECTS[kind]
    return WireDefect(kind, sentence, enhanced)
