"""The smarthost of the demo: takes every mail and keeps it as a file to look at."""

from pathlib import Path
from threading import Lock

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class _Named(Controller):
    """Says its name without asking DNS for it."""

    def factory(self) -> SMTP:
        return SMTP(self.handler, hostname="sink.example")


class Sink:
    """A listening SMTP server in a thread of its own; `mails` grows as mail comes in."""

    def __init__(self, port: int, folder: Path) -> None:
        """Mails are written to `folder` as 01-recipient.eml, 02-…"""
        self.mails: list[tuple[str, bytes]] = []
        self._lock = Lock()
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._controller = _Named(self, hostname="127.0.0.1", port=port)

    async def handle_DATA(  # noqa: N802  the name is aiosmtpd's
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Keep one mail for each recipient."""
        raw = envelope.original_content or b""
        with self._lock:
            for recipient in envelope.rcpt_tos:
                self.mails.append((recipient, raw))
                name = f"{len(self.mails):02}-{recipient.replace('@', '-at-')}.eml"
                (self._folder / name).write_bytes(raw)
        return "250 2.0.0 kept"

    def __enter__(self) -> "Sink":
        self._controller.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._controller.stop()
        self._controller.loop.close()
