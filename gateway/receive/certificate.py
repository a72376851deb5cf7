"""The certificate of a listener: read, watched, and changed under a running door.

Each new handshake gets the newest one. One that cannot be read changes nothing, and is told.
"""

import ssl
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from gateway.errors import BadInput

Stamp = tuple[tuple[int, int, int], ...]


class Certificate:
    """`context` is given to the door once; what it shows changes with the files."""

    def __init__(self, chain: Path, key: Path, name: str) -> None:
        """`name` is the listener, for errors. Raises `BadInput` where the files are no pair."""
        self._chain, self._key, self._name = chain, key, name
        self._stamp = self._seen()
        self._current = self._read()
        self.expires = self._expiry()
        self.context = self._read()
        self.context.sni_callback = self._newest

    def renewed(self) -> bool:
        """Read the files again if they have changed; whether they had.

        Raises `BadInput`, once for each change, where the new ones are no pair; the old one stays.
        """
        seen = self._seen()
        if seen == self._stamp:
            return False
        self._stamp = seen
        fresh = self._read()
        self._current, self.expires = fresh, self._expiry()
        return True

    def days(self, now: datetime) -> float:
        """Until the certificate in use ends; below zero when it has."""
        return (self.expires - now).total_seconds() / 86_400

    def _newest(self, line: ssl.SSLObject, _name: str | None, _first: ssl.SSLContext) -> None:
        """Called within each handshake, with or without a name from the client."""
        line.context = self._current

    def _seen(self) -> Stamp:
        try:
            found = [path.stat() for path in (self._chain, self._key)]
        except OSError as error:
            raise BadInput(self._told(error)) from None
        return tuple((each.st_ino, each.st_mtime_ns, each.st_size) for each in found)

    def _read(self) -> ssl.SSLContext:
        """A context of its own: loading a broken pair would leave half of it in the old one."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            context.load_cert_chain(self._chain, self._key)
        except (OSError, ssl.SSLError) as error:
            raise BadInput(self._told(error)) from None
        return context

    def _expiry(self) -> datetime:
        try:
            (first, *_) = x509.load_pem_x509_certificates(self._chain.read_bytes())
        except (OSError, ValueError) as error:
            raise BadInput(self._told(error)) from None
        return first.not_valid_after_utc.astimezone(UTC)

    def _told(self, error: Exception) -> str:
        return f"cannot load the certificate of listener `{self._name}`: {error}"
