"""LMTP (RFC 2033): the same session, greeted with LHLO, with one reply for each recipient after
the dot.
"""

from typing import ClassVar

from gateway.receive.replies import Verdict
from gateway.receive.smtp import SmtpSession


class LmtpSession(SmtpSession):
    """One connection of a local mail server."""

    banner = "LMTP"
    hello_verbs: ClassVar[frozenset[str]] = frozenset({"LHLO"})

    async def _say_verdict(self, verdict: Verdict, recipients: int) -> None:
        """RFC 2033 4.2: in the order of the accepted RCPT commands."""
        await self._say(*verdict.of(recipients))
