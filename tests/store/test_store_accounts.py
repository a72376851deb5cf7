"""Accounts: files read whole or not at all, imports that may be repeated, addresses changed."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, select
from store_values import NOW

from gateway.errors import BadInput
from gateway.store import accounts, schema
from gateway.store.columns import micros
from gateway.store.engine import Store

T = TypeVar("T")

GOOD = {
    "account": "A-2000",
    "name": "Uno Srl",
    "language": "it",
    "state": "active",
    "primary": "Uno@Example.COM",
    "secondary": ["due@example.com", {"address": "pay@example.com", "kinds": ["billing"]}],
    "services": [
        {"name": "VPS-9", "kind": "vps", "order": "#99", "ip": ["192.0.2.9", "2001:DB8::1"]}
    ],
}


def jsonl(path: Path, *rows: object) -> Path:
    file = path / "accounts.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return file


def write(store: Store, work: Callable[[Connection], T]) -> T:
    with store.engine.begin() as connection:
        return work(connection)


def shown(store: Store, number: str) -> dict[str, Any]:
    with store.reading() as connection:
        found = accounts.show(connection, number)
    assert found is not None
    return found


def test_a_file_is_imported_and_once_more_changes_nothing(store: Store, tmp_path: Path) -> None:
    """Created, then unchanged; the export is a file that changes nothing either."""
    rows = accounts.load_file(jsonl(tmp_path, GOOD))
    first = write(store, lambda c: accounts.apply(c, rows, NOW))
    again = write(store, lambda c: accounts.apply(c, rows, NOW))
    assert (first.created, first.changed, first.unchanged) == (1, 0, 0)
    assert (again.created, again.changed, again.unchanged) == (0, 0, 1)
    one = shown(store, "A-2000")
    assert [(a["address"], a["role"], a["kinds"]) for a in one["addresses"]] == [
        ("Uno@example.com", "primary", []),
        ("due@example.com", "secondary", []),
        ("pay@example.com", "secondary", ["billing"]),
    ]
    assert all(a["confirmed_at"] == NOW for a in one["addresses"])
    assert one["services"] == [
        {"name": "VPS-9", "kind": "vps", "order": "99", "ip": ["192.0.2.9", "2001:db8::1"]}
    ]
    with store.reading() as connection:
        exported = list(accounts.export(connection))
    back = accounts.load_file(jsonl(tmp_path, *exported))
    assert write(store, lambda c: accounts.apply(c, back, NOW)).unchanged == len(exported) == 3


def test_what_a_row_no_longer_names_is_removed(store: Store, tmp_path: Path) -> None:
    """Addresses always; services where the row speaks of them."""
    load = lambda row: accounts.load_file(jsonl(tmp_path, row))  # noqa: E731  (said twice)
    write(store, lambda c: accounts.apply(c, load(GOOD), NOW))
    silent = {k: v for k, v in GOOD.items() if k not in ("secondary", "services")}
    done = write(store, lambda c: accounts.apply(c, load(silent), NOW))
    assert done.changed == 1
    one = shown(store, "A-2000")
    assert [a["address"] for a in one["addresses"]] == ["Uno@example.com"]
    assert len(one["services"]) == 1
    write(store, lambda c: accounts.apply(c, load({**silent, "services": []}), NOW))
    assert shown(store, "A-2000")["services"] == []


def test_an_import_that_changes_the_official_address_says_so(store: Store, tmp_path: Path) -> None:
    """The old one is to be told; swapping primary and secondary works in one step."""
    write(store, lambda c: accounts.apply(c, accounts.load_file(jsonl(tmp_path, GOOD)), NOW))
    swapped = {**GOOD, "primary": "due@example.com", "secondary": ["uno@example.com"]}
    rows = accounts.load_file(jsonl(tmp_path, swapped))
    done = write(store, lambda c: accounts.apply(c, rows, NOW))
    assert done.moved == [accounts.MovedAddress("A-2000", "Uno@example.com", "due@example.com")]
    roles = {a["address"].lower(): a["role"] for a in shown(store, "A-2000")["addresses"]}
    assert roles == {"due@example.com": "primary", "uno@example.com": "secondary"}


@pytest.mark.parametrize(
    "change, complaint",
    [
        ({"primry": "x"}, "did you mean `primary`"),
        ({"primary": None}, "`primary` is missing"),
        ({"primary": "no address"}, "is no address"),
        ({"primary": "a@b.example\u202e"}, "is no address"),
        ({"secondary": [{"adress": "a@b.example"}]}, "did you mean `address`"),
        ({"secondary": ["uno@example.com"]}, "stands twice"),
        ({"state": "actve"}, "did you mean `active`"),
        ({"language": "Italian"}, "`language` is"),
        ({"account": ""}, "`account` is missing"),
        ({"account": "A\n1"}, "cannot be printed"),
        ({"services": [{"nam": "x"}]}, "did you mean `name`"),
        ({"services": [{"name": "x", "ip": "300.1.1.1"}]}, "is no IP address"),
        ({"services": [{"name": "x"}, {"name": "X"}]}, "the same name"),
        ({"services": "vps"}, "not a list of objects"),
    ],
)
def test_a_bad_row_is_named_by_line(
    tmp_path: Path, change: dict[str, Any], complaint: str
) -> None:
    """The file and line, what is wrong, and what was perhaps meant."""
    file = jsonl(tmp_path, GOOD, {**GOOD, "account": "A-2001", **change})
    with pytest.raises(BadInput) as raised:
        accounts.load_file(file)
    assert f"{file}:2: " in str(raised.value)
    assert complaint in str(raised.value)


def test_every_bad_row_is_named_at_once(tmp_path: Path) -> None:
    """One run shows all that is wrong, and a number that stands twice."""
    file = tmp_path / "a.jsonl"
    good = json.dumps(GOOD)
    file.write_text(f'{good}\n\n{{"a": 1}}\nnot json\n[1]\n{good}\n', "utf-8")
    with pytest.raises(BadInput) as raised:
        accounts.load_file(file)
    lines = [line.split(":")[1] for line in str(raised.value).splitlines() if "a.jsonl:" in line]
    assert lines == ["3", "4", "5", "6"]
    assert "nothing of the file was applied" in str(raised.value)


def test_a_csv_says_the_same(store: Store, tmp_path: Path) -> None:
    """Columns by name, several secondary addresses with semicolons, a byte order mark allowed."""
    file = tmp_path / "accounts.csv"
    file.write_text(
        "\ufeffaccount,name,language,state,primary,secondary\r\n"
        'A-1,"Rossi, Anna",it,,anna@x.example,"b@x.example; c@x.example"\r\n'
        "A-2,Due,,suspended,due@x.example,\r\n",
        "utf-8",
    )
    rows = accounts.load_file(file)
    assert [(r.number, r.name, r.state, r.language) for r in rows] == [
        ("A-1", "Rossi, Anna", "active", "it"),
        ("A-2", "Due", "suspended", None),
    ]
    assert [a.address for a in rows[0].secondary] == ["b@x.example", "c@x.example"]
    assert write(store, lambda c: accounts.apply(c, rows, NOW)).created == 2


def test_a_bad_csv_is_named_by_line(tmp_path: Path) -> None:
    """Unknown columns, too few cells, no head, bad bytes."""
    file = tmp_path / "a.csv"
    file.write_text("account,name,primry\nA-1,x,a@b.example\n", "utf-8")
    with pytest.raises(BadInput, match=r"a\.csv:1: unknown key `primry`"):
        accounts.load_file(file)
    file.write_text("account,name,primary\nA-1,x,a@b.example\nA-2,y\n", "utf-8")
    with pytest.raises(BadInput, match=r"a\.csv:3: has 2 cells under 3 columns"):
        accounts.load_file(file)
    file.write_text("", "utf-8")
    with pytest.raises(BadInput, match="no head line"):
        accounts.load_file(file)
    file.write_bytes(b"account,name,primary\nA-1,\xff,a@b.example\n")
    with pytest.raises(BadInput, match=r"a\.csv:2: is not UTF-8"):
        accounts.load_file(file)
    with pytest.raises(BadInput, match="cannot be read"):
        accounts.load_file(tmp_path / "absent.jsonl")


def test_addresses_are_added_and_removed(store: Store) -> None:
    """Adding never shows whether another account has it; the official one cannot be removed."""
    write(store, lambda c: accounts.add_address(c, "A-1001", "bruno@altro.example", NOW))
    with pytest.raises(BadInput, match="already"):
        write(store, lambda c: accounts.add_address(c, "A-1001", "BRUNO@altro.example", NOW))
    with pytest.raises(BadInput, match="official address"):
        write(store, lambda c: accounts.remove_address(c, "A-1001", "anna@cliente.example"))
    write(store, lambda c: accounts.remove_address(c, "A-1001", "bruno@altro.example"))
    with pytest.raises(BadInput, match="does not stand"):
        write(store, lambda c: accounts.remove_address(c, "A-1001", "bruno@altro.example"))
    with pytest.raises(BadInput, match="no account"):
        write(store, lambda c: accounts.add_address(c, "A-9", "x@y.example", NOW))


def test_a_new_official_address_is_confirmed_and_keeps_the_old_one_as_secondary(
    store: Store,
) -> None:
    """Ops have looked at it; setting the same again is nothing."""
    moved = write(store, lambda c: accounts.set_primary(c, "A-1001", "new@c.example", NOW))
    assert moved is not None
    assert write(store, lambda c: accounts.set_primary(c, "A-1001", "new@c.example", NOW)) is None
    roles = {a["address"]: a["role"] for a in shown(store, "A-1001")["addresses"]}
    assert roles["new@c.example"] == "primary"
    assert roles["anna@cliente.example"] == "secondary"


def test_accounts_are_listed_and_found(store: Store) -> None:
    """By part of number, name or address; characters that SQL knows mean themselves."""
    with store.reading() as connection:
        assert [a["account"] for a in accounts.list_accounts(connection)] == ["A-1001", "A-1002"]
        found = accounts.list_accounts(connection, matching="ALTRO")
        assert [a["primary"] for a in found] == ["bruno@altro.example"]
        assert accounts.list_accounts(connection, matching="%") == []
        assert accounts.find(connection, "TECH@cliente.example") == ["A-1001"]
        assert accounts.show(connection, "A-9") is None


def test_an_official_mailbox_that_may_fail_is_warned_of(store: Store, tmp_path: Path) -> None:
    """On the account's own service, or PEC."""
    own = {**GOOD, "primary": "me@shop.example", "services": [{"name": "shop.example"}]}
    pec = {**GOOD, "account": "A-2001", "primary": "me@pec.ditta.example"}
    rows = accounts.load_file(jsonl(tmp_path, own, pec))
    warnings = write(store, lambda c: accounts.apply(c, rows, NOW)).warnings
    assert ["own service" in warnings[0], "PEC" in warnings[1], len(warnings)] == [True, True, 2]


def test_a_domain_that_changes_hands_marks_its_addresses(store: Store) -> None:
    """The registrar's word concerns the domain and what lies below it, and no neighbour."""
    assert write(store, lambda c: accounts.domain_changed(c, "cliente.example", NOW)) == 2
    earlier = NOW - timedelta(days=1)
    assert write(store, lambda c: accounts.domain_changed(c, "example", earlier)) >= 2
    with store.reading() as connection:
        shown = list(connection.execute(select(schema.addresses.c.domain_changed_at)))
    assert micros(NOW) in {row[0] for row in shown}  # the later of two moments stays
    assert write(store, lambda c: accounts.domain_changed(c, "iente.example", NOW)) == 0
