"""Message-IDs that keep to their grammar, and dates that name a moment."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.read import identifiers

ROME = timezone(timedelta(hours=1))


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (b" <a.b$c@host.example>", "<a.b$c@host.example>"),
        (b" <P.4.30-1@on.example>\r\n", "<P.4.30-1@on.example>"),
        (b"\r\n <x@[192.0.2.1]>", "<x@[192.0.2.1]>"),
        (b" <no-at-sign>", None),
        (b" a@b.example", None),
        (b" <a@b.example> trailing", None),
        (b" <a@b.example>, <c@d.example>", None),
        (b" <a b@c.example>", None),
        (b' <a"b@c.example>', None),
        (b" <a\xf2@c.example>", None),
        (b" <a@b.example\r\nBcc: x@y.example>", None),
        (b" <" + b"a" * 500 + b"@b.example>", None),
        (b"", None),
        (None, None),
    ],
)  # fmt: skip
def test_message_id(value: bytes | None, found: str | None) -> None:
    """One identifier that is safe to send back, or none."""
    assert identifiers.message_id(value) == found


def test_references_in_order_and_each_once() -> None:
    """Several fields are read as one; what is no identifier is skipped."""
    found = identifiers.message_ids(b"<a@x.example>\r\n\t<b@x.example>junk<c>", b" <a@x.example>")
    assert found == ("<a@x.example>", "<b@x.example>")


def test_references_are_bounded() -> None:
    """A field of many thousands gives the first two hundred."""
    assert (
        len(identifiers.message_ids(b"".join(b"<%d@x.example>" % n for n in range(5000)))) <= 200
    )


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (b" Mon, 02 Mar 2026 10:00:00 +0100", datetime(2026, 3, 2, 10, tzinfo=ROME)),
        (b" 2 Mar 2026 10:00 +0100 (CET)", datetime(2026, 3, 2, 10, tzinfo=ROME)),
        (b" Mon, 2 Mar 26 10:00:00 GMT", datetime(2026, 3, 2, 10, tzinfo=UTC)),
        (b" Mon, 2 Mar 99 10:00:00 EST", datetime(1999, 3, 2, 15, tzinfo=UTC)),
        (b" Mon, 02 Mar 2026 10:00:00 -0000", datetime(2026, 3, 2, 10, tzinfo=UTC)),
        (b" Mon Mar  2 10:00:00 2026", datetime(2026, 3, 2, 10, tzinfo=UTC)),
        (b" Mon, 02 Mar 2026 10:00:60 +0000", datetime(2026, 3, 2, 10, 0, 59, tzinfo=UTC)),
        (b" 2026-03-02T10:00:00+01:00", datetime(2026, 3, 2, 10, tzinfo=ROME)),
        (b" lun, 02 mar 2026 10:00:00 +0100", datetime(2026, 3, 2, 10, tzinfo=ROME)),
        (b" Mon, 02-Mar-2026 10:00:00 +0100", datetime(2026, 3, 2, 10, tzinfo=ROME)),
        (b"7 May 11111111110 7:4", None),
        (b" Mon, 32 Mar 2026 10:00:00 +0100", None),
        (b" Mon, 02 Foo 2026 10:00:00 +0100", None),
        (b" Mon, 02 Mar 2026 25:00:00 +0100", None),
        (b" yesterday", None),
        (b"", None),
        (None, None),
    ],
)
def test_date(value: bytes | None, moment: datetime | None) -> None:
    """An aware moment, or none."""
    found = identifiers.date(value)
    assert found == moment
    assert found is None or found.tzinfo is not None


DATE_LIKE = rb"[0-9]{1,4} [A-Z][a-z]{2} [0-9]{1,6} [0-9:]{1,9} [+-][0-9]{4}"


@given(st.one_of(st.binary(max_size=80), st.from_regex(DATE_LIKE, fullmatch=True)))
def test_dates_are_total(value: bytes) -> None:
    """No field raises, and no moment is without a zone."""
    found = identifiers.date(value)
    assert found is None or found.utcoffset() is not None
