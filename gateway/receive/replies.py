"""Every SMTP reply has a name: fixed ASCII text outward, detail in the log alone.

Codes are RFC 5321 4.2, enhanced codes RFC 3463 and the IANA registry. Nothing that a client
sent, and no text of an exception, may become part of a reply.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.core.model import Address, Envelope


@dataclass(frozen=True, slots=True)
class Reply:
    """One line to the other side. `enhanced` is empty where RFC 2034 asks for none (greeting,
    EHLO, 354).
    """

    code: int
    enhanced: str
    text: str

    def __str__(self) -> str:
        return " ".join(part for part in (str(self.code), self.enhanced, self.text) if part)

    @property
    def line(self) -> bytes:
        """As it is sent."""
        return f"{self}\r\n".encode("ascii", "replace")

    @property
    def positive(self) -> bool:
        """2xx: the other side has done with it."""
        return 200 <= self.code < 300

    @property
    def permanent(self) -> bool:
        """5xx: the other side will not try again."""
        return self.code >= 500


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of a whole mail. `per_recipient` (LMTP alone) is empty, or as long as the
    recipients.
    """

    reply: Reply
    per_recipient: tuple[Reply, ...] = ()

    def of(self, count: int) -> tuple[Reply, ...]:
        """One reply for each of `count` recipients (RFC 2033 4.2)."""
        if len(self.per_recipient) == count:
            return self.per_recipient
        return (self.reply,) * count


Handle = Callable[[Envelope, bytes], Awaitable[Verdict]]
"""Decides and commits one mail. It is never cancelled by the session that brought the mail."""

IsOurs = Callable[[Address], bool]
"""Whether mail for this address is taken: support addresses, their sub-addresses, return paths."""

# A mail
ACCEPTED = Reply(250, "2.0.0", "Message accepted")
TRY_LATER = Reply(451, "4.3.0", "Temporary failure, please try again later")
DNS_TRY_LATER = Reply(451, "4.4.3", "Temporary DNS failure, please try again later")
PROOF_TRY_LATER = Reply(
    451, "4.7.5", "The sender cannot be verified at this moment, please try again later"
)
MALFORMED = Reply(550, "5.6.0", "The message does not follow RFC 5322")
BAD_LINES = Reply(550, "5.5.2", "Bare CR, bare LF or NUL in the message")
FORGED = Reply(
    550,
    "5.7.1",
    "The sender could not be authenticated; customers can open a ticket in the control panel",
)
REFUSED = Reply(550, "5.7.1", "The message is refused by policy")
TOO_BIG = Reply(552, "5.3.4", "The message exceeds the size limit")
DISK = Reply(452, "4.3.1", "Insufficient system storage, please try again later")
BUSY = Reply(452, "4.3.1", "Too many large messages at once, please try again later")
TOO_MANY_HOPS = Reply(554, "5.4.6", "Too many hops, this looks like a mail loop")

# Addresses
SENDER_OK = Reply(250, "2.1.0", "Sender accepted")
RECIPIENT_OK = Reply(250, "2.1.5", "Recipient accepted")
BAD_SENDER = Reply(501, "5.1.7", "The sender address is not valid")
BAD_RECIPIENT = Reply(501, "5.1.3", "The recipient address is not valid")
NOT_HERE = Reply(550, "5.1.1", "No such recipient here")
TOO_MANY_RECIPIENTS = Reply(452, "4.5.3", "Too many recipients")
BAD_PARAMETER = Reply(501, "5.5.4", "A parameter of the command is not valid")
UNKNOWN_PARAMETER = Reply(555, "5.5.4", "A parameter of the command is not known")

# The session
OK = Reply(250, "2.0.0", "OK")
START_DATA = Reply(354, "", "End data with <CR><LF>.<CR><LF>")
START_TLS = Reply(220, "2.0.0", "Ready to start TLS")
BYE = Reply(221, "2.0.0", "Bye")
VRFY = Reply(252, "2.0.0", "Send some mail, and we shall see")
HELP = Reply(214, "2.0.0", "See RFC 5321")
SYNTAX = Reply(500, "5.5.2", "The command line is not valid")
BAD_ARGUMENT = Reply(501, "5.5.4", "The argument is not valid")
LINE_TOO_LONG = Reply(500, "5.5.2", "The command line is too long")
BARE_LF = Reply(500, "5.5.2", "Commands end with CR LF")
UNKNOWN_COMMAND = Reply(500, "5.5.1", "Command not recognised")
NOT_IMPLEMENTED = Reply(502, "5.5.1", "Command not implemented")
HELLO_FIRST = Reply(503, "5.5.1", "Say hello first")
NESTED_MAIL = Reply(503, "5.5.1", "The sender was given already")
MAIL_FIRST = Reply(503, "5.5.1", "Give the sender first")
RECIPIENT_FIRST = Reply(503, "5.5.1", "Give a recipient first")
IN_TRANSACTION = Reply(503, "5.5.1", "Not inside a mail transaction")
OUT_OF_STEP = Reply(554, "5.5.0", "The client does not wait for replies")
TLS_FIRST = Reply(530, "5.7.0", "Issue STARTTLS first")
NOT_TRUSTED = Reply(550, "5.7.1", "Not permitted")

# The end of a session
TOO_MANY_CONNECTIONS = Reply(421, "4.7.0", "Too many connections, please try again later")
TOO_MANY_ERRORS = Reply(421, "4.7.0", "Too many errors, closing the connection")
TOO_MANY_COMMANDS = Reply(421, "4.7.0", "Too many commands, closing the connection")
TOO_MANY_MAILS = Reply(421, "4.7.0", "Enough messages on this connection, please reconnect")
SESSION_FAILED = Reply(421, "4.3.0", "Temporary failure, please try again later")
SHUTTING_DOWN = Reply(421, "4.3.2", "The system is shutting down, please try again later")
TIMED_OUT = Reply(421, "4.4.2", "Timeout, closing the connection")
