"""The doors of one process: every listener of the configuration, with its certificate, opened
together and drained together.

What is decided about a mail is not known here; a handler says which reply is given, by name.
"""

import asyncio
import os
import socket
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from math import ceil
from pathlib import Path

from gateway import log, metrics
from gateway.config import Config, ListenerConfig
from gateway.core.model import Listener
from gateway.errors import BadInput
from gateway.house import taking
from gateway.pipeline import Answer
from gateway.receive import client, handed, listener, replies
from gateway.receive.certificate import Certificate
from gateway.receive.client import TrustedRelay
from gateway.receive.limits import MIB, Limits
from gateway.receive.listener import ListenerSettings, Server
from gateway.receive.replies import Handle, Reply, Verdict

WATCH_SECONDS = 30.0  # how often the files of certificates are looked at

# The named reply for each reason that the pipeline gives.
REPLIES: dict[str, Reply] = {
    "accepted": replies.ACCEPTED,
    "try-later": replies.TRY_LATER,
    "dns-away": replies.DNS_TRY_LATER,
    "keys-away": replies.PROOF_TRY_LATER,
    "forged": replies.FORGED,
    "malformed": replies.MALFORMED,
    "bad-lines": replies.BAD_LINES,
}


def verdict(answer: Answer) -> Verdict:
    """What the pipeline answers, as the dialogue says it."""
    return Verdict(REPLIES[answer.reason])


class Doors:
    """Open by `open`, closed by `close`."""

    def __init__(
        self,
        config: Config,
        handle: Handle,
        *,
        shares: int = 1,
        handed: Mapping[str, socket.socket] | None = None,
    ) -> None:
        """`shares`: so many processes divide the limits and the ports between them.

        `handed`: listening sockets that were opened for us, by address. `BadInput` where a
        certificate cannot be read.
        """
        self.limits = _share(Limits(**config.limits.model_dump()), shares)
        self._config = config
        self._handle = handle
        self._shared = shares > 1
        self._handed = dict(handed or {})
        self._log = log.get("receive")
        self._free_disk = listener.disk_at(*config.disks)
        self._certificates = {one.address: _certificate(one) for one in config.listener}
        self._relays = [TrustedRelay.parse(**one.model_dump()) for one in config.trusted_relays]
        self._servers: list[Server] = []
        self._takes = taking(config)

    @property
    def addresses(self) -> list[str]:
        """Where mail is taken, as bound."""
        return [server.address for server in self._servers]

    @property
    def names(self) -> list[str]:
        """The same with the protocol before it, as it is printed when we are ready."""
        return [f"{server.protocol} {server.address}" for server in self._servers]

    @property
    def sessions(self) -> int:
        """Connections that are open."""
        return sum(server.sessions for server in self._servers)

    @property
    def short_of_disk(self) -> bool:
        """Whether too little is free to take mail."""
        return self._free_disk() < self.limits.disk_floor

    async def open(self) -> None:
        """Listen. Raises `BadInput` where an address cannot be had."""
        self._measure()
        for settings in self._config.listener:
            self._servers.append(await self._listen(settings))

    async def close(self, seconds: float) -> None:
        """Close every door at the same moment, and finish the mails that are under way."""
        await asyncio.gather(*(server.close(seconds) for server in self._servers))

    async def watch(self) -> None:
        """Look after the certificates until cancelled."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            await asyncio.to_thread(self.renew)

    def renew(self) -> list[str]:
        """Take certificates that have changed; a broken one is told, and the old one stays.

        Returns what was wrong.
        """
        wrong = []
        for address, one in self._certificates.items():
            try:
                if one is not None and one.renewed():
                    self._log.info("new certificate", listener=address, expires=str(one.expires))
            except BadInput as error:
                wrong.append(str(error))
                self._log.warning("the old certificate stays", error=str(error))
        self._measure()
        return wrong

    def _measure(self) -> None:
        for address, one in self._certificates.items():
            if one is not None:
                metrics.certificate_days.labels(address).set(one.days(datetime.now(UTC)))

    async def _listen(self, settings: ListenerConfig) -> Server:
        certificate = self._certificates[settings.address]
        return await listener.start(
            ListenerSettings(
                address=settings.address,
                protocol=settings.protocol,
                role=Listener(settings.role),
                tls=certificate.context if certificate else None,
                require_tls=settings.tls == "required",
                implicit_tls=settings.tls == "implicit",
                reuse_port=self._shared,
                handed=self._handed.get(settings.address),
            ),
            self.limits,
            self._relays,
            self._takes,
            self._handle,
            self._log,
            self._config.host_name,
            free_disk=self._free_disk,
            postmaster=self._config.support.domain,
        )


def _share(limits: Limits, shares: int) -> Limits:
    """What one of several processes may take, so that all together stay within the limit."""
    if shares == 1:
        return limits
    return replace(
        limits,
        connections=ceil(limits.connections / shares),
        connections_per_address=ceil(limits.connections_per_address / shares),
        # One mail of the largest size must have room in each.
        memory_bytes=max(limits.memory_bytes // shares, limits.message_bytes + MIB),
    )


def _certificate(settings: ListenerConfig) -> Certificate | None:
    if settings.tls == "none":
        return None
    chain, key = settings.certificate or Path(), settings.key or Path()
    return Certificate(chain, key, settings.address)


def handed_sockets() -> dict[str, socket.socket]:
    """What the service manager has opened for us."""
    return handed.sockets(os.environ, os.getpid())


def reserved(
    config: Config, given: Mapping[str, socket.socket]
) -> tuple[Config, list[socket.socket], dict[str, socket.socket]]:
    """The configuration with the ports that were found, what keeps them ours, and what is shared.

    A TCP port is bound, and each process listens on it by a socket of its own (SO_REUSEPORT). A
    Unix socket is opened here, and shared, as is what was handed over.
    """
    held: list[socket.socket] = []
    shared, listeners = expected(config, given), []
    for one in config.listener:
        address = one.address
        if address.startswith("unix:"):
            shared.setdefault(address, listener.bound(ListenerSettings(address)))
        elif address not in shared:
            held.append(listener.reserved(address))
            address = handed.address_of(held[-1])
        listeners.append(one.model_copy(update={"address": address}))
    return config.model_copy(update={"listener": tuple(listeners)}), held, shared


def expected(config: Config, given: Mapping[str, socket.socket]) -> dict[str, socket.socket]:
    """The same sockets. `BadInput` where one is at an address that no listener has."""
    addresses = [one.address for one in config.listener]
    for address in given:
        if address not in addresses:
            raise BadInput(
                f"a socket at `{address}` was handed over, and no listener has that address",
                hint=f"the listeners are {', '.join(addresses)}",
            )
    return dict(given)


def checked(config: Config) -> None:
    """What opening would refuse of certificates and relays. Raises `BadInput`."""
    client.check([TrustedRelay.parse(**one.model_dump()) for one in config.trusted_relays])
    for one in config.listener:
        _certificate(one)
