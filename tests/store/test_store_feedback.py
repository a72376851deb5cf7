"""What is remembered of answers, and what later mails say of them, on both engines."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from store_values import NOW, mail_row, new_ticket

from gateway.core.model import Answered, Effects
from gateway.store import feedback, schema
from gateway.store.engine import Store
from gateway.store.feedback import Helped
from gateway.store.writer import Writer

ASKER = "mario@curious.example"


def answer(writer: Writer, name: str, article: str = "dkim", at: datetime = NOW) -> str:
    """An article goes out; the Message-ID of the answer."""
    row = mail_row(name, outcome="answer", author_key=ASKER, account=None, received_at=at)
    message_id = f"<{name}.answer@host.example>"
    writer.commit(Effects(row, answered=Answered(article, "it", message_id))).result()
    return message_id


def later(writer: Writer, name: str, hours: float = 1, **said: Any) -> tuple[int, int]:
    """Another mail; how many answers it says did not help, and how many its ticket says so of."""
    author = said.pop("author", ASKER)
    row = mail_row(name, author_key=author, received_at=NOW + timedelta(hours=hours))
    done = writer.commit(Effects(row, **said)).result()
    return done.unsolved, done.ticketed


def helped(store: Store, since: datetime | None = None) -> list[Helped]:
    """What `kb feedback` shows."""
    with store.reading() as connection:
        return feedback.helped(connection, since)


def test_an_answer_is_remembered_without_its_question(store: Store, writer: Writer) -> None:
    """The row holds an article, a time, an author and a Message-ID, and nothing of the mail."""
    answer(writer, "m1")
    with store.reading() as connection:
        row = connection.execute(select(schema.answers)).one()._asdict()
    row.pop("id")
    assert row.pop("at") > 0
    assert row == {
        "article": "dkim",
        "language": "it",
        "author_key": ASKER,
        "message_id": "<m1.answer@host.example>",
        "unsolved_at": None,
        "ticket_at": None,
    }


def test_a_reply_counts_once(store: Store, writer: Writer) -> None:
    """The answer that it names, whoever writes; a second reply adds nothing."""
    one = answer(writer, "m1")
    answer(writer, "m2", "spf")
    assert later(writer, "r1", unsolved=("<else@x.example>", one), author="b@x.example") == (1, 0)
    assert later(writer, "r2", unsolved=(one,)) == (0, 0)
    assert helped(store) == [Helped("dkim", 1, 1, 0, 1), Helped("spf", 1, 0, 0, 0)]


def test_a_ticket_within_three_days_counts(store: Store, writer: Writer) -> None:
    """Of the same author, up to 72 hours after the answer; a mail that opens none does not."""
    answer(writer, "m1")
    ticket = {"tickets": (new_ticket("482913"),)}
    other = {"tickets": (new_ticket("482914"),)}
    late = {"tickets": (new_ticket("482915"),)}
    assert later(writer, "t0") == (0, 0)
    assert later(writer, "t1", author="other@x.example", **other) == (0, 0)
    assert later(writer, "t2", hours=72, **late) == (0, 0)
    assert later(writer, "t3", hours=71.9, **ticket) == (0, 1)
    assert helped(store) == [Helped("dkim", 1, 0, 1, 1)]


def test_both_signs_are_one_answer_that_failed(store: Store, writer: Writer) -> None:
    """The share counts answers, not signs; the worst article comes first."""
    first = answer(writer, "m1")
    answer(writer, "m2", at=NOW - timedelta(days=9))
    answer(writer, "m3", "spf", at=NOW - timedelta(days=9))
    said = later(writer, "r1", unsolved=(first,), tickets=(new_ticket("482913"),))
    assert said == (1, 1)
    worst, best = helped(store)
    assert (worst, worst.share) == (Helped("dkim", 2, 1, 1, 1), 0.5)
    assert (best.article, best.share) == ("spf", 0.0)
    assert helped(store, NOW - timedelta(days=1)) == [Helped("dkim", 1, 1, 1, 1)]


def test_a_mail_that_fails_leaves_no_trace_of_its_words(store: Store, writer: Writer) -> None:
    """The same transaction: the very same mail again is a duplicate, and counts nothing."""
    one = answer(writer, "m1")
    assert later(writer, "r1") == (0, 0)
    assert later(writer, "r1", unsolved=(one,)) == (0, 0)
    assert helped(store)[0].unsolved == 0


def test_who_asked_is_forgotten(store: Store, writer: Writer) -> None:
    """The author after 72 hours, the Message-ID after 90 days; the counts stay."""
    answer(writer, "m1")
    columns = select(schema.answers.c.author_key, schema.answers.c.message_id)
    for days, left in (
        (2, (ASKER, "<m1.answer@host.example>")),
        (4, (None, "<m1.answer@host.example>")),
        (91, (None, None)),
    ):
        moment = NOW + timedelta(days=days)
        writer.run(lambda link, at=moment: feedback.forget(link, at)).result()
        with store.reading() as connection:
            assert tuple(connection.execute(columns).one()) == left
    assert helped(store) == [Helped("dkim", 1, 0, 0, 0)]
