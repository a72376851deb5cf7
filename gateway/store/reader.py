"""The one read of a mail: everything that the store knows about its clues, from one moment.

The only maker of `OfficialAddress`, `NotificationAddress` and `UnconfirmedAddress`, from account
rows, and of `ProvenAuthor` from an enquiry's row. It reads no clock: what is
recent is judged by the moment in the clues.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from struct import unpack

from sqlalchemy import Connection, select

from gateway.core.model import (
    Account,
    Announcement,
    ArticleHit,
    Candidates,
    Claim,
    Clues,
    NotificationAddress,
    OfficialAddress,
    OwnMessage,
    ParkedMail,
    ProvenAuthor,
    Queue,
    Registration,
    Replay,
    Role,
    Seen,
    Service,
    Spending,
    StaffAddress,
    Ticket,
    TicketKind,
    TicketState,
    UnconfirmedAddress,
)
from gateway.store import naming, questions, schema
from gateway.store.columns import moment, moment_or_none, texts
from gateway.store.doubts import doubtful
from gateway.store.engine import Store
from gateway.store.prepared import Link, Prepared, Row, param
from gateway.store.questions import Asked, account_columns

RECEIPT = "thread"  # the template whose mails are merged
_WINDOW = timedelta(hours=48)
# The lowest number of each that is drawn; 64 bits of chance are even enough for the longest.
_LOWEST = (10**5,) * 8 + (10**6,) * 4 + (10**8,) * 2 + (10**11,) * 2

_ACCOUNT = Prepared(
    account_columns()
    .where(schema.accounts.c.number == param("number"))
    .order_by(schema.addresses.c.id)
)
_TICKET = Prepared(select(schema.tickets).where(schema.tickets.c.number == param("number")))

_a = schema.addresses.c
_UNCONFIRMED = Prepared(
    select(_a.account, _a.address, _a.key, _a.asked_at).where(
        _a.account == param("account"),
        _a.key == param("key"),
        _a.confirmed_at.is_(None),
        _a.asked_at.is_not(None),
    )
)


class Reader:
    """Answers clues. Safe in several threads: each read takes a connection of its own."""

    def __init__(
        self,
        store: Store,
        staff: Callable[[], Mapping[str, StaffAddress]],
        search: Callable[[str, str | None], tuple[ArticleHit, ...]],
        window: Callable[[], timedelta] | timedelta = _WINDOW,
    ) -> None:
        """`staff` by address key; `window` is how long a closed ticket still takes a twin."""
        self._store = store
        self._staff = staff
        self._search = search
        self._window = window

    def candidates(self, clues: Clues) -> Candidates:
        """Everything in one read transaction. Temporary when the database is away."""
        articles = self._search(clues.query, clues.language) if clues.query else ()
        window = self._window if isinstance(self._window, timedelta) else self._window()
        asked = Asked(clues, window // timedelta(microseconds=1), _drawn())
        with self._store.read() as link:
            answers = link.answers((one.prepared, one.values(asked)) for one in questions.ALL)
            rows = {one: answer.rows for one, answer in zip(questions.ALL, answers, strict=True)}
            found = self._assembled(asked, rows, articles)
            enquiries = (one.kind is TicketKind.ENQUIRY for one in found.tickets)
            if found.staff is None or not any(enquiries):
                return found
            named = naming.somebodys(link, clues.words, clues.orders, clues.ips)
        return replace(found, somebodys=named)

    def account(self, number: str) -> Account | None:
        """One account by its number, for commands that make replies."""
        with self._store.read() as link:
            return _accounts(link.rows(_ACCOUNT, {"number": number})).get(number)

    def ticket(self, number: str) -> Ticket | None:
        """One ticket by its number, as it stands; merges are not followed."""
        with self._store.read() as link:
            found = link.rows(_TICKET, {"number": number})
        return ticket_of(found[0]) if found else None

    def _assembled(
        self,
        asked: Asked,
        rows: Mapping[questions.Question, list[Row]],
        articles: tuple[ArticleHit, ...],
    ) -> Candidates:
        clues = asked.clues
        accounts = _accounts(rows[questions.ACCOUNTS])
        registrations = _registrations(rows[questions.REGISTRATIONS], accounts)
        own = {one.account.number for one in registrations}
        tickets = tuple(ticket_of(row) for row in rows[questions.TICKETS_NAMED])
        owners = {ticket.account for ticket in tickets}
        taken = {row[0] for row in rows[questions.TAKEN]}
        staff = self._staff().get(clues.author_key)
        return Candidates(
            registrations=registrations,
            staff=staff,
            tickets=tickets,
            ticket_accounts=tuple(one for n, one in accounts.items() if n in owners),
            open_tickets=tuple(ticket_of(row) for row in rows[questions.OPEN]),
            services=tuple(_service(row) for row in rows[questions.SERVICES]),
            foreign=_foreign(clues, rows[questions.OWNERS], own, tickets, staff is not None),
            messages=tuple(
                OwnMessage(m, t, bool(s), bool(a)) for m, t, s, a in rows[questions.KNOWN]
            ),
            sent_texts=tuple(row[0] for row in rows[questions.SENT] if not row[3]),
            articles=articles,
            replays=tuple(Replay(d, c, moment(at)) for d, c, at in rows[questions.REPLAYS]),
            seen=_seen(clues, rows[questions.SEEN]),
            spending=_spending(clues, rows[questions.SPENDING], own, rows[questions.SENT]),
            queue=Queue({priority: max(int(n), 0) for priority, n in rows[questions.WAITING]}),
            free_number=next(number for number in asked.numbers if number not in taken),
            announcements=tuple(
                Announcement(slug, title, text, texts(services))
                for slug, title, text, services in rows[questions.ANNOUNCED]
            ),
            parked=tuple(ParkedMail(*row) for row in rows[questions.PARKED_MAIL]),
            claims=tuple(
                Claim(accounts[row[0]], _unconfirmed(row))
                for row in rows[questions.CLAIMS]
                if row[0] in accounts
            ),
        )


def _drawn() -> tuple[str, ...]:
    """Random numbers to choose from: of six digits, and longer ones in case those are crowded."""
    chance = unpack(f"<{len(_LOWEST)}Q", secrets.token_bytes(8 * len(_LOWEST)))
    return tuple(str(low + one % (9 * low)) for low, one in zip(_LOWEST, chance, strict=True))


def _accounts(rows: Iterable[Row]) -> dict[str, Account]:
    """Accounts by number, from rows of `account_columns`; without an official address, none."""
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        grouped.setdefault(row[0], []).append(row)
    built = ((number, _account(group)) for number, group in grouped.items())
    return {number: account for number, account in built if account is not None}


def _account(rows: Sequence[Row]) -> Account | None:
    official = next((row for row in rows if row[5] == Role.PRIMARY), None)
    if official is None:
        return None
    number, name, language, state, address, _, _, confirmed, bounced, changed = official
    return Account(
        number=number,
        name=name,
        language=language,
        suspended=state == "suspended",
        official=OfficialAddress(address, number),
        doubtful=doubtful(confirmed, bounced, changed),
        notify=tuple(
            NotificationAddress(row[4], number, kind)
            for row in rows
            if row[5] != Role.PRIMARY and row[7] is not None
            for kind in texts(row[6])
        ),
    )


def _registrations(
    rows: Iterable[Row], accounts: Mapping[str, Account]
) -> tuple[Registration, ...]:
    return tuple(
        Registration(
            account=accounts[number],
            role=Role(role),
            kinds=texts(kinds),
            confirmed_at=moment(confirmed),
            domain_changed_at=moment_or_none(changed),
        )
        for number, role, kinds, confirmed, changed in rows
        if number in accounts
    )


def unconfirmed(connection: Connection, account: str, key: str) -> UnconfirmedAddress | None:
    """The address that waits to be confirmed on this account; None where it was not asked."""
    values = {"account": account, "key": key}
    rows = Link.of(connection).rows(_UNCONFIRMED, values)
    return _unconfirmed(rows[0]) if rows else None


def _unconfirmed(row: Row) -> UnconfirmedAddress:
    account, address, key, asked = row
    return UnconfirmedAddress(address, key, account, moment(asked))


def ticket_of(row: Row) -> Ticket:
    """A ticket from a row in the order of the table's columns."""
    (
        number, kind, account, subject, state, department, priority, proof, opened, queued,
        updated, closed, version, language, verified, merged, linked, assignee, asked,
        identifiers, body_digest, enquirer, candidates, _due, _escalated,
    ) = row  # fmt: skip
    return Ticket(
        number=number,
        kind=TicketKind(kind),
        account=account,
        subject=subject,
        state=TicketState(state),
        department=department,
        priority=priority,
        proof=proof,
        opened_at=moment(opened),
        queued_at=moment(queued),
        updated_at=moment(updated),
        version=version,
        language=language,
        verified=bool(verified),
        merged_into=merged,
        linked_to=linked,
        assignee=assignee,
        closed_at=moment_or_none(closed),
        asked=bool(asked),
        identifiers=texts(identifiers),
        body_digest=body_digest,
        enquirer=ProvenAuthor(enquirer) if enquirer and kind == TicketKind.ENQUIRY else None,
        candidates=texts(candidates),
    )


def _service(row: Row) -> Service:
    account, name, kind, order, ips = row
    return Service(account, name, kind, order, texts(ips))


def _foreign(
    clues: Clues,
    owners: Iterable[Row],
    own: set[str],
    tickets: Iterable[Ticket],
    staff: bool,
) -> bool:
    """An order or an address named is somebody else's or nobody's: one and the same.

    A number of the author's own ticket is judged as a ticket. Another's is an order that nobody
    has, so that the two cannot be told apart. Names of services do not count: one that nobody has
    is a word like any other, so a name that counted would tell that somebody has it. To staff an
    enquiry is a ticket: our own subject names it in each of their answers.
    """
    owned = {(kind, value) for kind, value, account in owners if account in own}
    numbers = {
        ticket.number
        for ticket in tickets
        if ticket.account in own or (staff and ticket.kind is TicketKind.ENQUIRY)
    }
    orders = {("order", order) for order in clues.orders if order not in numbers}
    return any(thing not in owned for thing in orders | {("ip", ip) for ip in clues.ips})


_UNDECIDED = frozenset(
    {"failed", "released"}
)  # they are decided again, and are not their own past


def _seen(clues: Clues, rows: Iterable[Row]) -> tuple[Seen, ...]:
    """Earlier arrivals, oldest first, each once."""
    found: dict[str, tuple[int, Seen]] = {}
    for mail, key, proof, ticket, state, received_at in rows:
        if state not in _UNDECIDED:
            same = key == clues.mail_key
            found[mail] = (received_at, Seen(mail, same, proof, ticket))
    return tuple(seen for _, seen in sorted(found.values(), key=lambda pair: pair[0]))


def _spending(clues: Clues, rows: Iterable[Row], own: set[str], sent: Iterable[Row]) -> Spending:
    """The shares used in 24 hours; of several accounts the one that has used most counts."""
    spent = {(ledger, key): int(n) for ledger, key, n in rows}

    def of(name: str, keys: Iterable[str]) -> int:
        return max((spent.get((name, key), 0) for key in keys), default=0)

    receipts = [row[2] for row in sent if row[1] == RECEIPT]
    return Spending(
        unproven_today=of("unproven", own),
        medium_today=of("medium", own),
        strong_today=of("strong", own),
        author_today=of("author", (clues.author_key,)),
        domain_today=of("domain", (clues.author_domain,)),
        last_thread_receipt=moment(max(receipts)) if receipts else None,
        global_today={ledger: n for (ledger, key), n in spent.items() if key == ""},
    )
