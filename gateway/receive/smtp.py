"""The commands of SMTP: which may be said when, and what each is answered (RFC 5321 4.1).

Nothing here waits for a peer or closes a transport; session.py does. A mail that is complete is
handed to the door, which decides and commits it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import ClassVar

from gateway.core.model import Address, Envelope
from gateway.receive import commands, received, replies, xforward
from gateway.receive.client import Arrival, Method
from gateway.receive.data import DataReader, Flaw
from gateway.receive.door import Door
from gateway.receive.limits import SMALL, Share
from gateway.receive.lines import Hangup
from gateway.receive.replies import Reply, Verdict
from gateway.receive.session import Connection
from gateway.receive.xforward import Forwarded

_FLAWS = {
    Flaw.BAD_LINES: replies.BAD_LINES,
    Flaw.TOO_BIG: replies.TOO_BIG,
    Flaw.NO_MEMORY: replies.BUSY,
}
# What a chunking client or a browser says: a body follows, and must not be read as commands.
_BODY_FOLLOWS = frozenset({"BDAT", "GET", "POST", "PUT", "HEAD", "CONNECT", "OPTIONS", "PATCH"})
_BEFORE_TLS = frozenset({"EHLO", "LHLO", "HELO", "STARTTLS", "NOOP", "QUIT"})
_FREE = frozenset({"MAIL", "RCPT", "DATA", "QUIT", "XFORWARD"})  # all others have a budget
_MAIL_PARAMETERS = frozenset({"SIZE", "BODY", "SMTPUTF8"})
_HELLOS = frozenset({"EHLO", "LHLO", "HELO"})
_OVERFLOW = 10  # times the recipients of a mail: so many are refused politely

Command = Callable[["SmtpSession", str], Awaitable[None]]


@dataclass(slots=True)
class Transaction:
    """The mail that is being handed over."""

    sender: Address | None  # None is the null reverse-path
    smtputf8: bool
    size: int = 0  # as announced
    recipients: list[Address] = field(default_factory=list)


class SmtpSession(Connection):
    """One connection."""

    hello_verbs: ClassVar[frozenset[str]] = frozenset({"EHLO", "HELO"})
    verbs: ClassVar[dict[str, Command]]

    def __init__(self, door: Door) -> None:
        """`door` is what all sessions of the listener share."""
        super().__init__(door)
        self._helo: str | None = None
        self._forwarded: Forwarded | None = None
        self._stands_for: Forwarded | None = None  # by XCLIENT
        self._mail: Transaction | None = None
        self._mails = self._others = self._overflow = 0

    @property
    def _idle(self) -> bool:
        return self._mail is None

    async def _command(self, verb: str, argument: str | None) -> None:
        """Run one command, if this is the moment for it."""
        method = self.verbs.get(verb)
        if verb in _BODY_FOLLOWS:
            await self._refuse(replies.NOT_IMPLEMENTED, close=True)
        elif method is None or (verb in _HELLOS and verb not in self.hello_verbs):
            await self._refuse(replies.UNKNOWN_COMMAND)
        elif self._door.settings.require_tls and not self._tls and verb not in _BEFORE_TLS:
            await self._refuse(replies.TLS_FIRST)
        elif verb not in _FREE and self._others >= self._door.limits.other_commands:
            await self._refuse(replies.TOO_MANY_COMMANDS, close=True)
        else:
            self._others += verb not in _FREE
            await method(self, argument or "")

    # The session

    async def _hello(self, argument: str) -> None:
        """EHLO and LHLO, RFC 5321 4.1.1.1, RFC 2033 4.1."""
        if await self._greeted(argument):
            for line in self._offers():
                await self.push(line)

    async def _plain_hello(self, argument: str) -> None:
        """HELO."""
        if await self._greeted(argument):
            await self.push(f"250 {self.hostname}")

    async def _greeted(self, argument: str) -> bool:
        name = commands.hello(argument)
        if name is None:
            await self._refuse(replies.BAD_ARGUMENT)
            return False
        if self._lines.pending:  # RFC 2920 3.1: hello ends a group
            await self._refuse(replies.OUT_OF_STEP, close=True)
            return False
        self._helo = name
        self._reset()
        return True

    def _offers(self) -> list[str]:
        offers = ["PIPELINING", f"SIZE {self._door.limits.message_bytes}", "8BITMIME", "SMTPUTF8"]
        if self._door.settings.tls is not None and not self._tls:
            offers.append("STARTTLS")
        if self._takes_xforward:
            offers.append("XFORWARD " + " ".join(xforward.NAMES))
        if self._takes_xclient:
            offers.append("XCLIENT " + " ".join(xforward.CLIENT_NAMES))
        return [f"250-{line}" for line in (self.hostname, *offers)] + ["250 ENHANCEDSTATUSCODES"]

    async def _starttls(self, argument: str) -> None:
        if argument:
            await self._refuse(replies.BAD_ARGUMENT)
        elif self._door.settings.tls is None or self._tls:
            await self._refuse(replies.NOT_IMPLEMENTED)
        else:
            await self._start_tls()
            self._helo = None  # RFC 3207 4.2
            self._reset()

    async def _xforward(self, argument: str) -> None:
        """From trusted relays alone; for the next mail (Postfix XFORWARD_README)."""
        if not self._takes_xforward:
            return await self._refuse(replies.NOT_TRUSTED)
        if self._mail is not None:
            return await self._refuse(replies.IN_TRANSACTION)
        said = (self._forwarded or Forwarded()).with_words(argument)
        if said is None:
            return await self._refuse(replies.BAD_ARGUMENT)
        self._forwarded = said
        return await self._say(replies.OK)

    @property
    def _takes_xforward(self) -> bool:
        return self._relay is not None and self._relay.method is Method.XFORWARD

    async def _xclient(self, argument: str) -> None:
        """From trusted relays alone; for the rest of the session, which begins again."""
        if not self._takes_xclient:
            return await self._refuse(replies.NOT_TRUSTED)
        if self._mail is not None:
            return await self._refuse(replies.IN_TRANSACTION)
        if self._lines.pending:  # what follows was said for another client
            return await self._refuse(replies.OUT_OF_STEP, close=True)
        said = (self._stands_for or Forwarded()).with_words(argument, xforward.CLIENT_NAMES)
        if said is None:
            return await self._refuse(replies.BAD_ARGUMENT)
        self._stands_for = said
        self._helo = None
        self._reset()
        return await self.push(f"220 {self.hostname} {self.banner}")

    @property
    def _takes_xclient(self) -> bool:
        return self._relay is not None and self._relay.method is Method.XCLIENT

    async def _noop(self, argument: str) -> None:
        await self._say(replies.OK)

    async def _vrfy(self, argument: str) -> None:
        """RFC 5321 7.3: the same for every address."""
        await self._say(replies.VRFY)

    async def _help(self, argument: str) -> None:
        await self._say(replies.HELP)

    async def _not_implemented(self, argument: str) -> None:
        await self._refuse(replies.NOT_IMPLEMENTED)

    async def _quit(self, argument: str) -> None:
        self._lines.over = True
        await self._say(replies.BYE)

    # The envelope

    async def _rset(self, argument: str) -> None:
        if argument:
            return await self._refuse(replies.BAD_ARGUMENT)
        self._reset()
        return await self._say(replies.OK)

    def _reset(self) -> None:
        self._mail = None
        self._forwarded = None

    async def _mail_from(self, argument: str) -> None:
        """RFC 5321 4.1.1.2, RFC 1870, 6152, 6531."""
        refusal = self._not_now()
        if refusal is not None:
            return await self._refuse(refusal, close=refusal.code == 421)
        path = commands.argument(argument, "FROM:")
        if path is None:
            return await self._refuse(replies.BAD_SENDER)
        refusal = self._judged(path.parameters)
        if refusal is not None:
            return await self._refuse(refusal)
        smtputf8 = "SMTPUTF8" in path.parameters
        sender = commands.mailbox(path.text, smtputf8) if path.text else None
        if path.text and sender is None:
            return await self._refuse(replies.BAD_SENDER)
        if self._door.free_disk() < self._door.limits.disk_floor:
            self._door.log.warning("disk nearly full")
            return await self._say(replies.DISK)
        size = int(path.parameters.get("SIZE") or 0)
        if size > SMALL and not self._door.memory.room(self._client, size):  # RFC 1870 6.1
            return await self._busy()
        self._mail = Transaction(sender, smtputf8, size)
        return await self._say(replies.SENDER_OK)

    def _not_now(self) -> Reply | None:
        if self._helo is None:
            return replies.HELLO_FIRST
        if self._mail is not None:
            return replies.NESTED_MAIL
        if self._door.draining:
            return replies.SHUTTING_DOWN
        limits = self._door.limits
        if self._mails >= (limits.mails if self._client else limits.relay_mails):
            return replies.TOO_MANY_MAILS
        return None

    def _judged(self, said: dict[str, str | None]) -> Reply | None:
        if not said.keys() <= _MAIL_PARAMETERS:
            return replies.UNKNOWN_PARAMETER
        size = said.get("SIZE", "0")
        if size is None or not size.isdigit() or len(size) > 20:  # RFC 1870 4
            return replies.BAD_PARAMETER
        if (said.get("BODY", "7BIT") or "").upper() not in ("7BIT", "8BITMIME"):
            return replies.BAD_PARAMETER
        if said.get("SMTPUTF8") is not None:
            return replies.BAD_PARAMETER
        return replies.TOO_BIG if int(size) > self._door.limits.message_bytes else None

    async def _rcpt_to(self, argument: str) -> None:
        """RFC 5321 4.1.1.3."""
        if self._mail is None:
            return await self._refuse(replies.MAIL_FIRST)
        if len(self._mail.recipients) >= self._door.limits.recipients:
            return await self._too_many_recipients()
        path = commands.argument(argument, "TO:")
        if path is None:
            return await self._refuse(replies.BAD_RECIPIENT)
        if path.parameters:
            return await self._refuse(replies.UNKNOWN_PARAMETER)
        text = path.text
        if text.lower() == "postmaster":  # RFC 5321 4.5.1: without a domain, too
            text = f"{text}@{self._door.postmaster}"
        recipient = commands.mailbox(text, self._mail.smtputf8)
        if recipient is None:
            return await self._refuse(replies.BAD_RECIPIENT)
        if not self._door.is_ours(recipient):
            return await self._refuse(replies.NOT_HERE)
        self._mail.recipients.append(recipient)
        return await self._say(replies.RECIPIENT_OK)

    async def _too_many_recipients(self) -> None:
        # RFC 5321 4.5.3.1.10: the client sends the rest in another mail. That is no offence; a
        # flood is one.
        self._overflow += 1
        if self._overflow > _OVERFLOW * self._door.limits.recipients:
            await self._refuse(replies.TOO_MANY_COMMANDS, close=True)
        else:
            await self._say(replies.TOO_MANY_RECIPIENTS)

    # The content

    async def _data_command(self, argument: str) -> None:
        """RFC 5321 4.1.1.4."""
        if argument:
            return await self._refuse(replies.BAD_ARGUMENT)
        if self._mail is None:
            return await self._refuse(replies.MAIL_FIRST)
        if not self._mail.recipients:
            return await self._refuse(replies.RECIPIENT_FIRST)
        if self._lines.pending:  # RFC 2920 3.1: DATA ends a group
            return await self._refuse(replies.OUT_OF_STEP, close=True)
        share = self._door.memory.share(self._client)
        if self._mail.size > SMALL and not share.grow(self._mail.size):
            self._reset()
            return await self._busy()
        await self._say(replies.START_DATA)
        return await self._take(self._mail, share)

    async def _busy(self) -> None:
        """No offence: it may come again when others have gone."""
        self._log("not taken", flaw=str(Flaw.NO_MEMORY))
        await self._say(replies.BUSY)

    async def _take(self, mail: Transaction, share: Share) -> None:
        """Read one mail, have it decided, say so."""
        reader = DataReader(
            self._door.limits.message_bytes,
            self._lines.lenient,
            self._door.settings.keep_bad_lines,
        )
        try:
            await self._read(reader, share)
            verdict = await self._verdict(mail, reader, share)
        finally:
            if self._commit is None:  # else it is the commit's
                share.release()
            self._commit = None
        self._mails += 1
        self._others = self._overflow = 0
        self._reset()
        self._door.answered(verdict.reply)
        await self._say_verdict(verdict, len(mail.recipients))

    async def _read(self, reader: DataReader, share: Share) -> None:
        """To the end of the mail. One that finds no room gives its own back, for the others."""
        self._data, self._since = reader, self.loop.time()
        try:
            while (rest := reader.feed(await self._lines.chunk())) is None:
                self._bound(reader)
                if reader.kept > SMALL and not share.grow(reader.kept):
                    reader.spoil(Flaw.NO_MEMORY)
                if reader.flaw is not None:
                    share.release()
        finally:
            self._data = None
        self._lines.unread(rest)

    def _bound(self, reader: DataReader) -> None:
        if reader.received > 2 * self._door.limits.message_bytes:
            self.cut(replies.TOO_BIG, "twice the size limit")
            raise Hangup

    async def _verdict(self, mail: Transaction, reader: DataReader, share: Share) -> Verdict:
        if reader.flaw is not None:
            self._errors += reader.flaw is Flaw.BAD_LINES
            self._log("not taken", flaw=str(reader.flaw), size=reader.received)
            return Verdict(_FLAWS[reader.flaw])
        raw = reader.content()
        if received.count(raw) > self._door.limits.received_fields:
            self._log("too many hops")
            return Verdict(replies.TOO_MANY_HOPS)
        envelope = self._envelope(mail, raw)
        self._commit = self._door.begin(envelope, raw)
        self._commit.add_done_callback(share.release)
        try:
            return await self._door.verdict(self._commit, envelope.session)
        finally:
            self._since = self.loop.time()

    def _envelope(self, mail: Transaction, raw: bytes) -> Envelope:
        relay, role = self._relay, self._door.settings.role
        said = self._stands_for or self._forwarded
        arrival = Arrival(role, self._peer, relay, self._helo, self._proxied, said)
        true = arrival.client(raw, self._door.relays)
        return Envelope(
            client_ip=true.address,
            helo=true.helo,
            mail_from=str(mail.sender) if mail.sender else "",
            recipients=tuple(map(str, mail.recipients)),
            listener=role,
            received_at=self._door.clock(),
            session=f"{self._id}.{self._mails + 1}",
            tls=self._tls,
            smtputf8=mail.smtputf8,
            vouched=relay is not None and relay.vouches,
            authserv_id=relay.authserv_id if relay else None,
        )

    async def _say_verdict(self, verdict: Verdict, recipients: int) -> None:
        """One reply for the mail."""
        await self._say(verdict.reply)


SmtpSession.verbs = {
    "EHLO": SmtpSession._hello,
    "LHLO": SmtpSession._hello,
    "HELO": SmtpSession._plain_hello,
    "STARTTLS": SmtpSession._starttls,
    "XFORWARD": SmtpSession._xforward,
    "XCLIENT": SmtpSession._xclient,
    "MAIL": SmtpSession._mail_from,
    "RCPT": SmtpSession._rcpt_to,
    "DATA": SmtpSession._data_command,
    "RSET": SmtpSession._rset,
    "NOOP": SmtpSession._noop,
    "VRFY": SmtpSession._vrfy,
    "HELP": SmtpSession._help,
    "QUIT": SmtpSession._quit,
    "AUTH": SmtpSession._not_implemented,
    "EXPN": SmtpSession._not_implemented,
    "ETRN": SmtpSession._not_implemented,
    "TURN": SmtpSession._not_implemented,
}
