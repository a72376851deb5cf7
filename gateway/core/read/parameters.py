"""Content-Type and Content-Disposition: a token and its parameters, as real programs write them.

RFC 2045 5.1 with RFC 2231 continuations and charsets; bad quoting, stray semicolons, encoded words
inside quotes and missing values are read as far as they make sense. One pass over at most 16 KiB
and 200 parameters.
"""

import re
from dataclasses import dataclass, field

from gateway.core.read.charset import decode
from gateway.core.read.encoded import one_line, unfold, words

_LIMIT = 16384
_MOST = 200
_TOKEN = re.compile(r"[^\s;()<>@,:\\\"\[\]?=]+(?:/[^\s;()<>@,:\\\"\[\]?=]+)?")
_SECTION = re.compile(r"(?P<name>[^*]+)(?:\*(?P<number>\d{1,3}))?(?P<encoded>\*)?\Z")
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class Valued:
    """A field such as Content-Type: `word` in lower case, parameters by lower-case name,
    decoded.
    """

    word: str
    parameters: dict[str, str] = field(default_factory=dict)

    def get(self, name: str) -> str | None:
        """The parameter's value, or None."""
        return self.parameters.get(name)


_EMPTY = Valued("")


def parse(value: bytes | None) -> Valued:
    """Read one such field. Total: what makes no sense is left out."""
    if value is None:
        return _EMPTY
    line = decode(unfold(value[:_LIMIT]), None)[0].strip()
    head, _, rest = line.partition(";")
    match = _TOKEN.match(_without_comment(head))
    word = match.group().lower() if match else ""
    return Valued(word, _joined(_pairs(rest))) if rest else Valued(word)


def _without_comment(head: str) -> str:
    return head.partition("(")[0].strip() or head.rpartition(")")[2].strip()


def _pairs(rest: str) -> list[tuple[str, str]]:
    """Raw names and values; a value in quotes ends at its quote, another at the next semicolon."""
    pairs: list[tuple[str, str]] = []
    position, end = 0, len(rest)
    while position < end and len(pairs) < _MOST:
        equals = rest.find("=", position)
        if equals < 0:
            break
        # `; ; name=` and `junk; name=`: the name is what stands after the last semicolon.
        name = rest[rest.rfind(";", position, equals) + 1 or position : equals].strip().lower()
        value, position = _value(rest, equals + 1)
        if name and len(name) <= 80:
            pairs.append((name, value))
    return pairs


def _value(rest: str, start: int) -> tuple[str, int]:
    while start < len(rest) and rest[start] in " \t":
        start += 1
    if start < len(rest) and rest[start] == '"':
        return _quoted(rest, start + 1)
    end = rest.find(";", start)
    end = len(rest) if end < 0 else end
    return rest[start:end].strip(), end + 1


def _quoted(rest: str, start: int) -> tuple[str, int]:
    out: list[str] = []
    position = start
    while True:
        quote = rest.find('"', position)
        slash = rest.find("\\", position, quote if quote >= 0 else len(rest))
        if (
            slash >= 0
        ):  # RFC 5322 3.2.4: a quoted pair; Windows paths are written without care for it
            out.append(rest[position:slash])
            follows = rest[slash + 1 : slash + 2]
            out.append(follows if follows in ('"', "\\") else "\\" + follows)
            position = slash + 2
        elif quote >= 0:
            out.append(rest[position:quote])
            return _after_quote(rest, quote + 1, "".join(out))
        else:
            out.append(rest[position:])
            return "".join(out).strip(), len(rest)


def _after_quote(rest: str, position: int, value: str) -> tuple[str, int]:
    """Text between the closing quote and the semicolon, as in `filename="a" b.txt"`, belongs to
    nobody.
    """
    end = rest.find(";", position)
    equals = rest.find("=", position)
    if end < 0 and equals < 0:
        return value, len(rest)
    if end < 0 or 0 <= equals < end:  # the semicolon is missing: `charset="x" name="y"`
        return value, position
    return value, end + 1


def _joined(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """RFC 2231 3 and 4: sections in their order, percent-decoded where marked; plain forms
    otherwise.
    """
    plain: dict[str, str] = {}
    sections: dict[str, dict[int, tuple[bool, str]]] = {}
    for raw_name, value in pairs:
        match = _SECTION.match(raw_name)
        if not match or (match["number"] is None and match["encoded"] is None):
            shown = value if raw_name == "boundary" else one_line(words(value))
            plain.setdefault(raw_name, shown)
        else:
            number = int(match["number"] or 0)
            marked = match["encoded"] is not None
            sections.setdefault(match["name"].strip(), {}).setdefault(number, (marked, value))
    return plain | {name: _assembled(parts) for name, parts in sections.items()}


def _assembled(parts: dict[int, tuple[bool, str]]) -> str:
    label: str | None = None
    data: list[bytes] = []
    for index, number in enumerate(sorted(parts)):
        marked, value = parts[number]
        if marked and index == 0 and value.count("'") >= 2:
            label, _, value = value.split("'", 2)
        raw = value.encode("utf-8", "replace")
        data.append(_PERCENT.sub(_byte, raw) if marked else raw)
    joined = b"".join(data)
    # A name in the form of an encoded word inside a section is against the rules, and common.
    return one_line(words(decode(joined, label or None)[0]))


def _byte(match: re.Match[bytes]) -> bytes:
    return bytes((int(match.group(1), 16),))
