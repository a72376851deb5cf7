"""The PROXY protocol, versions 1 and 2 (HAProxy proxy-protocol.txt): who really connected, said
by a load balancer.

Pure. It is read only from networks that are declared to speak it, and there it is compulsory.
"""

import ipaddress
import struct
from dataclasses import dataclass

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
_V1_MAX = 107
_V2_MAX = 4096


class BadProxy(ValueError):
    """Not a header of this protocol; the connection cannot be used."""


@dataclass(frozen=True, slots=True)
class Proxied:
    """`client` is None for health checks (LOCAL), UNKNOWN and Unix sockets. `length`: bytes of
    the header.
    """

    client: str | None
    length: int


def parse(data: bytes) -> Proxied | None:
    """The header at the start of `data`, or None while it is not complete. Raises `BadProxy`."""
    if data[: len(SIGNATURE)] == SIGNATURE[: len(data)]:
        return _version_2(data)
    if data[:6] == b"PROXY "[: len(data)]:
        return _version_1(data)
    raise BadProxy("no PROXY header")


def _version_1(data: bytes) -> Proxied | None:
    end = data.find(b"\r\n", 0, _V1_MAX)
    if end < 0:
        if len(data) >= _V1_MAX:
            raise BadProxy("version 1 line too long")
        return None
    words = data[:end].decode("latin-1").split(" ")
    if words[1] == "UNKNOWN":
        return Proxied(None, end + 2)
    if len(words) != 6 or words[1] not in ("TCP4", "TCP6"):
        raise BadProxy("version 1 line malformed")
    version = 4 if words[1] == "TCP4" else 6
    try:
        client, server = (ipaddress.ip_address(word) for word in words[2:4])
    except ValueError:
        raise BadProxy("version 1 address malformed") from None
    if client.version != version or server.version != version:
        raise BadProxy("version 1 address of the other family")
    if not all(word.isascii() and word.isdigit() and int(word) < 65536 for word in words[4:6]):
        raise BadProxy("version 1 port malformed")
    return Proxied(str(client), end + 2)


def _version_2(data: bytes) -> Proxied | None:
    if len(data) < 16:
        return None
    version_command, family, length = struct.unpack("!BBH", data[12:16])
    if version_command >> 4 != 2 or version_command & 15 > 1 or length > _V2_MAX:
        raise BadProxy("version 2 header malformed")
    if len(data) < 16 + length:
        return None
    size = {0x11: 4, 0x21: 16}.get(family)  # TCP over IPv4, over IPv6
    if version_command & 15 == 0 or size is None:
        return Proxied(None, 16 + length)
    if length < 2 * size + 4:
        raise BadProxy("version 2 addresses cut short")
    return Proxied(str(ipaddress.ip_address(data[16 : 16 + size])), 16 + length)
