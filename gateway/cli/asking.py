"""Asks an address by mail whether it belongs to an account, within the share that such mail has.

The mail names no account; what is over the share is said, and not sent.
"""

from sqlalchemy import Connection

from gateway.cli.office import Office, now
from gateway.core.model import Moved
from gateway.core.read import addresses
from gateway.core.say import letters
from gateway.core.say.ledgers import sign_in_spends
from gateway.store import changes, reader, rows
from gateway.store.prepared import Link


class Asking:
    """One command's question. Made before the write, so that templates are loaded."""

    def __init__(self, office: Office) -> None:
        """`office` is open."""
        self._post = office.post()
        self._caps = self._post.routing.caps

    def send(self, connection: Connection, account: str, address: str) -> str | None:
        """Queue the question in the caller's transaction; why none was sent, or None."""
        read = addresses.parse(address)
        to = reader.unconfirmed(connection, account, read.key) if read else None
        if to is None:
            return f"`{address}` was not asked: it waits for no confirmation"
        try:
            with connection.begin_nested():
                rows.spend(Link.of(connection), sign_in_spends(self._caps, to, now()))
        except Moved:
            return (
                "no mail was sent: the account or the address has had its share of such mail"
                " for today; `portiere accounts address ask` sends it later"
            )
        changes.queue(connection, [letters.address_question(self._post, to)], now())
        return None
