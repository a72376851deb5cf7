"""Plays a row: mails in, clock moves, doings of staff and ops; checks mails out and states."""

import re
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

from row_house import House, Sent

from gateway.core.model import TicketState
from gateway.core.say import letters
from gateway.store import accounts, announcements, changes, mails, tickets
from gateway.store.announcements import Notice

ROWS = Path(__file__).resolve().parent
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_LABEL = re.compile(r"\{([a-z]+)\}")
STEP = {"tells", "mail", "wait", "do", "then"}
THEN = {"outcome", "rule", "code", "ticket", "out", "staff", "queue", "tickets", "parked"}


def row_files() -> list[Path]:
    """Every row, in the order of the list of systems."""
    files = ROWS.glob("[A-Z]*.toml")
    return sorted(files, key=lambda one: ("GHWI".index(one.stem[0]), int(one.stem[1:])))


def load(file: Path) -> dict[str, Any]:
    """A row as it is written; a word that is none of ours is a mistake."""
    row = tomllib.loads(file.read_text(encoding="utf-8"))
    for step in row["step"]:
        assert set(step) <= STEP, f"{file.name}: {set(step) - STEP}"
        assert set(step.get("then", {})) <= THEN, f"{file.name}: {set(step['then']) - THEN}"
    return row


class Play:
    """One row in one house. Tickets are called by labels: their numbers are drawn at random."""

    def __init__(self, house: House) -> None:
        """Nothing has happened yet."""
        self.house = house
        self.labels: dict[str, str] = {}
        self._seen = 0

    def step(self, step: dict[str, Any]) -> None:
        """One step and what must hold after it."""
        self._seen = len(self.house.sent)
        code = None
        if "wait" in step:
            self.house.wait(_span(step["wait"]))
        if "mail" in step:
            code = self.receive(step["mail"])
        if "do" in step:
            self._do(step["do"])
        self._then(step.get("then", {}), code)

    def receive(self, told: dict[str, Any]) -> int:
        """One mail; the code that was said."""
        mail = {
            key: self._filled(value) if isinstance(value, str) else value
            for key, value in told.items()
        }
        if "answers" in mail:
            parent = self._latest(str(mail.pop("answers")))
            head = dict(mail.get("headers", {}))
            head["In-Reply-To"] = parent.mail["Message-ID"]
            mail["headers"] = head
            mail.setdefault("subject", f"Re: {parent.mail['Subject']}")
            mail.setdefault("to", str(parent.mail["Reply-To"] or "support@host.example"))
        envelope = self.house.envelope(mail)
        return self.house.receive(envelope, self.house.compose(mail)).code

    def _latest(self, kind: str) -> Sent:
        return next(one for one in reversed(self.house.sent) if one.kind == kind)

    def _filled(self, text: str) -> str:
        return _LABEL.sub(lambda found: self.labels.get(found[1], found[0]), text)

    # ---- staff and ops

    def _do(self, told: dict[str, Any]) -> None:
        (what, on), *more = told.items()
        getattr(self, f"_do_{what}")(self._filled(str(on)), dict(more))
        self.house.deliver()

    def _do_close(self, number: str, _: dict[str, Any]) -> None:
        ticket = self.house.read(lambda one: tickets.find(one, number))
        account = self.house.rooms.reader.account(ticket.account or "")
        post = self.house.rooms.post(self.house.now)
        self._said(letters.closing(post, ticket, account, "marta@desk.example"))

    def _do_reply(self, number: str, more: dict[str, Any]) -> None:
        ticket = self.house.read(lambda one: tickets.find(one, number))
        account = self.house.rooms.reader.account(ticket.account or "")
        post = self.house.rooms.post(self.house.now)
        assert letters.unanswerable(ticket, account) is None
        self._said(letters.answer(post, ticket, account, more["text"], "marta@desk.example"))

    def _said(self, said: letters.Said) -> None:
        change = said.change
        assert change is not None
        self.house.write(
            lambda one: changes.apply_change(one, change, said.entries, said.outgoing, said.events)
        )

    def _do_unanswerable(self, number: str, more: dict[str, Any]) -> None:
        ticket = self.house.read(lambda one: tickets.find(one, number))
        account = self.house.rooms.reader.account(ticket.account or "")
        assert more["why"] in str(letters.unanswerable(ticket, account) or "")

    def _do_note(self, number: str, more: dict[str, Any]) -> None:
        now = self.house.now
        self.house.write(lambda one: tickets.add_note(one, number, "marta", more["text"], now))

    def _do_assign(self, number: str, more: dict[str, Any]) -> None:
        now = self.house.now
        self.house.write(lambda one: tickets.assign(one, number, more["to"], "marta", now))

    def _do_verify(self, number: str, _: dict[str, Any]) -> None:
        self.house.write(lambda one: tickets.verify(one, number, "panel", self.house.now))

    def _do_merge(self, number: str, more: dict[str, Any]) -> None:
        into = self._filled(more["into"])
        self.house.write(lambda one: tickets.merge(one, number, into, "marta", self.house.now))

    def _do_kinds(self, address: str, more: dict[str, Any]) -> None:
        def work(connection: Any) -> None:
            accounts.add_address(
                connection, more["account"], address, self.house.now, kinds=more["kinds"]
            )

        self.house.write(work)

    def _do_ask(self, address: str, more: dict[str, Any]) -> None:
        """A new address, as `portiere accounts address add` adds it."""
        self.house.ask(more["account"], address)

    def _do_primary(self, address: str, more: dict[str, Any]) -> None:
        now = self.house.now
        self.house.write(lambda one: accounts.set_primary(one, more["account"], address, now))

    def _do_announce(self, slug: str, more: dict[str, Any]) -> None:
        ends = self.house.now + _span(more["lasts"])
        notice = Notice(
            slug, more["title"], more["text"], self.house.now, ends, tuple(more["services"])
        )
        self.house.write(lambda one: announcements.add(one, notice))
        house, rooms = self.house, self.house.rooms
        announcements.feed(rooms.store, house.writer, rooms.reader.account, rooms.post, house.now)

    # ---- what must hold

    def _then(self, then: dict[str, Any], code: int | None) -> None:
        trace = self.house.trace()
        if "code" in then:
            assert code == then["code"]
        for key in ("outcome", "rule"):
            if key in then:
                assert trace[key] == then[key], trace["because"]
        if trace and trace.get("rule") == "same-incident":
            assert f"Ticket {trace['ticket']} is open" in trace["because"]
        if "ticket" in then:
            self._ticket(then["ticket"], trace)
        self._out(then)
        if "queue" in then:
            found = self.house.read(tickets.queue)
            assert [row["number"] for row in found] == [self.labels[one] for one in then["queue"]]
        if "tickets" in then:
            assert sum(self.house.read(tickets.counts).values()) == then["tickets"]
        if "parked" in then:
            assert len(self.house.read(mails.list_parked)) == then["parked"]

    def _ticket(self, told: dict[str, Any], trace: dict[str, Any]) -> None:
        """`is` names the ticket of the last mail; a new label is one that no other has."""
        wanted, label = dict(told), told["is"]
        del wanted["is"]
        if label not in self.labels:
            assert trace["ticket"], trace["because"]
            assert trace["ticket"] not in self.labels.values()
            self.labels[label] = trace["ticket"]
        if wanted.pop("joined", False):
            assert trace["ticket"] == self.labels[label]
        number = self.labels[label]
        shown = self.house.read(lambda one: tickets.show(one, number))
        assert shown is not None
        said = wanted.pop("history", None)
        if said is not None:
            found = [f"{one['by']} {one['kind']}" for one in shown["entries"]]
            assert found == said
        if "pending" in wanted:
            assert any(one["pending"] for one in shown["entries"]) is wanted.pop("pending")
        if "linked_to" in wanted:
            assert shown["linked_to"] == self.labels[wanted.pop("linked_to")]
        if "waits_for_staff" in wanted:
            waits = shown["state"] in (TicketState.NEW, TicketState.STAFF)
            assert waits is wanted.pop("waits_for_staff")
        for key, value in wanted.items():
            assert str(shown[key]) == str(value), f"{key} of {label} is {shown[key]}"

    def _out(self, then: dict[str, Any]) -> None:
        """Every mail since the step before, in any order. Nothing more has gone out."""
        new = self.house.sent[self._seen :]
        for key, of_staff in (("out", False), ("staff", True)):
            if key not in then and of_staff:
                continue
            found = [one for one in new if _of_staff(one) is of_staff]
            wanted = then.get(key, [])
            pairs = sorted((one["to"], one["kind"]) for one in wanted)
            assert sorted((one.to, one.kind) for one in found) == pairs
            for one in wanted:
                sent = next(s for s in found if (s.to, s.kind) == (one["to"], one["kind"]))
                self._words(sent, one)

    def _words(self, sent: Sent, told: dict[str, Any]) -> None:
        for text in told.get("says", []):
            assert self._filled(text) in sent.words, sent.words
        for text in told.get("never", []):
            assert self._filled(text) not in sent.raw.decode("utf-8", "replace") + sent.words
        for name, value in told.get("headers", {}).items():
            assert str(sent.mail[name]) == value


def _of_staff(sent: Sent) -> bool:
    return sent.kind.startswith("staff-") and sent.kind != "staff-reply"


def _span(text: str) -> timedelta:
    """`30m`, `2h`, `1d`."""
    return timedelta(**{_UNITS[text[-1]]: int(text[:-1])})
