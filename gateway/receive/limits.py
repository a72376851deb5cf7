"""Bounds of one session and of all sessions together: every number has a name and a default here.

docs/limits.md says which attack each bound stops. Nothing here knows the protocol.
"""

import functools
import ipaddress
from collections import Counter
from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds, named as their configuration keys. Bytes, seconds, counts."""

    message_bytes: int = 36_700_160  # 25 MiB and its base64
    header_bytes: int = 256 * KIB  # judged by core.read.wire
    header_fields: int = 500  # judged by core.read.wire
    recipients: int = 100
    errors: int = 10
    other_commands: int = 50
    mails: int = 100
    relay_mails: int = 1_000
    connections: int = 1_000
    connections_per_address: int = 20
    command_bytes: int = 2_048
    command_seconds: float = 300.0
    data_seconds: float = 600.0
    data_bytes_per_second: int = 500
    session_seconds: float = 1_800.0
    received_fields: int = 50
    error_delay_seconds: float = 1.0  # from the third error on
    busy_share: float = 0.7  # of the connections; from there on patience is short
    busy_command_seconds: float = 10.0
    data_grace_seconds: float = 30.0  # before the rate of DATA is judged
    decide_seconds: float = 300.0  # then 451, while the commit goes on
    greet_pause_seconds: float = 0.0  # an early talker is cut; 0 finds those that pipeline EHLO
    memory_bytes: int = 96 * MIB  # of large mails until they are committed, all together
    memory_bytes_per_address: int = 48 * MIB  # of that; one mail of the largest size always fits
    mime_depth: int = 20  # judged by core.read.structure, as the next three
    mime_parts: int = 500
    mime_decoded_bytes: int = 64 * MIB
    report_bytes: int = 64 * KIB
    disk_factor: float = 1.5  # of the message size must be free

    @property
    def disk_floor(self) -> int:
        """Free bytes below which no mail is begun."""
        return int(self.message_bytes * self.disk_factor)

    @property
    def memory_for_one(self) -> int:
        """Bytes that the large mails of one address may hold."""
        return max(self.memory_bytes_per_address, self.message_bytes)


DELAY_FROM = 3  # the error from which replies are slow
SMALL = 256 * KIB  # mails up to here are not counted as large


class Crowd:
    """How many connections are open, in all and from each address (IPv6: each /64)."""

    def __init__(self, limits: Limits) -> None:
        """Relays are not entered at all."""
        self._limits = limits
        self._total = 0
        self._by_source: Counter[str] = Counter()

    def enter(self, address: str) -> bool:
        """Whether one more may come from `address`; it must `leave` if so."""
        key = source(address)
        if self._total >= self._limits.connections:
            return False
        if self._by_source[key] >= self._limits.connections_per_address:
            return False
        self._total += 1
        self._by_source[key] += 1
        return True

    def leave(self, address: str) -> None:
        """Undo one `enter`."""
        key = source(address)
        self._total -= 1
        self._by_source[key] -= 1
        if self._by_source[key] <= 0:
            del self._by_source[key]

    @property
    def patience(self) -> float:
        """Seconds that an idle client is waited for."""
        if self._total >= self._limits.busy_share * self._limits.connections:
            return min(self._limits.busy_command_seconds, self._limits.command_seconds)
        return self._limits.command_seconds


@functools.lru_cache(maxsize=4096)
def source(address: str) -> str:
    """What connections are counted by: the address, or the /64 of an IPv6 one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False))


class Memory:
    """Bytes of large mails, over all sessions, until each is refused or committed.

    One address may hold its part alone, so that no few slow clients keep the others out.
    """

    def __init__(self, limit: int, for_one: int) -> None:
        """In bytes: of all, and of the mails of one address (IPv6: of each /64)."""
        self._free = limit
        self._for_one = for_one
        self._by_source: Counter[str] = Counter()

    def share(self, address: str | None) -> "Share":
        """One mail's share, to be released; None is a server of ours, which many stand behind."""
        return Share(self, None if address is None else source(address))

    def room(self, address: str | None, count: int) -> bool:
        """Whether so many bytes more could be had now."""
        own = address is None or self._by_source[source(address)] + count <= self._for_one
        return own and count <= self._free

    def _take(self, key: str | None, count: int) -> bool:
        if count > 0 and not self.room(key, count):
            return False
        self._free -= count
        if key is not None:
            self._by_source[key] += count
            if self._by_source[key] <= 0:
                del self._by_source[key]
        return True


class Share:
    """What one mail holds of the memory."""

    def __init__(self, memory: Memory, key: str | None) -> None:
        """Made by `Memory.share` alone."""
        self._memory = memory
        self._key = key
        self.held = 0

    def grow(self, total: int) -> bool:
        """Hold `total` bytes, or more as before; False, and nothing changes, without room."""
        more = total - self.held
        if more <= 0:
            return True
        if not self._memory._take(self._key, more):
            return False
        self.held = total
        return True

    def release(self, _: object = None) -> None:
        """Give all of it back, at once; again is as once. Fits as a callback of a task."""
        held, self.held = self.held, 0
        if held:
            self._memory._take(self._key, -held)
