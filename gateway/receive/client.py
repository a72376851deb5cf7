"""Who the client is: the peer itself, or what a trusted relay says of its own client.

On any doubt there is no client address: a proof by SPF for a relay's own address would be a lie.
"""

import functools
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway.core.model import Listener
from gateway.errors import BadInput
from gateway.receive import received
from gateway.receive.xforward import Forwarded

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Method(StrEnum):
    """How a relay says who its client was."""

    PROXY = "proxy"  # a load balancer's header before the banner
    XFORWARD = "xforward"  # Postfix, for each mail
    XCLIENT = "xclient"  # nginx, and other proxies of a whole session
    RECEIVED = "received"  # the Received fields that our own hops wrote
    NONE = "none"  # it does not


@dataclass(frozen=True, slots=True)
class TrustedRelay:
    """Servers of ours that hand mail to us."""

    networks: tuple[Network, ...]
    method: Method
    normalise_lf: bool = False
    authserv_id: str | None = None  # its Authentication-Results may count under this id
    vouches: bool = False  # a submission server whose logins own their From

    @staticmethod
    def parse(
        networks: Sequence[str],
        method: str,
        normalise_lf: bool = False,
        authserv_id: str | None = None,
        vouches: bool = False,
    ) -> "TrustedRelay":
        """From the words of the configuration. Raises `BadInput`."""
        try:
            parsed = tuple(ipaddress.ip_network(network) for network in networks)
        except ValueError as error:
            raise BadInput(f"trusted relay: {error}") from None
        if method not in set(Method):
            known = ", ".join(f"`{each}`" for each in Method)
            raise BadInput(f"trusted relay: method `{method}` is not one of {known}")
        return TrustedRelay(parsed, Method(method), normalise_lf, authserv_id, vouches)


@dataclass(frozen=True, slots=True)
class Client:
    """The true client, as far as no doubt is left."""

    address: str | None
    helo: str | None


NOBODY = Client(None, None)
_WIDEST = {4: 8, 6: 16}  # a relay network wider than this is a slip of the pen


def check(relays: Sequence[TrustedRelay]) -> None:
    """Refuse what could be read in two ways. Raises `BadInput`."""
    for index, relay in enumerate(relays):
        if not relay.networks:
            raise BadInput("a trusted relay names no network")
        for network in relay.networks:
            _check_width(network)
            for other in relays[:index]:
                _check_overlap(network, other)


def _check_width(network: Network) -> None:
    if network.prefixlen < _WIDEST[network.version]:
        raise BadInput(
            f"trusted relay `{network}` is too wide: "
            "everybody in it could choose his own client address",
            hint="name the relays' own addresses",
        )


def _check_overlap(network: Network, other: TrustedRelay) -> None:
    for known in other.networks:
        if known.version == network.version and known.overlaps(network):
            raise BadInput(
                f"trusted relay networks `{known}` and `{network}` overlap: "
                "it is not clear which of them counts",
                hint="let each address belong to one [[trusted_relays]] entry",
            )


def find(relays: Sequence[TrustedRelay], address: str) -> TrustedRelay | None:
    """The relay that this peer is, or None. A peer on a Unix socket counts as 127.0.0.1."""
    if not relays:
        return None
    try:
        peer = ipaddress.ip_address(address)
    except ValueError:
        return None
    for relay in relays:
        if any(network.version == peer.version and peer in network for network in relay.networks):
            return relay
    return None


def peer_address(peername: object) -> str:
    """The address of a transport's peer; a Unix socket is local, a mapped address is IPv4."""
    if not isinstance(peername, tuple) or not peername:
        return "127.0.0.1"
    return _plain(str(peername[0]))


@functools.lru_cache(maxsize=4096)
def _plain(text: str) -> str:
    text = text.partition("%")[0]
    try:
        parsed = ipaddress.ip_address(text)
    except ValueError:
        return text
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)


@dataclass(frozen=True, slots=True)
class Arrival:
    """Everything that is known of where one mail came from."""

    role: Listener
    peer: str
    relay: TrustedRelay | None
    helo: str | None
    proxied: str | None = None  # what the PROXY header said
    forwarded: Forwarded | None = None  # what XFORWARD or XCLIENT said

    def client(self, raw: bytes, relays: Sequence[TrustedRelay]) -> Client:
        """The true client of this mail."""
        if self.relay is None:
            # A relay that nobody declared stands at a relay's door: its own address proves
            # nothing.
            return NOBODY if self.role is Listener.RELAY else Client(self.peer, self.helo)
        if self.relay.method is Method.PROXY:
            return Client(self.proxied, self.helo) if self.proxied else NOBODY
        if self.relay.method in (Method.XFORWARD, Method.XCLIENT):
            return self._forwarded()
        if self.relay.method is Method.RECEIVED:
            hop = received.walk(raw, lambda address: find(relays, address) is not None)
            return Client(hop.address, hop.helo) if hop else NOBODY
        return NOBODY

    def _forwarded(self) -> Client:
        said = self.forwarded
        if said is None or not said.remote or said.address is None:
            return NOBODY
        if self.relay is not None and self.relay.method is Method.XCLIENT:
            return Client(said.address, said.helo or self.helo)  # said again behind XCLIENT
        return Client(said.address, said.helo)
