"""The attributes of XFORWARD and XCLIENT (Postfix XFORWARD_README, XCLIENT_README): what a trusted
relay says of its own client.

Pure. Values are xtext (RFC 3461 4); `[UNAVAILABLE]` is no value.
"""

import ipaddress
import re
from dataclasses import dataclass

NAMES = ("NAME", "ADDR", "PORT", "PROTO", "HELO", "IDENT", "SOURCE")
# LOGIN is read and not believed: whose From a login owns is not ours to know.
CLIENT_NAMES = ("NAME", "ADDR", "PORT", "PROTO", "HELO", "LOGIN", "DESTADDR", "DESTPORT")
_ESCAPE = re.compile(r"\+([0-9A-F]{2})")
_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*")
_NONE = ("[UNAVAILABLE]", "[TEMPUNAVAIL]", "")


@dataclass(frozen=True, slots=True)
class Forwarded:
    """The client as far as it was said. `remote` is False where the mail began on the relay
    itself.
    """

    address: str | None = None
    helo: str | None = None
    remote: bool = True

    def with_words(self, argument: str, names: tuple[str, ...] = NAMES) -> "Forwarded | None":
        """These attributes and those of one more command; None where the command is malformed."""
        said = attributes(argument, names)
        if said is None:
            return None
        address, helo, remote = self.address, self.helo, self.remote
        if "ADDR" in said:
            address = client_address(said["ADDR"])
            if address is None and said["ADDR"] not in _NONE:
                return None
        if "HELO" in said:
            helo = None if said["HELO"] in _NONE else said["HELO"]
        if "SOURCE" in said:
            remote = said["SOURCE"].upper() != "LOCAL"
        return Forwarded(address, helo, remote)


def attributes(argument: str, names: tuple[str, ...] = NAMES) -> dict[str, str] | None:
    """`NAME=value …`, decoded; None where anything is unknown, doubled or malformed."""
    said: dict[str, str] = {}
    for word in argument.split(" "):
        name, equals, value = word.partition("=")
        name = name.upper()
        if not equals or name not in names or name in said or not _XTEXT.fullmatch(value):
            return None
        said[name] = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), value)
    return said if said else None


def client_address(value: str) -> str | None:
    """The address in ADDR (`192.0.2.1` or `IPV6:2001:db8::1`), or None."""
    text = value[5:] if value[:5].upper() == "IPV6:" else value
    try:
        parsed = ipaddress.ip_address(text)
    except ValueError:
        return None
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)
